"""`python -m rl_feedback step-scorer`: learns a step scorer from ratings and says whether it may be used."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from inference.presets import PRESETS
from rl_feedback.counting import counted
from rl_feedback.steps.plot import draw_calibration
from rl_feedback.steps.reading import CARD, ensure_step_scorer
from rl_feedback.training.view import FilmView


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of rated_steps.jsonl and films")
    parser.add_argument("--model", type=Path, required=True, help="the model that it reads by, never trained")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="phantom", help="how the model sees films"
    )
    parser.add_argument("--seed", type=int, default=7, help="draws halves of readers, folds and members")


def run(options: argparse.Namespace) -> Iterator[str]:
    """How it was judged on readers and patients that it never met; `--out` gets a plot of the calibration."""
    if (options.out / CARD).exists():
        raise SystemExit(f"{options.out} holds a step scorer already. Name a new folder.")
    about = ensure_step_scorer(
        options.out,
        data=options.data,
        model=options.model,
        view=FilmView.of(PRESETS[options.preset]),
        seed=options.seed,
    )
    yield (
        f"{counted(about['num_ratings'], 'rating')} by {counted(about['num_readers'], 'reader')} of steps of "
        f"{counted(about['num_patients'], 'patient')}, in {about['seconds']} s."
    )
    judged = about["judgement"]
    if judged is not None:
        yield f"squared error {judged['error']:.4f}"
        for name, (gain, low, high) in judged["gains"].items():
            yield (
                f"by {name} alone {judged['baseline_errors'][name]:.4f}: "
                f"{gain:+.4f} more ({low:+.4f} to {high:+.4f})"
            )
        plot = options.out / "calibration.svg"
        plot.write_text(draw_calibration(judged["calibration"]), encoding="utf-8")
    yield about["sentence"]
