"""A film as it stands in a shared data set: the picture that the model saw, under a name of its own."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from pathlib import Path

from inference.images import prepare_image, render_reference
from rl_feedback.training.view import FilmView


@dataclass(frozen=True)
class ShownFilm:
    """`png` is grey, 8 bits; sizes are (width, height) in pixels: of the film, and of the picture in which
    the model counts as `box_frame` says (inference.regions)."""

    name: str
    png: bytes
    image_size: tuple[int, int]
    model_size: tuple[int, int]
    box_frame: str


def show_film(path: Path, *, name: str, view: FilmView, box_frame: str) -> ShownFilm:
    """Raises ValueError, without the film's path, where it can't be read."""
    try:
        film = render_reference(path)
    except OSError as error:
        raise ValueError(
            "A film of the data set is missing or can't be read. Restore it, then ask again."
        ) from error
    shown = prepare_image(film, **asdict(view))
    # A film has no colours: a third of the bytes.
    with io.BytesIO() as png:
        shown.convert("L").save(png, "PNG")
        pixels = png.getvalue()
    return ShownFilm(name, pixels, (film.shape[1], film.shape[0]), shown.size, box_frame)
