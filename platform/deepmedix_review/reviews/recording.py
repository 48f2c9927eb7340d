"""Writes each kind of change into the reading it belongs to, after checking that it belongs there."""

import math
import uuid
from typing import TypeVar, assert_never

from django.db.models import F, QuerySet

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reviews.changes import (
    AddActiveTime,
    AnnotateRegion,
    Box,
    CastVote,
    Change,
    RateAnswer,
    RateStep,
    SetWindow,
)
from deepmedix_review.reviews.models import AnswerRating, Reading, RegionAnnotation, StepRating, Vote
from deepmedix_review.studies.models import Instance

Part = TypeVar("Part", StepRating, RegionAnnotation, AnswerRating, Vote)


def record(reading: Reading, change: Change) -> None:
    """Raises RefusedByRule where the change names what the case does not hold, or says what can't be."""
    match change:
        case RateStep():
            _rate_step(reading, change)
        case AnnotateRegion():
            _annotate_region(reading, change)
        case RateAnswer():
            _rate_answer(reading, change)
        case CastVote():
            _cast_vote(reading, change)
        case SetWindow():
            _set_window(reading, change)
        case AddActiveTime():
            Reading.objects.filter(pk=reading.pk).update(active_seconds=F("active_seconds") + change.seconds)
        case _:
            assert_never(change)


def copy_all(*, source: Reading, target: Reading) -> None:
    """Give an amendment the ratings, annotations and vote of the reading that it amends."""
    _copy(StepRating.objects.filter(reading=source), target)
    _copy(RegionAnnotation.objects.filter(reading=source), target)
    _copy(AnswerRating.objects.filter(reading=source), target)
    _copy(Vote.objects.filter(reading=source), target)


def _copy(rows: QuerySet[Part], target: Reading) -> None:
    copies = list(rows)
    for row in copies:
        row.pk, row.uid, row.reading = None, uuid.uuid4(), target
    rows.model._default_manager.bulk_create(copies)


def _rate_step(reading: Reading, change: RateStep) -> None:
    if change.cannot_judge and change.plausibility is not None:
        raise RefusedByRule("A step is rated or marked as one you cannot judge, not both. Take one back.")
    step = (
        ReasoningStep.objects.filter(uid=change.step, completion__in=_completions(reading)).only("pk").first()
    )
    if step is None:
        raise _of_another_case("step")
    rating = StepRating(
        reading=reading,
        step=step,
        plausibility=change.plausibility,
        cannot_judge=change.cannot_judge,
        note=change.note,
    )
    StepRating.objects.bulk_create(
        [rating],
        update_conflicts=True,
        unique_fields=["reading", "step"],
        update_fields=["plausibility", "cannot_judge", "note"],
    )


def _annotate_region(reading: Reading, change: AnnotateRegion) -> None:
    region = (
        Region.objects.filter(uid=change.region, step__completion__in=_completions(reading))
        .only("pk")
        .first()
    )
    if region is None:
        raise _of_another_case("region")
    if change.verdict is None:
        RegionAnnotation.objects.filter(reading=reading, region=region).delete()
        return
    adjusted = change.verdict == RegionAnnotation.Verdict.ADJUSTED
    if adjusted != (change.box is not None):
        raise RefusedByRule("An adjusted region comes with its new box, any other verdict without one.")
    if change.box is not None:
        _require_inside(change.box, reading.completion_a.instance)
    x_min, y_min, x_max, y_max = change.box or (None, None, None, None)
    annotation = RegionAnnotation(
        reading=reading,
        region=region,
        verdict=change.verdict,
        x_min=x_min,
        y_min=y_min,
        x_max=x_max,
        y_max=y_max,
    )
    RegionAnnotation.objects.bulk_create(
        [annotation],
        update_conflicts=True,
        unique_fields=["reading", "region"],
        update_fields=["verdict", "x_min", "y_min", "x_max", "y_max"],
    )


def _rate_answer(reading: Reading, change: RateAnswer) -> None:
    completion = (
        Completion.objects.filter(uid=change.completion, pk__in=_completions(reading)).only("pk").first()
    )
    if completion is None:
        raise _of_another_case("answer")
    rating = AnswerRating(
        reading=reading,
        completion=completion,
        relevance=change.relevance,
        correctness=change.correctness,
        completeness=change.completeness,
    )
    AnswerRating.objects.bulk_create(
        [rating],
        update_conflicts=True,
        unique_fields=["reading", "completion"],
        update_fields=["relevance", "correctness", "completeness"],
    )


def _cast_vote(reading: Reading, change: CastVote) -> None:
    if reading.completion_b_id is None:
        raise RefusedByRule("This case shows one completion, so there is nothing to vote between.")
    if change.side is None:
        Vote.objects.filter(reading=reading).delete()
        return
    Vote.objects.bulk_create(
        [Vote(reading=reading, kind=Vote.Kind.OVERALL, side=change.side)],
        update_conflicts=True,
        unique_fields=["reading", "kind"],
        update_fields=["side"],
    )


def _set_window(reading: Reading, change: SetWindow) -> None:
    if not (math.isfinite(change.center) and math.isfinite(change.width) and change.width > 0):
        raise RefusedByRule("A window has a center and a width above 0. Reset the window.")
    Reading.objects.filter(pk=reading.pk).update(
        window_center=change.center, window_width=change.width, inverted=change.inverted
    )


def _require_inside(box: Box, film: Instance) -> None:
    """Film pixels, edges: the film spans 0 to columns and 0 to rows."""
    x_min, y_min, x_max, y_max = box
    if not all(math.isfinite(edge) for edge in box) or x_min >= x_max or y_min >= y_max:
        raise RefusedByRule("The redrawn region has no area. Draw it again from corner to corner.")
    if x_min < 0 or y_min < 0 or x_max > film.columns or y_max > film.rows:
        raise RefusedByRule(
            f"The redrawn region leaves the film ({film.columns} x {film.rows} pixels). Draw it inside."
        )


def _completions(reading: Reading) -> list[int]:
    return [pk for pk in (reading.completion_a_id, reading.completion_b_id) if pk is not None]


def _of_another_case(noun: str) -> RefusedByRule:
    return RefusedByRule(f"That {noun} is not part of this case, so nothing was saved. Reload the page.")
