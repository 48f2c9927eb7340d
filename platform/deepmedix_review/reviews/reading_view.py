"""What the reading page shows of one case: the film, what was said of it, and what the reader said so far.

Blinded: no model, version, temperature or seed is among it.
"""

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from deepmedix_review.reasoning.models import ReasoningStep, Region
from deepmedix_review.reviews.completeness import ANSWER_CRITERIA, find_missing
from deepmedix_review.reviews.conflicts import LatestChange, latest_changes
from deepmedix_review.reviews.models import Reading, Vote
from deepmedix_review.reviews.selectors import next_reading, num_cases_of
from deepmedix_review.studies.models import Instance


@dataclass(frozen=True)
class FilmView:
    """Sizes in pixels; spacing in mm per pixel, None where unknown."""

    uid: uuid.UUID
    sop_instance_uid: str
    film_url: str
    rows: int
    columns: int
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    bits_stored: int
    view_position: str
    modality: str


@dataclass(frozen=True)
class RegionView:
    """Film pixels, edges; `problem` is empty, outside_image, no_area, inverted or whole_image."""

    uid: uuid.UUID
    position: int
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    problem: str


@dataclass(frozen=True)
class StepView:
    uid: uuid.UUID
    position: int
    text: str
    regions: tuple[RegionView, ...]


@dataclass(frozen=True)
class CompletionView:
    """`problems` names what the parser could not read; then `text` is shown as it is."""

    side: str
    uid: uuid.UUID
    answer: str
    text: str
    problems: tuple[str, ...]
    steps: tuple[StepView, ...]


@dataclass(frozen=True)
class StepRatingView:
    step: uuid.UUID
    plausibility: int | None
    cannot_judge: bool
    note: str


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


@dataclass(frozen=True)
class WindowView:
    center: float
    width: float
    inverted: bool


@dataclass(frozen=True)
class ReadingView:
    uid: uuid.UUID
    reader_study: str
    case_label: str
    position: int
    num_cases: int
    question: str
    instance: FilmView
    completions: tuple[CompletionView, ...]
    step_ratings: tuple[StepRatingView, ...]
    region_annotations: tuple[RegionAnnotationView, ...]
    answer_ratings: tuple[AnswerRatingView, ...]
    vote: str | None
    window: WindowView | None
    active_seconds: int
    missing: tuple[str, ...]
    amendment_reason: str
    signed_at: datetime | None
    saved_at: datetime | None
    latest_changes: tuple[LatestChange, ...]
    next: str | None


def show_reading(reading: Reading) -> ReadingView:
    """Everything the page needs, in a constant number of queries. `reading` comes from `reading_for`."""
    case = reading.assignment.case
    after = next_reading(reading)
    overall = reading.vote_on(Vote.Kind.OVERALL)
    last_change = reading.changes.order_by("-received_at").values_list("received_at", flat=True).first()
    return ReadingView(
        uid=reading.uid,
        reader_study=case.reader_study.title,
        case_label=case.study.label,
        position=reading.assignment.position,
        num_cases=num_cases_of(reading.assignment),
        question=reading.completion_a.query,
        instance=_film(reading.completion_a.instance),
        completions=_completions(reading),
        step_ratings=tuple(
            StepRatingView(*row)
            for row in reading.step_ratings.values_list("step__uid", "plausibility", "cannot_judge", "note")
        ),
        region_annotations=tuple(
            RegionAnnotationView(*row)
            for row in reading.region_annotations.values_list(
                "region__uid", "verdict", "x_min", "y_min", "x_max", "y_max"
            )
        ),
        answer_ratings=tuple(
            AnswerRatingView(*row)
            for row in reading.answer_ratings.values_list("completion__uid", *ANSWER_CRITERIA)
        ),
        vote=overall.side if overall else None,
        window=_window(reading),
        active_seconds=reading.active_seconds,
        missing=find_missing(reading).sentences,
        amendment_reason=reading.amendment_reason,
        signed_at=reading.signed_at,
        saved_at=last_change,
        latest_changes=latest_changes(reading),
        next=reverse("reading", args=[after.uid]) if after else None,
    )


def _film(instance: Instance) -> FilmView:
    return FilmView(
        uid=instance.uid,
        sop_instance_uid=instance.sop_instance_uid,
        film_url=reverse("film", args=[instance.uid]),
        rows=instance.rows,
        columns=instance.columns,
        row_spacing_mm=instance.row_spacing_mm,
        column_spacing_mm=instance.column_spacing_mm,
        bits_stored=instance.bits_stored,
        view_position=instance.view_position,
        modality=instance.series.modality,
    )


def _completions(reading: Reading) -> tuple[CompletionView, ...]:
    shown = [completion for completion in (reading.completion_a, reading.completion_b) if completion]
    steps: dict[int, list[StepView]] = defaultdict(list)
    rows = ReasoningStep.objects.filter(completion__in=shown).prefetch_related("regions")
    for step in rows.order_by("completion", "position"):
        regions = tuple(_region(region) for region in step.regions.all())
        steps[step.completion_id].append(StepView(step.uid, step.position, step.text, regions))
    return tuple(
        CompletionView(
            side=side,
            uid=completion.uid,
            answer=completion.answer,
            text=completion.text,
            problems=tuple(completion.problems),
            steps=tuple(steps[completion.pk]),
        )
        for side, completion in zip("ab", shown, strict=False)
    )


def _region(region: Region) -> RegionView:
    return RegionView(
        region.uid,
        region.position,
        region.x_min,
        region.y_min,
        region.x_max,
        region.y_max,
        region.problem,
    )


def _window(reading: Reading) -> WindowView | None:
    if reading.window_center is None or reading.window_width is None:
        return None
    return WindowView(reading.window_center, reading.window_width, reading.inverted)
