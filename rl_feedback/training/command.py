"""`python -m rl_feedback <stage>` and `… recipe`: a model learns from a data folder, from a shell."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inference.presets import PRESETS
from rl_feedback.training.config import StageConfig
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.recipe import ABOUT, DEFAULT_RECIPE, Recipe, run_recipe
from rl_feedback.training.samples_file import keep_sample
from rl_feedback.training.stages import STAGES
from rl_feedback.training.view import FilmView


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the folders and, for a single stage, every choice of its config."""
    parser.add_argument("--data", type=Path, required=True, help="folder of examples and their films")
    parser.add_argument("--model", type=Path, required=True, help="the parent, a Qwen2.5-VL folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints/ and candidate/")
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="phantom", help="how the model sees films"
    )
    parser.add_argument("--config", type=Path, help="a JSON file of the choices; options stand above it")
    # argparse has no other word for the name that a sub-command was called by.
    named = STAGES.get(parser.prog.split()[-1])
    if named is None:
        return
    parser.set_defaults(stage=named.name)
    for name, (_, says) in type(named.config).explained().items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_reader_of(getattr(named.config, name)),
            help=f"{says} Default: {_shown(getattr(named.config, name))}".replace("%", "%%"),
        )


def run(options: argparse.Namespace) -> Iterator[str]:
    """One line a step, then where the candidate is. A run begun before in `--out` goes on where it was.

    `--out` also gets config.json, with which the same run can be made again, and samples.jsonl.
    """
    in_file = _read(options.config) if options.config else {}
    recipe = _recipe(options, in_file)
    preset = PRESETS[options.preset]

    def tell(figures: StepFigures) -> None:
        # At once: a run takes hours, and what is yielded comes when it is over.
        sys.stdout.write(_line(figures) + "\n")
        sys.stdout.flush()

    def note(about: Mapping[str, Any]) -> None:
        for line in _differences(in_file.get(ABOUT, {}), about):
            sys.stdout.write(line + "\n")
        options.out.mkdir(parents=True, exist_ok=True)
        config = {**recipe.as_json(), ABOUT: about}
        (options.out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    run_recipe(
        recipe,
        parent=options.model,
        data=options.data,
        view=FilmView.of(preset),
        work=options.out / "checkpoints",
        out=options.out / "candidate",
        on_step=tell,
        on_sample=lambda sample: keep_sample(options.out / "samples.jsonl", sample),
        on_begin=note,
    )
    yield f"The candidate is in {options.out / 'candidate'}."


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Where a run that is made again is not what it was, so that its weights may come out otherwise."""
    for name, noun in (("parent", "model"), ("data", "data folder"), ("environment", "environment")):
        if name in then and then[name] != now[name]:
            yield f"note: the {noun} is not the one that the config was made with"


def _recipe(options: argparse.Namespace, in_file: Mapping[str, Any]) -> Recipe:
    name = getattr(options, "stage", None)
    if name is None:
        return Recipe.from_json(in_file) if in_file else DEFAULT_RECIPE
    config = STAGES[name].config
    given = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(config)
        if getattr(options, field.name) is not None
    }
    chosen: StageConfig = type(config).from_json({**config.as_json(), **in_file, **given})
    return Recipe((chosen,))


def _line(figures: StepFigures) -> str:
    values = ", ".join(f"{name} {value:.4g}" for name, value in figures.values.items())
    return f"step {figures.step} of {figures.num_steps}: {values}; {figures.seconds:.1f} s"


def _read(path: Path) -> Mapping[str, Any]:
    values = json.loads(path.read_text("utf-8"))
    if not isinstance(values, dict):
        raise ValueError(f'{path} must hold one JSON object, such as {{"num_steps": 60}}.')
    return values


def _reader_of(default: object) -> Any:
    if isinstance(default, bool):
        return lambda text: {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(default, tuple):
        return lambda text: [name for name in text.split(",") if name]
    return type(default)


def _shown(value: object) -> str:
    return ", ".join(value) or "all" if isinstance(value, tuple) else str(value)
