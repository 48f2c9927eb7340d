"""`python -m rl_feedback dpo`: retrains a model from a folder of preference pairs."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from inference.presets import PRESETS
from rl_feedback.dpo_config import DpoConfig, FilmView, StepFigures, read_pairs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options: the folders, and every setting of DpoConfig."""
    parser.add_argument("--data", type=Path, required=True, help="folder with pairs.jsonl and its films")
    parser.add_argument("--model", type=Path, required=True, help="the parent, a Qwen2.5-VL folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints/ and candidate/")
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="phantom", help="how the model sees films"
    )
    for field in dataclasses.fields(DpoConfig):
        default = field.default
        read = (lambda text: text.lower() == "true") if isinstance(default, bool) else type(default)
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=read, help=f"default: {default}")


def run(options: argparse.Namespace) -> Iterator[str]:
    """One line a step, then where the candidate is. A run begun before in `--out` goes on where it
    stopped."""
    from rl_feedback.dpo import train_dpo

    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(DpoConfig)}
    config = DpoConfig.from_json({name: value for name, value in given.items() if value is not None})
    preset = PRESETS[options.preset]
    steps: list[StepFigures] = []
    train_dpo(
        parent=options.model,
        data=options.data,
        pairs=read_pairs(options.data),
        view=FilmView(preset.preparation, preset.min_pixels, preset.max_pixels),
        config=config,
        work=options.out / "checkpoints",
        out=options.out / "candidate",
        on_step=steps.append,
    )
    for step in steps:
        yield (
            f"step {step.step} of {step.num_steps}: "
            f"loss {step.loss:.4f}, margin {step.margin:.4f}, accuracy {step.accuracy:.2f}"
        )
    yield f"The candidate is in {options.out / 'candidate'}."
