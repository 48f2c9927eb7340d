"""`python -m rl_feedback train-on-truth`: the ceiling that ratings at a site are held against."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from inference.phantoms import SITES
from rl_feedback.small_model.evaluate_command import SHIPPED_MODEL


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, required=True, help="work folder; a stopped run goes on in it")
    parser.add_argument("--site", choices=sorted(SITES), default="second", help="whose truth is shown")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="the model to start from")
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--num-films", type=int, help="fewer or more films of the site")
    parser.add_argument("--num-steps", type=int, help="fewer or more steps")


def run(options: argparse.Namespace) -> Iterator[str]:
    """Train, or go on training, and say where the ceiling lies and what it is not for."""
    import torch

    from rl_feedback.small_model.truth import CEILING, train_on_truth

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    phase = replace(CEILING.phase, num_steps=options.num_steps or CEILING.phase.num_steps)
    recipe = replace(CEILING, phase=phase, num_films=options.num_films or CEILING.num_films)
    folder = train_on_truth(options.out, start=options.model, site=options.site, recipe=recipe)
    yield f"The ceiling is in {folder}."
    yield f"It has seen the {options.site} site's truth: measure it, never serve it."
