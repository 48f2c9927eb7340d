"""The films that a stage shows its model, each prepared as the model will see it when it serves."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from inference.images import prepare_image, render_reference
from rl_feedback.training.view import FilmView

# Films of 112 pixels need little; of DeepMedix-R1's size 512 films are 200 MB.
NUM_FILMS_KEPT = 512


class Films:
    """Films of a data folder, the last used ones kept in memory."""

    def __init__(self, folder: Path, view: FilmView) -> None:
        self.folder, self.view = folder, view
        self._kept: OrderedDict[str, Image.Image] = OrderedDict()

    def film(self, name: str) -> Image.Image:
        """Raises ValueError, without the film's path, where it can't be read."""
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        try:
            shown = self.prepared(render_reference(self.folder / name))
        except OSError as error:
            raise ValueError(
                "A film of the data set is missing or can't be read. Restore it, then go on."
            ) from error
        self._kept[name] = shown
        if len(self._kept) > NUM_FILMS_KEPT:
            self._kept.popitem(last=False)
        return shown

    def prepared(self, pixels: Any) -> Image.Image:
        return prepare_image(pixels, **asdict(self.view))


def turn(prompt: str) -> list[dict[str, str]]:
    """A question as TRL reads it; the film is put before it."""
    return [{"role": "user", "content": prompt}]


def reply(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
