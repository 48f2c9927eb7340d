"""Every change is kept at once and once, and nothing is kept for what the case does not hold."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reasoning.models import ReasoningStep, Region
from deepmedix_review.reviews.models import (
    AnswerRating,
    Reading,
    ReadingChange,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.reading.changes import (
    AddActiveTime,
    AnnotateRegion,
    CastVote,
    Look,
    MeasureLines,
    RateAnswer,
    RateStep,
    SetWindow,
)
from deepmedix_review.reviews.services import amend_reading, apply_change, open_reading, sign_reading
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reviews import (
    a_signed_reading,
    an_open_reading,
    change,
    complete,
    opened_an_hour_ago,
    reader_of,
    reader_study,
    sign,
)

pytestmark = pytest.mark.django_db

Verdict = RegionAnnotation.Verdict


def first_step(reading: Reading) -> ReasoningStep:
    return ReasoningStep.objects.filter(completion=reading.completion_a).earliest("position")


def first_region(reading: Reading) -> Region:
    return Region.objects.filter(step=first_step(reading)).earliest("position")


def test_a_step_is_rated_and_rated_again() -> None:
    reading = an_open_reading()
    step = first_step(reading)
    change(reading, RateStep(step.uid, 2, False, ""))
    change(reading, RateStep(step.uid, None, True, "motion"))
    rating = StepRating.objects.get(reading=reading)
    assert (rating.plausibility, rating.cannot_judge, rating.note) == (None, True, "motion")


def test_a_step_is_not_both_rated_and_beyond_judgement() -> None:
    reading = an_open_reading()
    with pytest.raises(RefusedByRule, match="not both"):
        change(reading, RateStep(first_step(reading).uid, 3, True, ""))


def test_a_region_is_redrawn_then_found_wrong_then_cleared() -> None:
    reading = an_open_reading()
    region = first_region(reading)
    change(reading, AnnotateRegion(region.uid, Verdict.ADJUSTED, (0, 0, 480, 640)))
    annotation = RegionAnnotation.objects.get(reading=reading)
    assert (annotation.x_min, annotation.y_min, annotation.x_max, annotation.y_max) == (0, 0, 480, 640)
    change(reading, AnnotateRegion(region.uid, Verdict.WRONG, None))
    annotation.refresh_from_db()
    assert (annotation.verdict, annotation.x_max) == ("wrong", None)
    change(reading, AnnotateRegion(region.uid, None, None))
    assert not RegionAnnotation.objects.filter(reading=reading).exists()


@pytest.mark.parametrize(
    ("box", "sentence"),
    [
        ((10, 10, 10, 20), "no area"),
        ((20, 10, 10, 20), "no area"),
        ((float("nan"), 10, 20, 20), "no area"),
        ((0, 0, float("inf"), 20), "no area"),
        ((-1, 0, 20, 20), "leaves the film"),
        ((0, 0, 20, 640.5), "leaves the film"),
        ((0, 0, 481, 20), "leaves the film"),
    ],
)
def test_a_redrawn_region_has_an_area_within_the_film(box: Any, sentence: str) -> None:
    reading = an_open_reading()
    with pytest.raises(RefusedByRule, match=sentence):
        change(reading, AnnotateRegion(first_region(reading).uid, Verdict.ADJUSTED, box))


@pytest.mark.parametrize(("verdict", "box"), [(Verdict.ADJUSTED, None), (Verdict.FITS, (1, 1, 2, 2))])
def test_the_new_box_belongs_to_adjusted_alone(verdict: RegionAnnotation.Verdict, box: Any) -> None:
    reading = an_open_reading()
    with pytest.raises(RefusedByRule, match="comes with its new box"):
        change(reading, AnnotateRegion(first_region(reading).uid, verdict, box))


def test_answers_votes_windows_and_time_are_kept() -> None:
    reading = opened_an_hour_ago(an_open_reading())
    assert reading.completion_b is not None
    change(reading, RateAnswer(reading.completion_b.uid, 1, 2, None))
    change(reading, CastVote(Vote.Side.TIE))
    change(reading, SetWindow(center=2048.0, width=900.5, inverted=True))
    change(reading, AddActiveTime(20))
    change(reading, AddActiveTime(5))
    reading.refresh_from_db()
    rating = AnswerRating.objects.get(reading=reading)
    assert (rating.relevance, rating.correctness, rating.completeness) == (1, 2, None)
    assert (reading.window_center, reading.window_width, reading.inverted) == (2048.0, 900.5, True)
    assert (Vote.objects.get(reading=reading).side, reading.active_seconds) == ("tie", 25)
    change(reading, CastVote(None))
    assert not Vote.objects.filter(reading=reading).exists()


def test_the_films_look_is_kept_with_its_window_and_an_amendment_begins_with_it() -> None:
    reading = an_open_reading()
    harder = Look(2, "HARDER", Reading.Curve.TABLE)
    change(reading, SetWindow(2048.0, 900.0, False, Look(1, "Window 2", Reading.Curve.SIGMOID)))
    change(reading, SetWindow(128.0, 200.0, True, harder))
    change(reading, MeasureLines(((10.0, 20.0, 30.5, 20.0),)))

    def kept(of: Reading) -> tuple[Any, ...]:
        of.refresh_from_db()
        return of.window_center, of.inverted, of.look_index, of.look_name, of.look_curve

    assert kept(reading) == (128.0, True, 2, "HARDER", "table")
    complete(reading)
    amendment = amend_reading(reading=sign(reading), reader=reader_of(reading), reason="second thoughts")
    assert kept(amendment) == (128.0, True, 2, "HARDER", "table")
    assert amendment.measured_lines == [[10.0, 20.0, 30.5, 20.0]]
    change(amendment, SetWindow(2048.0, 900.0, False))
    assert kept(amendment) == (2048.0, False, None, "", "")
    sent = [
        made.payload["look"] for made in reading.changes.filter(kind="set_window").order_by("received_at")
    ]
    assert [look["name"] for look in sent] == ["Window 2", "HARDER"]


def test_one_completion_leaves_nothing_to_vote_between() -> None:
    with pytest.raises(RefusedByRule, match="nothing to vote"):
        change(an_open_reading(num_completions=1), CastVote(Vote.Side.A))


@pytest.mark.parametrize("width", [0.0, -5.0, float("nan"), float("inf")])
def test_a_window_without_width_is_refused(width: float) -> None:
    with pytest.raises(RefusedByRule, match="width above 0"):
        change(an_open_reading(), SetWindow(100.0, width, False))


@pytest.mark.parametrize("line", [(-1.0, 0.0, 5.0, 5.0), (0.0, 0.0, 5.0, 1e9), (0.0, 0.0, float("nan"), 5.0)])
def test_a_line_beside_the_film_is_refused(line: tuple[float, float, float, float]) -> None:
    with pytest.raises(RefusedByRule, match="leaves the film"):
        change(an_open_reading(), MeasureLines(((1.0, 1.0, 2.0, 2.0), line)))


def test_what_belongs_to_another_case_is_refused_by_name() -> None:
    reading, other = an_open_reading(), an_open_reading()
    with pytest.raises(RefusedByRule, match="step is not part of this case"):
        change(reading, RateStep(first_step(other).uid, 3, False, ""))
    with pytest.raises(RefusedByRule, match="region is not part of this case"):
        change(reading, AnnotateRegion(first_region(other).uid, Verdict.FITS, None))
    with pytest.raises(RefusedByRule, match="answer is not part of this case"):
        change(reading, RateAnswer(other.completion_a.uid, 3, 3, 3))
    assert not ReadingChange.objects.exists()


def test_a_repeated_change_gets_the_first_answer_and_changes_nothing() -> None:
    reading = an_open_reading()
    step, change_id = first_step(reading), uuid.uuid4()

    def send(plausibility: int) -> Any:
        return apply_change(
            reading_uid=reading.uid,
            reader=reader_of(reading),
            change_id=change_id,
            sop_instance_uid=reading.completion_a.instance.sop_instance_uid,
            change=RateStep(step.uid, plausibility, False, ""),
        )

    first = send(5)
    num_events = AuditEvent.objects.count()
    assert send(1) == first
    assert StepRating.objects.get(reading=reading).plausibility == 5
    assert ReadingChange.objects.count() == 1
    assert AuditEvent.objects.count() == num_events


def test_a_change_repeated_after_the_signature_still_gets_its_answer() -> None:
    reading = an_open_reading(num_completions=1)
    change_id = uuid.uuid4()
    vote = RateAnswer(reading.completion_a.uid, 1, 1, 1)
    first = change(reading, vote, change_id=change_id)
    complete(reading)
    sign(reading)
    assert change(reading, vote, change_id=change_id) == first


def test_nothing_is_kept_for_a_film_that_was_not_on_the_screen() -> None:
    reading, other = an_open_reading(), an_open_reading()
    with pytest.raises(RefusedByRule, match="not the film of this case"):
        apply_change(
            reading_uid=reading.uid,
            reader=reader_of(reading),
            change_id=uuid.uuid4(),
            sop_instance_uid=other.completion_a.instance.sop_instance_uid,
            change=CastVote(Vote.Side.A),
        )
    assert not Vote.objects.exists()


def test_a_reader_changes_their_own_readings_alone() -> None:
    reading = an_open_reading()
    for stranger in (ExpertFactory.create(), AdminFactory.create()):
        with pytest.raises(NotYours):
            apply_change(
                reading_uid=reading.uid,
                reader=stranger,
                change_id=uuid.uuid4(),
                sop_instance_uid=reading.completion_a.instance.sop_instance_uid,
                change=CastVote(Vote.Side.A),
            )


def test_every_change_is_in_the_audit_record_without_its_words() -> None:
    reading = an_open_reading()
    change(reading, RateStep(first_step(reading).uid, 2, False, "Mrs. Miller's film"))
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.subject_uid, event.actor) == (
        "rate_step",
        str(reading.uid),
        reader_of(reading),
    )
    assert "Miller" not in str(event.details)


def test_a_reading_is_signed_once_complete_and_leads_to_the_next_case() -> None:
    reader = ExpertFactory.create()
    study = reader_study(num_cases=2, readers=[reader])
    first, second = Reading.objects.filter(assignment__case__reader_study=study).order_by("assignment")
    complete(first)
    change_id = uuid.uuid4()

    def send() -> Any:
        return sign_reading(
            reading_uid=first.uid,
            reader=reader,
            change_id=change_id,
            sop_instance_uid=first.completion_a.instance.sop_instance_uid,
        )

    signed = send()
    assert signed.next_reading == second.uid
    assert send() == signed
    complete(second)
    assert sign(second).signed_at is not None


def test_an_incomplete_reading_is_refused_by_the_names_of_what_is_missing() -> None:
    reading = an_open_reading()
    complete(reading)
    step = ReasoningStep.objects.get(completion=reading.completion_b, position=2)
    change(reading, RateStep(first_step(reading).uid, None, False, "later"))
    change(reading, RateStep(step.uid, None, False, ""))
    with pytest.raises(RefusedByRule, match=r"^2 steps have no rating yet: A 1 and B 2\.$"):
        sign(reading)


def test_a_signed_reading_takes_no_change() -> None:
    reading = a_signed_reading()
    with pytest.raises(RefusedByRule, match="signed and locked"):
        change(reading, CastVote(Vote.Side.B))
    with pytest.raises(RefusedByRule, match="signed and locked"):
        sign(reading)


def test_the_database_itself_refuses_to_touch_what_was_signed() -> None:
    reading = a_signed_reading()
    other = an_open_reading()
    attempts = [
        lambda: Reading.objects.filter(pk=reading.pk).update(signed_at=None),
        lambda: Reading.objects.filter(pk=reading.pk).update(active_seconds=1),
        lambda: StepRating.objects.filter(reading=reading).update(plausibility=1),
        lambda: StepRating.objects.filter(reading=reading).update(reading=other),
        lambda: StepRating.objects.filter(reading=reading).delete(),
        lambda: RegionAnnotation.objects.filter(reading=reading).delete(),
        lambda: AnswerRating.objects.filter(reading=reading).update(relevance=None),
        lambda: Vote.objects.filter(reading=reading).update(side="b"),
        lambda: Vote.objects.filter(reading=reading).delete(),
        lambda: ReadingChange.objects.filter(reading=reading).delete(),
        lambda: StepRating.objects.create(reading=reading, step=first_step(other), plausibility=1),
    ]
    for attempt in attempts:
        with pytest.raises(IntegrityError, match="signed and locked"), transaction.atomic():
            attempt()


def test_an_amendment_starts_as_a_copy_names_the_signed_reading_and_replaces_its_word() -> None:
    from deepmedix_review.reviews.selectors import signed_readings

    signed = a_signed_reading(side=Vote.Side.A)
    reader = reader_of(signed)
    amendment = amend_reading(reading=signed, reader=reader, reason="I mixed up the sides")
    assert (amendment.amends, amendment.completion_a) == (signed, signed.completion_a)
    assert list(signed_readings()) == [signed]
    change(amendment, CastVote(Vote.Side.B))
    sign(amendment)
    assert list(signed_readings()) == [amendment]
    assert (Vote.objects.get(reading=signed).side, Vote.objects.get(reading=amendment).side) == ("a", "b")
    assert (
        StepRating.objects.filter(reading=signed).count()
        == StepRating.objects.filter(reading=amendment).count()
    )


def test_an_amendment_needs_a_signed_reading_its_reader_and_a_reason() -> None:
    reading, signed = an_open_reading(), a_signed_reading()
    refusals: list[tuple[Reading, User, str, str]] = [
        (reading, reader_of(reading), "why", "still open"),
        (signed, reader_of(signed), "  ", "Write a reason"),
        (signed, ExpertFactory.create(), "why", "another reader"),
    ]
    for subject, reader, reason, sentence in refusals:
        with pytest.raises(RefusedByRule, match=sentence):
            amend_reading(reading=subject, reader=reader, reason=reason)
    amend_reading(reading=signed, reader=reader_of(signed), reason="why")
    with pytest.raises(RefusedByRule, match="amended already"):
        amend_reading(reading=signed, reader=reader_of(signed), reason="again")


def test_opening_keeps_the_first_moment_and_returns_the_signed_reading_when_all_is_done() -> None:
    reading = an_open_reading()
    reader = reader_of(reading)
    opened = open_reading(assignment=reading.assignment, reader=reader)
    again = open_reading(assignment=reading.assignment, reader=reader)
    assert opened.opened_at is not None
    assert (opened, opened.opened_at) == (again, again.opened_at)
    assert AuditEvent.objects.filter(action="open_reading").count() == 1
    complete(reading)
    sign(reading)
    assert open_reading(assignment=reading.assignment, reader=reader) == reading
    with pytest.raises(NotYours):
        open_reading(assignment=reading.assignment, reader=ExpertFactory.create())
