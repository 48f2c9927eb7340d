"""`python -m rl_feedback export-bundle` and `check-bundle`: hands training over to a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from inference.presets import LOOP_PRESETS
from rl_feedback.bundle.checking import check_bundle
from rl_feedback.bundle.writing import REWARDS, write_bundle
from rl_feedback.counting import counted
from rl_feedback.training.examples import RewardedCase, ValidationCase, read_examples
from rl_feedback.training.view import FilmView

CHECK = "check-bundle"


def configure(parser: argparse.ArgumentParser) -> None:
    # argparse has no other word for the name that a sub-command was called by.
    parser.set_defaults(checks_only=parser.prog.split()[-1] == CHECK)
    if parser.get_default("checks_only"):
        parser.add_argument("bundle", type=Path, help="folder of a bundle")
        return
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with cases.jsonl and validation.jsonl"
    )
    parser.add_argument(
        "--model", type=Path, required=True, help="the parent, not copied, known by its sha256"
    )
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--preset", choices=sorted(LOOP_PRESETS), default="phantom", help="how the model sees films"
    )
    parser.add_argument("--reward", choices=REWARDS, default=REWARDS[0])


def run(options: argparse.Namespace) -> Iterator[str]:
    """Each bundle that is written is checked at once."""
    if not options.checks_only:
        preset = LOOP_PRESETS[options.preset]
        figures = write_bundle(
            options.out,
            train=read_examples(options.data, RewardedCase),
            validation=read_examples(options.data, ValidationCase),
            data=options.data,
            view=FilmView.of(preset),
            model=options.model,
            reward=options.reward,
            max_response_tokens=preset.max_new_tokens,
        )
        yield f"The bundle {figures.sha256} is in {options.out}."
    checked = check_bundle(options.bundle if options.checks_only else options.out)
    yield (
        f"It holds {counted(checked.num_train, 'case')} and {checked.num_validation} to validate on; its "
        f"reward scored {counted(checked.num_scored, 'attempt')} on its own as here."
    )
