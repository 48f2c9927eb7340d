"""A step scorer at work: the model that it reads by, frozen, and what it gives each step of a text.

The model is the one that a run starts from, never the one that is being trained: that one could learn to know
what pleases the scorer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from inference.engines.folders import folder_sha256
from inference.qwen_vl import LoadedModel, load_model_and_processor
from rl_feedback.steps.learning import LearnedScorer, lacking, learn_step_scorer, step_of
from rl_feedback.steps.scorer import StepScorer
from rl_feedback.steps.states import states_at_step_ends
from rl_feedback.training.examples import RatedStep, read_examples
from rl_feedback.training.films import Films
from rl_feedback.training.view import FilmView

# What a folder of a scorer says of it, written last.
CARD = "learned.json"


@dataclass(frozen=True)
class StepReader:
    """A scorer with its model; it learns nothing."""

    loaded: LoadedModel
    films: Films
    scorer: StepScorer

    @classmethod
    def of(cls, folder: Path, *, model: Path, films: Films, precision: str = "float32") -> Self:
        """From a folder that `ensure_step_scorer` wrote. Raises ValueError where the model is another one."""
        scorer = StepScorer.load(folder)
        if scorer.parent_sha256 != folder_sha256(model):
            raise ValueError("This step scorer was trained on another model. Train one on this model.")
        return cls(_frozen(model, precision), films, scorer)

    def lower_bounds(self, completions: Sequence[tuple[str, str, str]]) -> list[list[float]]:
        """For each (film, prompt, text) of each step what readers would give it at least, in [0, 1]."""
        found = states_at_step_ends(self.loaded, self.films, completions)
        return [self.scorer.score(rows).lower.tolist() if len(rows) else [] for rows in found]


@contextmanager
def on_threads(number: int) -> Iterator[None]:
    """Let this process compute on so many processor threads. Texts are read one by one, in products so small
    that threads which wait for each other, beside other work, cost eight times what they share."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def ensure_step_scorer(
    folder: Path,
    *,
    data: Path,
    model: Path,
    view: FilmView,
    seed: int,
    precision: str = "float32",
    num_threads: int = 1,
    on_text: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Train a scorer on the data folder's rated steps into `folder`, unless that was done before, and return
    its card: whether it may be used, why not, and how it was judged. What `on_text` raises, called before
    each rated text, ends it."""
    card = folder / CARD
    if not card.is_file():
        with on_threads(num_threads):
            _train(card, data=data, model=model, view=view, seed=seed, precision=precision, on_text=on_text)
    about: dict[str, Any] = json.loads(card.read_text("utf-8"))
    return about


def _train(
    card: Path,
    *,
    data: Path,
    model: Path,
    view: FilmView,
    seed: int,
    precision: str,
    on_text: Callable[[], None],
) -> None:
    began = time.monotonic()
    learned = _learned(data, model=model, view=view, seed=seed, precision=precision, on_text=on_text)
    card.parent.mkdir(parents=True, exist_ok=True)
    if learned.scorer is not None:
        learned.scorer.save(card.parent)
    about = {**learned.as_json(), "seconds": round(time.monotonic() - began, 1), "seed": seed}
    part = card.with_suffix(".part")
    part.write_text(json.dumps(about, sort_keys=True), encoding="utf-8")
    part.rename(card)


def _learned(
    data: Path, *, model: Path, view: FilmView, seed: int, precision: str, on_text: Callable[[], None]
) -> LearnedScorer:
    rated = read_examples(data, RatedStep) if (data / RatedStep.file).is_file() else ()
    if lacking(rated):
        return learn_step_scorer(rated, {}, parent_sha256="", seed=seed)
    loaded, films = _frozen(model, precision), Films(data, view)
    states = {}
    for film, prompt, text in sorted({(one.film, one.prompt, one.text) for one in rated}):
        on_text()
        [rows] = states_at_step_ends(loaded, films, [(film, prompt, text)])
        states.update({(film, prompt, text, step): row for step, row in enumerate(rows)})
    wanted = {step_of(one) for one in rated}
    return learn_step_scorer(
        rated,
        {step: row for step, row in states.items() if step in wanted},
        parent_sha256=folder_sha256(model),
        seed=seed,
    )


def _frozen(model: Path, precision: str) -> LoadedModel:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loaded = load_model_and_processor(model, device=device, dtype=precision)
    loaded.model.requires_grad_(False)
    return loaded
