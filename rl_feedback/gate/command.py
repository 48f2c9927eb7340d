"""`python -m rl_feedback gate`: measures a candidate beside its parent and says whether it may serve."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from inference.engines import DamagedModel, EngineError, EngineSettings, load_engine, require_sound
from inference.phantoms import HELD_OUT_SEEDS
from inference.presets import LOOP_PRESETS, ServingPreset
from inference.prompts import template
from rl_feedback.evaluation.phantoms import AskedHow, EvaluationFailed
from rl_feedback.gate.built_in import POLICY
from rl_feedback.gate.deciding import BenchmarkScores
from rl_feedback.gate.measuring import GateFilms, Measured, decide_measured, measure
from rl_feedback.gate.policy import (
    Policy,
)
from rl_feedback.gate.sealed import SealedPatientLearned, require_unseen
from rl_feedback.json_file import read_object
from rl_feedback.training.films import Films
from rl_feedback.training.view import FilmView


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--parent", type=Path, required=True, help="a model folder")
    parser.add_argument("--candidate", type=Path, required=True, help="a model folder")
    parser.add_argument(
        "--preset", choices=sorted(LOOP_PRESETS), default="phantom", help="how both are asked"
    )
    parser.add_argument("--num-films", type=int, default=200, help="sealed films of each site")
    parser.add_argument("--first-seed", type=int, default=HELD_OUT_SEEDS.start, help="of the sealed films")
    parser.add_argument(
        "--trained-on",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a data folder that the candidate learned from: refused if it holds a sealed patient",
    )
    parser.add_argument(
        "--rated",
        type=Path,
        metavar="DIR",
        help="a data folder with rated_steps.jsonl: a scorer learned from it compares the steps",
    )
    parser.add_argument("--policy", type=Path, help="a policy as JSON; without it the newest built-in one")


def run(options: argparse.Namespace) -> Iterator[str]:
    """A table of every figure, and the sentence that names what decided."""
    if options.num_films < 1:
        raise ValueError("--num-films must be at least 1.")
    preset, policy = LOOP_PRESETS[options.preset], _policy(options.policy)
    films = GateFilms.of(num_films=options.num_films, first_seed=options.first_seed)
    try:
        for folder in options.trained_on:
            num_films = require_unseen(folder, films.sealed)
            yield f"{folder}: none of its {num_films} films is of a sealed patient."
        require_sound(options.candidate)
    except (SealedPatientLearned, DamagedModel) as refusal:
        yield f"Held. {refusal} By policy {policy.number}."
        return
    try:
        parent, candidate = (
            _measured(folder, films, preset) for folder in (options.parent, options.candidate)
        )
    except (EngineError, EvaluationFailed) as error:
        raise ValueError(str(error)) from error
    steps, no_steps = _steps(options, films, parent, candidate, preset)
    outcome = decide_measured(
        films, parent=parent, candidate=candidate, policy=policy, steps=steps, no_steps=no_steps
    )
    for row in outcome.comparisons:
        yield (
            f"{row.benchmark:<25}  {row.label:<40}{row.parent:9.3f}{row.candidate:9.3f}"
            f"{row.difference:+z9.3f}  ({row.low:+z.3f} to {row.high:+z.3f})  {row.verdict}"
            f"{', holds' if row.counts_against else ''}{'  ' + row.note if row.note else ''}"
        )
    for suite, reason in outcome.absent.items():
        yield f"{suite}: not measured. {reason}"
    yield outcome.sentence


def _steps(
    options: argparse.Namespace,
    films: GateFilms,
    parent: Measured,
    candidate: Measured,
    preset: ServingPreset,
) -> tuple[list[BenchmarkScores], str]:
    """Of each site, or why there are none."""
    if options.rated is None:
        return [], "No ratings of steps were given (--rated), so none can be scored."
    # torch takes seconds: who gives no ratings does not pay for it.
    from rl_feedback.steps.comparing import compare_steps
    from rl_feedback.steps.reading import StepReader, ensure_step_scorer
    from rl_feedback.training.examples import RatedStep, read_examples

    view, prompt = FilmView.of(preset), template(preset.prompt_template)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        about = ensure_step_scorer(folder, data=options.rated, model=options.parent, view=view, seed=7)
        if not about["may_be_used"]:
            return [], str(about["sentence"])
        reader = StepReader.of(folder, model=options.parent, films=Films(options.rated, view))
    return [
        compare_steps(
            reader,
            site=one.site,
            parent=before,
            candidate=after,
            prompt=prompt.render(prompt.default_query),
            rated=read_examples(options.rated, RatedStep),
        )
        for one, before, after in zip(films.sealed, parent.sealed, candidate.sealed, strict=True)
    ], ""


def _policy(path: Path | None) -> Policy:
    if path is None:
        return POLICY
    try:
        return Policy.from_json(read_object(path))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is no policy: {error}") from error


def _measured(folder: Path, films: GateFilms, preset: ServingPreset) -> Measured:
    require_sound(folder)
    engine = load_engine(
        EngineSettings(
            folder=folder,
            min_pixels=preset.min_pixels,
            max_pixels=preset.max_pixels,
            preparation=preset.preparation,
        )
    )
    prompt = template(preset.prompt_template)
    asked = AskedHow(
        prompt=prompt.render(prompt.default_query),
        box_frame=preset.box_frame,
        max_new_tokens=preset.max_new_tokens,
    )
    return measure(engine, films, asked=asked)
