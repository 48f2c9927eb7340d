"""`python -m rl_feedback simulated-rounds`: what one kind of SIMULATED rating gains, by the library alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from rl_feedback.json_file import read_object
from rl_feedback.simulated_readers import KINDS
from rl_feedback.simulated_rounds.recipes import recipe_for
from rl_feedback.simulated_rounds.report import write_report
from rl_feedback.small_model.evaluate_command import SHIPPED_MODEL
from rl_feedback.training.recipe import Recipe


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, required=True, help="a new folder for data, models and report")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="the model to start from")
    parser.add_argument("--kind", choices=KINDS, default="all", help="what readers are asked for")
    parser.add_argument("--readings", type=int, default=300, help="of each round")
    parser.add_argument(
        "--drawn-per-reading",
        type=int,
        default=1,
        help="of so many films, the one on which the model's samples differ most is read",
    )
    parser.add_argument("--readers-per-film", type=int, default=1, help="at the same number of readings")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--num-films", type=int, default=500, help="held-out films of each site")
    parser.add_argument("--recipe", type=Path, help="a JSON file that stands in for the kind's own recipe")


def run(options: argparse.Namespace) -> Iterator[str]:
    """How it goes, then where the report is."""
    import torch

    from rl_feedback.simulated_rounds.running import Trial, run_trial

    if options.out.exists() and any(options.out.iterdir()):
        raise ValueError(f"{options.out} is not empty. Name a new folder.")
    torch.set_num_threads(1)
    recipe = recipe_for(options.kind)
    if options.recipe:
        recipe = Recipe.from_json(read_object(options.recipe))
    trial = Trial(
        kind=options.kind,
        num_readings=options.readings,
        drawn_per_reading=options.drawn_per_reading,
        readers_per_film=options.readers_per_film,
        num_rounds=options.rounds,
        seed=options.seed,
        num_held_out=options.num_films,
        recipe=recipe,
    )

    def tell(line: str) -> None:
        # At once: it takes many minutes.
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    report = run_trial(trial, start=options.model, folder=options.out, tell=tell)
    yield f"The report of these SIMULATED readings: {write_report(report, options.out / 'report')}"
