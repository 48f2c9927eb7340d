"""Writes each kind of change into the reading it belongs to, after checking that it belongs there."""

import math
import uuid
from collections.abc import Sequence
from typing import Any, assert_never

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.prepared import prepared_cursor
from deepmedix_review.reasoning.models import Region
from deepmedix_review.reviews.models import Reading, RegionAnnotation, Vote
from deepmedix_review.reviews.reading.active_time import count_active_time
from deepmedix_review.reviews.reading.belonging import of_another_case, require_inside, shown_completions
from deepmedix_review.reviews.reading.changes import (
    AddActiveTime,
    AddFinding,
    AnnotateRegion,
    CastVote,
    Change,
    DrawRegion,
    MeasureLines,
    RateAnswer,
    RateCriterion,
    RateStep,
    SayFirstRead,
    SetWindow,
)
from deepmedix_review.reviews.reading.recording_own import (
    add_finding,
    draw_region,
    rate_criterion,
    say_first_read,
)

# SQL, since they run at every click: what is rated is looked up among the case's own as the rating is kept.
RATE_STEP = """
INSERT INTO reviews_steprating
    (uid, created_at, reading_id, step_id, plausibility, cannot_judge, note, edited_text)
SELECT gen_random_uuid(), now(), %s, id, %s::smallint, %s, %s, %s FROM reasoning_reasoningstep
WHERE completion_id = ANY(%s::bigint[]) AND uid = %s
ON CONFLICT (reading_id, step_id) DO UPDATE SET plausibility = excluded.plausibility,
    cannot_judge = excluded.cannot_judge, note = excluded.note, edited_text = excluded.edited_text
"""
RATE_ANSWER = """
INSERT INTO reviews_answerrating
    (uid, created_at, reading_id, completion_id, relevance, correctness, completeness, harm, rewrite)
SELECT gen_random_uuid(), now(), %s, id, %s::smallint, %s::smallint, %s::smallint, %s, %s
FROM reasoning_completion WHERE id = ANY(%s::bigint[]) AND uid = %s
ON CONFLICT (reading_id, completion_id) DO UPDATE SET relevance = excluded.relevance,
    correctness = excluded.correctness, completeness = excluded.completeness, harm = excluded.harm,
    rewrite = excluded.rewrite
"""


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
        case MeasureLines():
            _measure_lines(reading, change)
        case AddActiveTime():
            count_active_time(reading, change)
        case _:
            assert_never(change)


def _rate_step(reading: Reading, change: RateStep) -> None:
    if change.cannot_judge and change.plausibility is not None:
        raise RefusedByRule("A step is rated or marked as one you cannot judge, not both. Take one back.")
    values = [change.plausibility, change.cannot_judge, change.note, change.edited_text]
    if not _write(RATE_STEP, reading, change.step, values):
        raise of_another_case("step")


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
    points = [change.relevance, change.correctness, change.completeness]
    if not _write(RATE_ANSWER, reading, change.completion, [*points, change.harm, change.rewrite]):
        raise of_another_case("answer")


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
    look = change.look
    Reading.objects.filter(pk=reading.pk).update(
        window_center=change.center,
        window_width=change.width,
        inverted=change.inverted,
        look_index=look.index if look else None,
        look_name=look.name if look else "",
        look_curve=look.curve if look else "",
    )


def _measure_lines(reading: Reading, change: MeasureLines) -> None:
    film = reading.completion_a.instance
    ends = [end for line in change.lines for end in (line[:2], line[2:])]
    if not all(0 <= x <= film.columns and 0 <= y <= film.rows for x, y in ends):
        raise RefusedByRule(
            f"A measured line leaves the film ({film.columns} x {film.rows} pixels). Measure on the film."
        )
    Reading.objects.filter(pk=reading.pk).update(measured_lines=change.lines)


def _write(statement: str, reading: Reading, uid: uuid.UUID, values: Sequence[Any]) -> bool:
    """Whether the case holds what is rated."""
    with prepared_cursor() as cursor:
        cursor.execute(statement, [reading.pk, *values, shown_completions(reading), uid])
        num_written: int = cursor.rowcount
        return num_written == 1
