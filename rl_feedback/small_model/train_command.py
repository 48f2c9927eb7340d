"""`python -m rl_feedback train-small-model`: the whole training of the model that ships with the project."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

PHASE_NAMES = ("see", "write", "both", "polish", "sharpen")
LATE_PHASES = PHASE_NAMES[3:]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, required=True, help="work folder; a stopped run goes on in it")
    parser.add_argument("--stage", choices=PHASE_NAMES, default="sharpen", help="stop after this phase")
    parser.add_argument("--start", type=Path, help="a model folder: it goes through the late phases")
    parser.add_argument("--first-phase", choices=LATE_PHASES, default="polish", help="with --start")
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--num-films", type=int, help="fewer films, for a trial")
    parser.add_argument("--num-steps", type=int, help="the same few steps in every phase, for a trial")


def run(options: argparse.Namespace) -> Iterator[str]:
    """Train, or go on training, and say where the model lies."""
    import torch

    from rl_feedback.small_model.train import RECIPE, train_small_model

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    phases = RECIPE.phases[: PHASE_NAMES.index(options.stage) + 1]
    if options.num_steps:
        phases = tuple(replace(phase, num_steps=options.num_steps) for phase in phases)
    recipe = replace(RECIPE, phases=phases, num_films=options.num_films or RECIPE.num_films)
    folder = train_small_model(
        options.out, recipe=recipe, start=options.start, first_phase=options.first_phase
    )
    yield f"The model is in {folder}."
