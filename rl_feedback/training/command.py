"""`python -m rl_feedback <stage>` and `… recipe`: a model learns from a data folder, from a shell."""

from __future__ import annotations

import argparse
import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inference.presets import LOOP_PRESETS
from rl_feedback.engines.local import learn_here
from rl_feedback.engines.options import add_placement, placement_of
from rl_feedback.engines.packing import Job, pack
from rl_feedback.engines.placement import RAY, Placement
from rl_feedback.engines.ray_cluster import RayCluster
from rl_feedback.engines.telling import Listener
from rl_feedback.json_file import read_object
from rl_feedback.training.config import NOT_CHOSEN, DpoConfig, SftConfig, StageConfig
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.loss_by_agreement import with_losses_for_folder
from rl_feedback.training.recipe import ABOUT, DEFAULT_RECIPE, Recipe
from rl_feedback.training.samples_file import keep_sample
from rl_feedback.training.stages import STAGES
from rl_feedback.training.view import FilmView

RECIPE_SHOWN = (
    'a JSON file: {"stages": [{"kind": "sft", "num_steps": 100}, {"kind": "dpo", "num_steps": 60}]}; kinds '
    "are sft (whose origins say what is taught), dpo, kto and grpo, choices those of each stage's --help"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the folders and, for a single stage, every choice of its config."""
    parser.add_argument("--data", type=Path, required=True, help="folder of examples and their films")
    parser.add_argument("--model", type=Path, required=True, help="the parent, a Qwen2.5-VL folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints/ and candidate/")
    parser.add_argument(
        "--preset", choices=sorted(LOOP_PRESETS), default="phantom", help="how the model sees films"
    )
    # argparse has no other word for the name that a sub-command was called by.
    named = STAGES.get(parser.prog.split()[-1])
    in_config = RECIPE_SHOWN if named is None else "a JSON file of the choices; options stand above it"
    parser.add_argument("--config", type=Path, help=in_config)
    add_placement(parser)
    parser.add_argument(
        "--address", help="with --engine ray: the cluster's job API, http://127.0.0.1:8265 say"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], help="a host beside this machine that the cluster is on"
    )
    parser.add_argument(
        "--shared",
        type=Path,
        help="with --engine ray: storage that this machine and all nodes see at one path",
    )
    if named is None:
        return
    parser.set_defaults(stage=named.name)
    for name, (_, says) in type(named.config).explained().items():
        if name in NOT_CHOSEN:
            continue
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_reader_of(getattr(named.config, name)),
            help=f"{says} Default: {_shown(getattr(named.config, name))}".replace("%", "%%"),
        )


def run(options: argparse.Namespace) -> Iterator[str]:
    """One line a step, then where the candidate is. A run begun before in `--out` goes on where it was.

    `--out` also gets config.json, with which the same run can be made again, and samples.jsonl. A run that is
    refused before its first step leaves nothing there: it would be held against the next one.
    """
    is_new = not options.out.is_dir() or not any(options.out.iterdir())
    steps: list[int] = []
    with _alone_in(options.out):
        try:
            yield from _learn(options, on_step=lambda figures: steps.append(figures.step))
        except (ValueError, FileNotFoundError):
            if is_new and not steps:
                shutil.rmtree(options.out, ignore_errors=True)
            raise


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two runs would write each other's checkpoints. Raises ValueError where another is at work there; the
    system takes the lock from a run that is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ValueError(
            f"Another run learns in {folder} now. Wait until it has ended, or name another folder by --out."
        ) from error
    finally:
        os.close(descriptor)


def _learn(options: argparse.Namespace, *, on_step: Callable[[StepFigures], None]) -> Iterator[str]:
    in_file = _read(options.config) if options.config else {}
    recipe = with_losses_for_folder(_recipe(options, in_file), options.data)
    for number, stage in enumerate(recipe.stages, 1):
        if isinstance(stage, DpoConfig) and stage.loss_because:
            sys.stdout.write(f"loss of stage {number}: {stage.loss_because}\n")
    preset = LOOP_PRESETS[options.preset]

    def tell(figures: StepFigures) -> None:
        on_step(figures)
        # At once: a run takes hours, and what is yielded comes when it is over.
        sys.stdout.write(_line(figures) + "\n")
        sys.stdout.flush()

    def note(about: Mapping[str, Any]) -> None:
        for line in (*_differences(in_file.get(ABOUT, {}), about), *_damaged(about)):
            sys.stdout.write(line + "\n")
        options.out.mkdir(parents=True, exist_ok=True)
        config = {**recipe.as_json(), ABOUT: about}
        (options.out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def again(reason: str) -> None:
        sys.stdout.write(f"begun again: {reason}\n")
        sys.stdout.flush()

    listener = Listener(
        on_step=tell,
        on_sample=lambda sample: keep_sample(options.out / "samples.jsonl", sample),
        on_begin=note,
        on_retry=again,
    )
    place = Placement.from_json(placement_of(vars(options)))
    place.require_divisible(recipe)
    view = FilmView.of(preset)
    if place.engine == RAY:
        _learn_on_cluster(options, recipe, place, view, listener)
    else:
        job = Job(options.out, recipe, view, options.model, options.data, place)
        learn_here(job, listener=listener, log=options.out / "workers.log")
    yield f"The candidate is in {options.out / 'candidate'}."


def _learn_on_cluster(
    options: argparse.Namespace, recipe: Recipe, place: Placement, view: FilmView, listener: Listener
) -> None:
    if options.address is None or options.shared is None:
        raise ValueError("--engine ray needs --address, the cluster's job API, and --shared, its storage.")
    cluster = RayCluster(options.address, hosts=options.allow_host)
    # The same --out is the same run, which goes on from where it was.
    out = options.out.resolve()
    name = f"{out.name}-{hashlib.sha256(str(out).encode()).hexdigest()[:8]}"
    folder = options.shared.resolve() / name
    cluster.require_reachable()
    cluster.stop(folder, name=name)
    job = pack(
        folder,
        recipe=recipe,
        view=view,
        parent=options.model,
        data=options.data,
        placement=place,
        models=options.shared.resolve() / "models",
    )
    try:
        cluster.learn(job, name=name, out=out / "candidate", listener=listener, log=out / "cluster.log")
    except BaseException:
        # Ctrl-C too: nobody follows the job any more.
        cluster.stop(folder, name=name)
        raise
    # Films leave the storage with the run that needed them.
    shutil.rmtree(folder)


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Where a run that is made again is not what it was, so that its weights may come out otherwise."""
    for name, noun in (("parent", "model"), ("data", "data folder"), ("environment", "environment")):
        if name in then and then[name] != now[name]:
            yield f"note: the {noun} is not the one that the config was made with"


def _damaged(about: Mapping[str, Any]) -> Iterator[str]:
    """Checkpoints that are not whole; a run that says nothing of them goes on from the newest."""
    for one in about["passed_over"]:
        place = f"step {one['step']} in stage {one['stage']}"
        yield f"note: the checkpoint of {place} was damaged or cut short; the run goes on from the one before"


def _recipe(options: argparse.Namespace, in_file: Mapping[str, Any]) -> Recipe:
    name = getattr(options, "stage", None)
    if name is None:
        return Recipe.from_json(in_file) if in_file else DEFAULT_RECIPE
    config = STAGES[name].config
    if isinstance(config, SftConfig) and LOOP_PRESETS[options.preset].prompt_template != "phantom":
        config = dataclasses.replace(config, fill_up_to=0)
    given = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(config)
        if field.name not in NOT_CHOSEN and getattr(options, field.name) is not None
    }
    chosen: StageConfig = type(config).from_json({**config.as_json(), **in_file, **given})
    return Recipe((chosen,))


def _line(figures: StepFigures) -> str:
    values = ", ".join(f"{name} {value:.4g}" for name, value in figures.values.items())
    return f"step {figures.step} of {figures.num_steps}: {values}; {figures.seconds:.1f} s"


def _read(path: Path) -> Mapping[str, Any]:
    return read_object(path)


def _reader_of(default: object) -> Any:
    if isinstance(default, bool):
        return lambda text: {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(default, tuple):
        return lambda text: [name for name in text.split(",") if name]
    return type(default)


def _shown(value: object) -> str:
    return ", ".join(value) or "all" if isinstance(value, tuple) else str(value)
