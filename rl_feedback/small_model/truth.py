"""Trains the ceiling: the model that was shown a site's truth, to know how much there is to be won there.

Ratings are to come near it. It is measured, and never serves: nothing that is promoted learns from the truth.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from inference.phantoms import TRAIN_SEEDS
from inference.qwen_vl import load_model_and_processor
from rl_feedback.small_model.films import draw_films, joined
from rl_feedback.small_model.forward import one_size_attention
from rl_feedback.small_model.train import Phase, Training, train_phase

log = logging.getLogger(__name__)


PHASE = Phase("truth", num_steps=1000, batch_size=32, learning_rate=7e-4, floor=0.01)


@dataclass(frozen=True)
class CeilingRecipe:
    """Everything that decides the ceiling's weights, besides the model it starts from.

    `num_replayed` films of the first site are mixed in, so that the first site is not unlearned.
    """

    seed: int = 20261126
    num_films: int = 6000
    num_replayed: int = 2000
    phase: Phase = PHASE
    num_processes: int = 1


CEILING = CeilingRecipe()


def train_on_truth(
    folder: Path, *, start: Path, site: str, recipe: CeilingRecipe = CEILING, checkpoint_every: int = 100
) -> Path:
    """Teach the model in `start` what is really on `site`'s films, and write it to `folder`/ceiling.

    A run that was stopped goes on where it was.
    """
    started = time.monotonic()
    films = draw_films(TRAIN_SEEDS[: recipe.num_films], site=site, num_processes=recipe.num_processes)
    replayed = draw_films(TRAIN_SEEDS[: recipe.num_replayed], num_processes=recipe.num_processes)
    log.info("drew %d films in %.0f s", len(films) + len(replayed), time.monotonic() - started)
    torch.manual_seed(recipe.seed)
    loaded = load_model_and_processor(start)
    training = Training(
        folder,
        films=joined(films, replayed),
        model=loaded.model.train(),
        processor=loaded.processor,
        seed=recipe.seed,
    )
    with one_size_attention(training.model):
        train_phase(training, 0, recipe.phase, checkpoint_every=checkpoint_every)
    training.save(folder / "ceiling")
    return folder / "ceiling"
