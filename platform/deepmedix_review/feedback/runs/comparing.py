"""Two to four training runs side by side: curves over each other, what differs between them, and the gate."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.gating.compared import latest_decision
from deepmedix_review.feedback.models import GateDecision, TrainingRun
from deepmedix_review.feedback.runs.curves import (
    SHOWN_FIGURES,
    FigureName,
    Scale,
    Series,
    StageMark,
    series_of,
)
from deepmedix_review.feedback.runs.samples import sample_series
from deepmedix_review.feedback.said_settings import said_setting
from deepmedix_review.feedback.selectors import metrics_of
from deepmedix_review.feedback.stage_words import LABELS, short_names_of
from rl_feedback.training.recipe import Recipe

LEAST, MOST = 2, 4
# Of a setting that one run has and another has not.
NO_STAGE = "not set there"
# Told apart by dash where colours are not seen.
LOOKS = (("#6cb6ff", ""), ("#e69f00", "7 4"), ("#3fb984", "2 3"), ("#ef7a73", "9 3 2 3"))


@dataclass(frozen=True)
class ComparedRun:
    run: TrainingRun
    colour: str
    dash: str
    decision: GateDecision | None


@dataclass(frozen=True)
class OverlaidLine:
    colour: str
    dash: str
    points: str
    last: float


@dataclass(frozen=True)
class OverlaidCurve:
    """One figure of all runs on one scale; a run that does not tell it has no line."""

    name: FigureName
    scale: Scale
    lines: tuple[OverlaidLine, ...]
    marks: tuple[StageMark, ...]
    lasts: tuple[float | None, ...]


@dataclass(frozen=True)
class Row:
    """A name and what each run has of it, in the order of the runs."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """`one_sided` are settings of stages that not all of the runs have."""

    runs: tuple[ComparedRun, ...]
    curves: tuple[OverlaidCurve, ...]
    differences: tuple[Row, ...]
    one_sided: tuple[Row, ...]
    figures: tuple[Row, ...]


def training_runs(user: User) -> QuerySet[TrainingRun]:
    """All of them, with what a list shows."""
    require(user, Capability.VIEW_MODELS)
    runs = TrainingRun.objects.select_related("dataset", "parent_version", "candidate")
    return runs.prefetch_related("candidate__gate_decisions")


def compare_runs(user: User, uids: Sequence[UUID]) -> Comparison:
    """In the order in which they were requested. Raises RefusedByRule for fewer than 2 and more than 4."""
    runs = list(training_runs(user).filter(uid__in=uids).order_by("pk")[: MOST + 1])
    if not LEAST <= len(runs) <= MOST:
        raise RefusedByRule(f"{LEAST} to {MOST} runs can be compared. Tick as many in the list of runs.")
    compared = tuple(
        ComparedRun(run, colour, dash, latest_decision(run.candidate) if run.candidate else None)
        for run, (colour, dash) in zip(runs, LOOKS, strict=False)
    )
    series = [series_of(metrics_of(run), recipe=run.recipe, sampled=sample_series(run)) for run in runs]
    differences = _differences(runs)
    return Comparison(
        compared,
        _overlaid(series),
        tuple(row for row in differences if NO_STAGE not in row.cells),
        tuple(row for row in differences if NO_STAGE in row.cells),
        _figures(compared),
    )


def _overlaid(series: Sequence[Series]) -> tuple[OverlaidCurve, ...]:
    curves = []
    for key, name in SHOWN_FIGURES.items():
        told = [one.get(key, ()) for one in series]
        if not any(told):
            continue
        scale = Scale.over([point for points in told for point in points])
        lines = tuple(
            OverlaidLine(colour, dash, scale.line(points), points[-1].value)
            for points, (colour, dash) in zip(told, LOOKS, strict=False)
            if points
        )
        begins = {
            (after.step, after.stage)
            for points in told
            for before, after in itertools.pairwise(points)
            if before.stage != after.stage
        }
        marks = tuple(StageMark(scale.x(step), stage + 1) for step, stage in sorted(begins))
        lasts = tuple(points[-1].value if points else None for points in told)
        curves.append(OverlaidCurve(name, scale, lines, marks, lasts))
    return tuple(curves)


def _differences(runs: Sequence[TrainingRun]) -> tuple[Row, ...]:
    """What is not the same in all of them."""
    found = [_config(run) for run in runs]
    names = list(dict.fromkeys(name for one in found for name in one))
    rows = (
        Row(name, tuple(one.get(name, NO_STAGE if ": " in name else "") for one in found)) for name in names
    )
    return tuple(row for row in rows if len(set(row.cells)) > 1)


def _config(run: TrainingRun) -> Mapping[str, str]:
    """By the names that a page shows."""
    config = {
        "Data set": run.dataset.title,
        "Data set, sha256": run.dataset.sha256[:12],
        "From": str(run.parent_version),
    }
    stages = Recipe.from_json(run.recipe).stages
    config["Stages"] = short_names_of(stages)
    counted: Counter[str] = Counter()
    for stage in stages:
        # A stage stands beside its like, whatever its place in either run.
        kind = short_names_of([stage])
        counted[kind] += 1
        place = kind if counted[kind] == 1 else f"{kind} ({counted[kind]})"
        said = stage.as_json()
        for name, label in LABELS.items():
            if name in said:
                config[f"{place}: {label}"] = said_setting(name, said[name])
    about = run.about
    if about:
        environment = about["environment"]
        config["Examples, sha256"] = about["data"][:12]
        config["Device"] = ", ".join(environment.get("devices", ()))
        config["Commit"] = environment.get("commit", "")[:12]
        config["Python"] = environment.get("python", "")
        config |= {name: str(version) for name, version in environment.get("libraries", {}).items()}
    return config


def _figures(runs: Sequence[ComparedRun]) -> tuple[Row, ...]:
    """Each figure of the gate: the candidate's, and its difference from the parent with the 95 % interval."""
    found = [
        {
            f"{row['benchmark']}: {row['label']}": _figure(row)
            for row in (one.decision.comparisons if one.decision else ())
        }
        for one in runs
    ]
    names = list(dict.fromkeys(name for one in found for name in one))
    return tuple(Row(name, tuple(one.get(name, "") for one in found)) for name in names)


def _figure(row: Mapping[str, Any]) -> str:
    return f"{row['candidate']:.3f} ({row['difference']:+.3f}, {row['low']:+.3f} to {row['high']:+.3f})"
