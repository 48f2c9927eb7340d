"""Cases on which readers disagree go to a third reader or to a consensus reading, as a reading of its own."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import ReasoningStep
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    Invitation,
    Reading,
)
from deepmedix_review.reviews.reading.changes import (
    RateStep,
)
from deepmedix_review.reviews.reading.view import show_reading
from deepmedix_review.reviews.selectors import reading_for, signed_readings, worklist
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.reviews.study_services import (
    invite_reader,
    lock_reader_study,
    queue_adjudications,
    start_adjudication,
)
from deepmedix_review.reviews.tasks import tend_reader_studies
from deepmedix_review.reviews.worklist.places import Place, place_of
from tests.deepmedix_review.reviews.study_services.a_dispute import (
    TWO_OF_THREE,
    dispute,
    dispute_of,
    disputed_study,
    readings_of,
    spare_reader,
    the_case,
)
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reader_studies import a_draft, running, sign_unsaid
from tests.factories.reviews import change, complete, say_first, sign

pytestmark = pytest.mark.django_db


def test_a_third_reader_gets_the_case_once_and_its_reading_is_data() -> None:
    reader_study = disputed_study()
    third = spare_reader(reader_study)
    dispute(reader_study)
    tend_reader_studies()
    assert queue_adjudications(reader_study=reader_study) == 0
    [row] = worklist(third).rows
    assert row.is_adjudication
    reading = Reading.objects.get(uid=row.reading)
    assert (reading.assignment.kind, reading.asks_first_read) == (Assignment.Kind.ADJUDICATION, False)
    mark_opened(reading, reader=third)
    complete(reading)
    sign(reading)
    assert signed_readings().filter(assignment__kind=Assignment.Kind.ADJUDICATION).count() == 1
    assert queue_adjudications(reader_study=reader_study) == 0


@pytest.mark.parametrize(
    ("adjudication", "first_reads", "is_alone_first"),
    [("third_reader", "on", True), ("third_reader", "off", False), ("consensus", "on", False)],
)
def test_a_third_reader_sees_the_film_alone_first_where_the_readers_did(
    adjudication: str, first_reads: Any, is_alone_first: bool
) -> None:
    design = replace(TWO_OF_THREE, first_reads=first_reads)
    reader_study = disputed_study(adjudication=adjudication, design=design)
    for number, reading in enumerate(readings_of(the_case(reader_study)), start=1):
        if first_reads == "on":
            say_first(reading, impression=f"Seen by {number}.")
    case = dispute(reader_study)
    third = spare_reader(reader_study)
    start_adjudication(case=case, reader=third, actor=AdminFactory.create())
    reading = Reading.objects.get(assignment__kind=Assignment.Kind.ADJUDICATION)
    shown = show_reading(reading_for(third, reading.uid))
    assert shown.is_adjudication
    assert (shown.stage == "first_read", shown.adjudication is None) == (is_alone_first, is_alone_first)
    if is_alone_first:
        say_first(reading, impression="Seen by the third.")
        shown = show_reading(reading_for(third, reading.uid))
    assert shown.adjudication is not None
    said = [earlier.said_first and earlier.said_first.impression for earlier in shown.adjudication.readings]
    assert said == (["Seen by 1.", "Seen by 2."] if first_reads == "on" else [None, None])


def test_a_case_that_went_to_another_reader_unopened_comes_back_to_be_settled() -> None:
    reader_study = disputed_study()
    third = spare_reader(reader_study)
    case = dispute(reader_study)
    read = readings_of(case)[0]
    moved = Assignment.objects.create(case=case, reader=third, position=9, withdrawn_at=timezone.now())
    seen = Reading.objects.create(
        assignment=moved, completion_a=read.completion_a, opened_at=timezone.now(), asks_first_read=False
    )
    assert queue_adjudications(reader_study=reader_study) == 0
    seen.delete()
    assert queue_adjudications(reader_study=reader_study) == 1
    assert [row.is_adjudication for row in worklist(third).rows] == [True]


def test_who_decides_answers_what_is_disputed_and_may_overrule_the_rest() -> None:
    reader_study = disputed_study()
    third = spare_reader(reader_study)
    dispute(reader_study)
    tend_reader_studies()
    reading = Reading.objects.get(uid=worklist(third).rows[0].reading)
    mark_opened(reading, reader=third)
    shown = show_reading(reading_for(third, reading.uid))
    assert shown.adjudication is not None
    (item,) = shown.adjudication.disputed
    assert item.step is not None
    step = ReasoningStep.objects.get(uid=item.step)
    assert (item.field, item.criterion, item.completion, item.region) == ("plausibility", None, None, None)
    (sentence,) = shown.missing
    assert sentence.startswith("1 step has no rating yet: ")
    other = ReasoningStep.objects.filter(completion=reading.completion_a).exclude(pk=step.pk)[0]
    assert change(reading, RateStep(other.uid, 5, False, "")) == shown.missing
    with pytest.raises(RefusedByRule, match="1 step has no rating yet"):
        sign(reading)
    assert change(reading, RateStep(step.uid, None, True, "")) == ()
    sign(reading)
    assert {rating.step_id for rating in reading.step_ratings.all()} == {step.pk, other.pk}


def test_where_everybody_has_read_it_an_admin_names_somebody_from_outside() -> None:
    reader_study = disputed_study(num_readers=3)
    spare = spare_reader(reader_study)
    case = dispute(reader_study)
    Invitation.objects.filter(reader=spare).update(state=Invitation.State.DECLINED)
    assert queue_adjudications(reader_study=reader_study) == 0
    admin, outsider = AdminFactory.create(), ExpertFactory.create()
    with pytest.raises(RefusedByRule, match="has read this case"):
        start_adjudication(case=case, reader=readings_of(case)[0].assignment.reader, actor=admin)
    start_adjudication(case=case, reader=outsider, actor=admin)
    found = worklist(outsider)
    assert (len(found.rows), found.num_open) == (1, 1)
    with pytest.raises(RefusedByRule, match="being adjudicated already"):
        start_adjudication(case=case, reader=ExpertFactory.create(), actor=admin)


def test_who_settles_cases_without_an_invitation_is_told_how_many_they_are() -> None:
    reader_study, outsider = disputed_study(num_cases=2), ExpertFactory.create()
    first, _ = [
        Assignment.objects.create(case=case, reader=outsider, kind=Assignment.Kind.ADJUDICATION)
        for case in Case.objects.filter(reader_study=reader_study)
    ]
    assert place_of(first) == Place(1, 2)


def test_who_settles_cases_without_an_invitation_keeps_the_number_of_each() -> None:
    reader_study = disputed_study(num_cases=2)
    outsider, admin = ExpertFactory.create(), AdminFactory.create()
    for case in Case.objects.filter(reader_study=reader_study):
        start_adjudication(case=dispute_of(case), reader=outsider, actor=admin)
    for reading in Reading.objects.filter(assignment__reader=outsider).order_by("-pk"):
        mark_opened(reading, reader=outsider)
    own = Assignment.objects.filter(reader=outsider).order_by("pk")
    assert [(each.number, place_of(each)) for each in own] == [(2, Place(2, 2)), (1, Place(1, 2))]


def test_who_settled_cases_and_is_invited_then_goes_on_counting() -> None:
    reader_study, outsider, admin = disputed_study(), ExpertFactory.create(), AdminFactory.create()
    start_adjudication(case=dispute(reader_study), reader=outsider, actor=admin)
    mark_opened(Reading.objects.get(assignment__reader=outsider), reader=outsider)
    invitation = invite_reader(reader_study=reader_study, reader=outsider, actor=admin)
    invitation.refresh_from_db()
    own = Assignment.objects.filter(reader=outsider, withdrawn_at=None)
    assert (invitation.num_assigned, invitation.num_signed) == (own.count(), 0)
    assert invitation.num_opened == 1


def test_a_consensus_reading_waits_for_an_admin_and_may_be_led_by_one_who_read_the_case() -> None:
    reader_study = disputed_study(adjudication="consensus")
    case = dispute(reader_study)
    assert queue_adjudications(reader_study=reader_study) == 0
    reader = readings_of(case)[0].assignment.reader
    start_adjudication(case=case, reader=reader, actor=AdminFactory.create())
    assert [row.is_adjudication for row in worklist(reader).rows] == [True]


def test_what_cannot_be_adjudicated_is_said() -> None:
    admin = AdminFactory.create()
    reader_study = disputed_study()
    case = the_case(reader_study)
    expert = ExpertFactory.create()
    with pytest.raises(RefusedByRule, match="Fewer than 2 readers"):
        start_adjudication(case=case, reader=expert, actor=admin)
    with pytest.raises(RefusedByRule, match="may not read cases"):
        start_adjudication(case=case, reader=admin, actor=admin)
    without = running(a_draft(num_cases=1))
    with pytest.raises(RefusedByRule, match="has no adjudication"):
        start_adjudication(case=the_case(without), reader=expert, actor=admin)
    for assignment in Assignment.objects.filter(case=case):
        sign_unsaid(assignment)
    Case.objects.filter(pk=case.pk).update(role=Case.Role.CONTROL)
    with pytest.raises(RefusedByRule, match="Only a case of data"):
        start_adjudication(case=case, reader=expert, actor=admin)
    lock_reader_study(reader_study=reader_study, actor=admin)
    with pytest.raises(RefusedByRule, match="Only a running"):
        start_adjudication(case=case, reader=expert, actor=admin)
