"""`python -m rl_feedback evaluate`: how good a model's predictions are, as figures, a page and tables."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from inference.engines import EndpointSettings, Engine, load_engine
from inference.presets import PRESETS
from rl_feedback.counting import counted
from rl_feedback.evaluation.arena.judges import EngineJudge
from rl_feedback.evaluation.cases import HEADLINES
from rl_feedback.evaluation.evaluating import MEASURES, evaluate
from rl_feedback.evaluation.measures import TASK_WORDS
from rl_feedback.evaluation.printing.tables import told
from rl_feedback.evaluation.printing.writing import require_new, write_report
from rl_feedback.evaluation.reports.green import PROMPT_VERSION
from rl_feedback.evaluation.reports.green_judge import GreenSettings, judged_ahead
from rl_feedback.evaluation.results import Report
from rl_feedback.evaluation.samples import Sample, System, read_references, read_system
from rl_feedback.evaluation.settings import Settings
from rl_feedback.evaluation.xraybench import HUB_NAME, columns_named, deviations, read_folder, read_hub

# Of one answer of GREEN's judge.
GREEN_SECONDS = 600.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--predictions", type=Path, required=True, help="JSON lines with `id` and `text` of each sample"
    )
    parser.add_argument(
        "--references",
        required=True,
        help=f"JSON lines with `id`, `task` and `answer`; a folder of XrayBench; or {HUB_NAME}, from the hub",
    )
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--beside", type=Path, nargs="+", default=[], help="predictions of other models, on the same samples"
    )
    parser.add_argument("--title", default="", help="of the page; by default the predictions' name")
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), default="", help="how the models write, where all write alike"
    )
    parser.add_argument(
        "--column", action="append", default=[], metavar="answer=NAME", help="of XrayBench, where unlike"
    )
    parser.add_argument("--revision", default="", help="of XrayBench on the hub")
    parser.add_argument(
        "--missing-is-wrong", action="store_true", help="go on where samples have no prediction"
    )
    parser.add_argument("--weight-free", action="store_true", help="no measure that needs weights")
    parser.add_argument("--with-java", action="store_true", help="METEOR 1.5 too, by its Java program")
    parser.add_argument("--green", metavar="URL", default="", help="a server whose model judges, for GREEN")
    parser.add_argument("--green-model", default="", help="the judge's name at that server")
    parser.add_argument("--num-draws", type=int, default=1000, help="of studies, for intervals")
    parser.add_argument("--num-shuffles", type=int, default=10_000, help="exchanges of outputs, for p")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--without-texts", action="store_true", help="no report or answer on the page")
    parser.add_argument("--with-films", action="store_true", help="put the films of its cases on the page")


def run(options: argparse.Namespace) -> Iterator[str]:
    """The main figures, then where the page is."""
    require_new(options.out)
    engine = _green_engine(options)
    samples, told_of = _references(options)
    systems = [
        read_system(path, samples, preset=options.preset) for path in (options.predictions, *options.beside)
    ]
    for system in systems:
        _require_whole(system, samples, missing_is_wrong=options.missing_is_wrong)
    settings = _settings(options)
    if engine is not None:
        name = f"{options.green_model}, question {PROMPT_VERSION}"
        judge = EngineJudge(engine, deadline_seconds=GREEN_SECONDS)
        asked_as = GreenSettings(judge=options.green_model, seed=options.seed)
        settings = replace(settings, ask=judged_ahead(samples, systems, judge, asked_as), judge=name)
    report = evaluate(
        samples, systems, title=options.title or systems[0].name, settings=settings, deviations=told_of
    )
    page = write_report(report, options.out)
    yield from _summary(report)
    yield f"The page: {page}"


def _green_engine(options: argparse.Namespace) -> Engine | None:
    """Raises EngineError where reports may not be sent to its server."""
    if bool(options.green) != bool(options.green_model):
        raise ValueError("GREEN needs both: --green URL of the server and --green-model NAME of the judge.")
    if not options.green:
        return None
    named = os.environ.get("INFERENCE_ENDPOINTS", "").split(",")
    return load_engine(
        EndpointSettings(
            url=options.green,
            served_model=options.green_model,
            key=os.environ.get("INFERENCE_ENDPOINT_KEY", ""),
            origins=frozenset(origin.strip() for origin in named if origin.strip()),
        )
    )


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        num_draws=options.num_draws,
        num_shuffles=options.num_shuffles,
        seed=options.seed,
        with_weights=not options.weight_free,
        with_java=options.with_java,
        with_texts=not options.without_texts,
        with_films=options.with_films,
    )


def _references(options: argparse.Namespace) -> tuple[Sequence[Sample], tuple[str, ...] | None]:
    """And in what they are not the whole XrayBench, where they are meant to be."""
    columns = columns_named(options.column)
    path = Path(options.references)
    if options.references == HUB_NAME and not path.exists():
        samples = read_hub(revision=options.revision, columns=columns)
    elif path.is_dir():
        samples = read_folder(path, columns=columns)
    else:
        return read_references(path), None
    return samples, deviations(samples)


def _require_whole(system: System, samples: Sequence[Sample], *, missing_is_wrong: bool) -> None:
    lacking = [sample.uid for sample, one in zip(samples, system.own, strict=True) if one is None]
    if lacking and not missing_is_wrong:
        raise ValueError(
            f"{system.name} has no prediction for {counted(len(lacking), 'sample')} of {len(samples):,}, "
            f"{lacking[0]} first. Add them, or count them as wrong with --missing-is-wrong."
        )


def _summary(report: Report) -> Iterator[str]:
    for task in report.sizes:
        for name in HEADLINES[task]:
            for system in report.systems:
                one = report.figure(task, name, system)
                if one is not None:
                    label = MEASURES[task][name].label
                    yield f"{TASK_WORDS[task]}, {label}, {system}: {told(one.value, one.low, one.high)}"
    if report.deviations:
        yield f"This is not the whole published XrayBench: {len(report.deviations)} sizes differ."
