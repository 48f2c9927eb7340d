"""What a reader said of a case, as pages show it: ratings, verdicts, votes, findings and own regions."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from deepmedix_review.reviews.models import (
    AnswerRating,
    CriterionRating,
    MissedFinding,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.reading.first_read_view import DrawnRegionView, drawn_regions

View = TypeVar("View")


@dataclass(frozen=True)
class StepRatingView:
    step: uuid.UUID
    plausibility: int | None
    cannot_judge: bool
    note: str
    edited_text: str


@dataclass(frozen=True)
class RegionAnnotationView:
    region: uuid.UUID
    verdict: str
    x_min: float | None
    y_min: float | None
    x_max: float | None
    y_max: float | None


@dataclass(frozen=True)
class AnswerRatingView:
    completion: uuid.UUID
    relevance: int | None
    correctness: int | None
    completeness: int | None
    harm: str
    rewrite: str


@dataclass(frozen=True)
class VoteView:
    kind: str
    side: str


@dataclass(frozen=True)
class MissedFindingView:
    uid: uuid.UUID
    completion: uuid.UUID
    text: str


@dataclass(frozen=True)
class CriterionRatingView:
    criterion: uuid.UUID
    completion: uuid.UUID | None
    step: uuid.UUID | None
    region: uuid.UUID | None
    value: Any


@dataclass(frozen=True)
class Said:
    """All that one reading says."""

    step_ratings: tuple[StepRatingView, ...]
    region_annotations: tuple[RegionAnnotationView, ...]
    answer_ratings: tuple[AnswerRatingView, ...]
    votes: tuple[VoteView, ...]
    missed_findings: tuple[MissedFindingView, ...]
    drawn_regions: tuple[DrawnRegionView, ...]
    criterion_ratings: tuple[CriterionRatingView, ...]


def all_said(readings: Collection[Reading]) -> Mapping[int, Said]:
    """By reading; seven queries, however many readings."""
    steps = _rows(
        StepRating,
        StepRatingView,
        readings,
        "step__uid",
        "plausibility",
        "cannot_judge",
        "note",
        "edited_text",
    )
    regions = _rows(
        *(RegionAnnotation, RegionAnnotationView, readings, "region__uid", "verdict"),
        *("x_min", "y_min", "x_max", "y_max"),
    )
    answers = _rows(
        *(AnswerRating, AnswerRatingView, readings, "completion__uid"),
        *("relevance", "correctness", "completeness", "harm", "rewrite"),
    )
    votes = _rows(Vote, VoteView, readings, "kind", "side")
    findings = _rows(MissedFinding, MissedFindingView, readings, "uid", "completion__uid", "text")
    criteria = _rows(
        *(CriterionRating, CriterionRatingView, readings, "criterion__uid"),
        *("completion__uid", "step__uid", "region__uid", "value"),
    )
    drawn = drawn_regions(readings)
    return {
        reading.pk: Said(
            step_ratings=tuple(steps[reading.pk]),
            region_annotations=tuple(regions[reading.pk]),
            answer_ratings=tuple(answers[reading.pk]),
            votes=tuple(votes[reading.pk]),
            missed_findings=tuple(findings[reading.pk]),
            drawn_regions=drawn.get(reading.pk, ()),
            criterion_ratings=tuple(criteria[reading.pk]),
        )
        for reading in readings
    }


def _rows(
    model: Any, view: Callable[..., View], readings: Collection[Reading], *fields: str
) -> Mapping[int, Sequence[View]]:
    rows: dict[int, list[View]] = defaultdict(list)
    found = model.objects.filter(reading__in=readings).order_by("pk")
    for reading, *values in found.values_list("reading_id", *fields):
        rows[reading].append(view(*values))
    return rows
