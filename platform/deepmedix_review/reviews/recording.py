"""Writes each kind of change into the reading it belongs to, after checking that it belongs there."""

import math
from typing import assert_never

from django.db.models import F

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reviews.belonging import of_another_case, require_inside, shown_completions
from deepmedix_review.reviews.changes import (
    AddActiveTime,
    AddFinding,
    AnnotateRegion,
    CastVote,
    Change,
    DrawRegion,
    RateAnswer,
    RateCriterion,
    RateStep,
    SayFirstRead,
    SetWindow,
)
from deepmedix_review.reviews.models import AnswerRating, Reading, RegionAnnotation, StepRating, Vote
from deepmedix_review.reviews.recording_own import add_finding, draw_region, rate_criterion, say_first_read


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
        case DrawRegion():
            draw_region(reading, change)
        case AddFinding():
            add_finding(reading, change)
        case RateCriterion():
            rate_criterion(reading, change)
        case SayFirstRead():
            say_first_read(reading, change)
        case SetWindow():
            _set_window(reading, change)
        case AddActiveTime():
            Reading.objects.filter(pk=reading.pk).update(active_seconds=F("active_seconds") + change.seconds)
        case _:
            assert_never(change)


def _rate_step(reading: Reading, change: RateStep) -> None:
    if change.cannot_judge and change.plausibility is not None:
        raise RefusedByRule("A step is rated or marked as one you cannot judge, not both. Take one back.")
    step = (
        ReasoningStep.objects.filter(uid=change.step, completion__in=shown_completions(reading))
        .only("pk")
        .first()
    )
    if step is None:
        raise of_another_case("step")
    rating = StepRating(
        reading=reading,
        step=step,
        plausibility=change.plausibility,
        cannot_judge=change.cannot_judge,
        note=change.note,
        edited_text=change.edited_text,
    )
    StepRating.objects.bulk_create(
        [rating],
        update_conflicts=True,
        unique_fields=["reading", "step"],
        update_fields=["plausibility", "cannot_judge", "note", "edited_text"],
    )


def _annotate_region(reading: Reading, change: AnnotateRegion) -> None:
    region = (
        Region.objects.filter(uid=change.region, step__completion__in=shown_completions(reading))
        .only("pk")
        .first()
    )
    if region is None:
        raise of_another_case("region")
    if change.verdict is None:
        RegionAnnotation.objects.filter(reading=reading, region=region).delete()
        return
    adjusted = change.verdict == RegionAnnotation.Verdict.ADJUSTED
    if adjusted != (change.box is not None):
        raise RefusedByRule("An adjusted region comes with its new box, any other verdict without one.")
    if change.box is not None:
        require_inside(change.box, reading.completion_a.instance)
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
        Completion.with_altered.filter(uid=change.completion, pk__in=shown_completions(reading))
        .only("pk")
        .first()
    )
    if completion is None:
        raise of_another_case("answer")
    rating = AnswerRating(
        reading=reading,
        completion=completion,
        relevance=change.relevance,
        correctness=change.correctness,
        completeness=change.completeness,
        harm=change.harm,
        rewrite=change.rewrite,
    )
    AnswerRating.objects.bulk_create(
        [rating],
        update_conflicts=True,
        unique_fields=["reading", "completion"],
        update_fields=["relevance", "correctness", "completeness", "harm", "rewrite"],
    )


def _cast_vote(reading: Reading, change: CastVote) -> None:
    if reading.completion_b_id is None:
        raise RefusedByRule("This case shows one completion, so there is nothing to vote between.")
    if change.side is None:
        Vote.objects.filter(reading=reading, kind=change.kind).delete()
        return
    Vote.objects.bulk_create(
        [Vote(reading=reading, kind=change.kind, side=change.side)],
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
