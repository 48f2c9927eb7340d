"""Two tabs, a double click and a retry at once: one change, one answer, and nothing beside a signature."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.models import (
    Assignment,
    DrawnRegion,
    Invitation,
    MissedFinding,
    Reading,
    ReadingChange,
    Vote,
)
from deepmedix_review.reviews.reading.changes import AddActiveTime, AddFinding, CastVote, Change, DrawRegion
from deepmedix_review.reviews.reading.conflicts import ChangedElsewhere, Seen
from deepmedix_review.reviews.services import Saved, amend_reading, apply_change, mark_opened, sign_reading
from tests.deepmedix_review.reviews.waiting import until_it_waits
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import (
    a_signed_reading,
    an_open_reading,
    complete,
    opened_an_hour_ago,
    reader_of,
)

pytestmark = pytest.mark.django_db(transaction=True)

Answer = TypeVar("Answer")


def at_once(acts: list[Callable[[], Answer]]) -> list[Answer | RefusedByRule]:
    """What each act, started together with the others in its own connection, returned or was refused with."""
    start = threading.Barrier(len(acts))
    answers: list[Answer | RefusedByRule | None] = [None] * len(acts)

    def run(index: int) -> None:
        try:
            start.wait(timeout=10)
            answers[index] = acts[index]()
        except RefusedByRule as refusal:
            answers[index] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[index]) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert None not in answers
    return [answer for answer in answers if answer is not None]


def test_one_change_sent_by_eight_at_once_is_kept_once_and_answered_alike() -> None:
    reading = opened_an_hour_ago(an_open_reading())
    reader, film, change_id = reader_of(reading), reading.completion_a.instance.sop_instance_uid, uuid.uuid4()

    def send() -> object:
        return apply_change(
            reading_uid=reading.uid,
            reader=reader,
            change_id=change_id,
            sop_instance_uid=film,
            change=AddActiveTime(7),
        )

    answers = at_once([send] * 8)
    assert len(set(answers)) == 1
    reading.refresh_from_db()
    assert reading.active_seconds == 7
    assert ReadingChange.objects.count() == 1


def test_eight_changes_at_once_are_all_kept() -> None:
    reading = opened_an_hour_ago(an_open_reading())
    reader, film = reader_of(reading), reading.completion_a.instance.sop_instance_uid

    def send() -> object:
        return apply_change(
            reading_uid=reading.uid,
            reader=reader,
            change_id=uuid.uuid4(),
            sop_instance_uid=film,
            change=AddActiveTime(1),
        )

    at_once([send] * 8)
    reading.refresh_from_db()
    assert (reading.active_seconds, ReadingChange.objects.count()) == (8, 8)


def test_eight_windows_that_report_at_once_share_the_time_that_has_passed() -> None:
    reader, opened_at = ExpertFactory.create(), timezone.now() - timedelta(seconds=100)
    readings = [an_open_reading(reader=reader) for _ in range(4)]
    Reading.objects.filter(pk__in=[reading.pk for reading in readings]).update(opened_at=opened_at)
    at_once([sending(reading, AddActiveTime(60)) for reading in readings * 2])
    counted = Reading.objects.aggregate(total=Sum("active_seconds"))["total"]
    assert 100 <= counted <= (timezone.now() - opened_at).total_seconds()
    assert ReadingChange.objects.count() == 8


def test_a_change_beside_a_signature_is_kept_before_it_or_refused() -> None:
    reading = an_open_reading()
    complete(reading, side=Vote.Side.A)
    reader, film = reader_of(reading), reading.completion_a.instance.sop_instance_uid

    def sign() -> object:
        return sign_reading(
            reading_uid=reading.uid, reader=reader, change_id=uuid.uuid4(), sop_instance_uid=film
        )

    def vote() -> object:
        return apply_change(
            reading_uid=reading.uid,
            reader=reader,
            change_id=uuid.uuid4(),
            sop_instance_uid=film,
            change=CastVote(Vote.Side.B),
        )

    signed, voted = at_once([sign, vote])
    assert not isinstance(signed, RefusedByRule)
    expected = Vote.Side.A if isinstance(voted, RefusedByRule) else Vote.Side.B
    assert Vote.objects.get(reading=reading).side == expected
    last = ReadingChange.objects.filter(reading=reading).latest("pk")
    assert last.kind == "sign"


def test_a_reading_is_amended_once_by_two_clicks() -> None:
    reading = a_signed_reading()
    reader = reader_of(reading)
    answers = at_once([lambda: amend_reading(reading=reading, reader=reader, reason="why")] * 2)
    assert [isinstance(answer, RefusedByRule) for answer in answers].count(True) == 1
    assert Reading.objects.filter(amends=reading).count() == 1


def a_new_finding(reading: Reading, uid: uuid.UUID) -> Change:
    return AddFinding(uid, reading.completion_a.uid, "a rib fracture")


def a_new_region(reading: Reading, uid: uuid.UUID) -> Change:
    step = reading.completion_a.steps.earliest("position")
    return DrawRegion(uid, step.uid, None, None, (1.0, 2.0, 3.0, 4.0))


def sending(reading: Reading, change: Change, *, change_id: uuid.UUID | None = None) -> Callable[[], Saved]:
    """A window that has seen nothing of the item yet."""
    reader, film = reader_of(reading), reading.completion_a.instance.sop_instance_uid

    def send() -> Saved:
        return apply_change(
            reading_uid=reading.uid,
            reader=reader,
            change_id=change_id or uuid.uuid4(),
            sop_instance_uid=film,
            change=change,
            seen=Seen(None),
        )

    return send


@pytest.mark.parametrize(("new", "model"), [(a_new_finding, MissedFinding), (a_new_region, DrawnRegion)])
def test_one_new_thing_made_by_two_windows_at_once_is_kept_once_and_the_second_is_told(
    new: Callable[[Reading, uuid.UUID], Change], model: type[MissedFinding | DrawnRegion]
) -> None:
    reading, uid = an_open_reading(), uuid.uuid4()
    answers = at_once([sending(reading, new(reading, uid)) for _ in range(4)])
    assert [type(answer) for answer in answers].count(Saved) == 1
    assert [type(answer) for answer in answers].count(ChangedElsewhere) == 3
    assert model._default_manager.get(uid=uid).reading_id == reading.pk
    change_id = uuid.uuid4()
    again = at_once([sending(reading, new(reading, uuid.uuid4()), change_id=change_id)] * 4)
    assert len(set(again)) == 1
    assert ReadingChange.objects.filter(reading=reading).count() == model._default_manager.count() == 2


@pytest.mark.parametrize(("new", "model"), [(a_new_finding, MissedFinding), (a_new_region, DrawnRegion)])
def test_one_uid_made_in_two_readings_at_once_is_kept_in_one_and_refused_in_the_other(
    new: Callable[[Reading, uuid.UUID], Change], model: type[MissedFinding | DrawnRegion]
) -> None:
    for _ in range(5):
        readings, uid = [an_open_reading() for _ in range(4)], uuid.uuid4()
        answers = at_once([sending(reading, new(reading, uid)) for reading in readings])
        refused = [answer for answer in answers if isinstance(answer, RefusedByRule)]
        assert len(refused) == 3
        assert {str(one).split(" is ")[1] for one in refused} == {
            "not part of this case, so nothing was saved. Reload the page."
        }
        kept = model._default_manager.get(uid=uid).reading_id
        assert [kept == reading.pk for reading in readings] == [
            isinstance(answer, Saved) for answer in answers
        ]
        assert ReadingChange.objects.filter(reading__in=readings).count() == 1


def test_opening_a_case_waits_for_its_assignment_before_it_holds_the_invitation() -> None:
    """Whoever removes a reader takes them in this order: in another one each would wait for the other."""
    reading = an_open_reading()
    reader = reader_of(reading)
    opening = threading.Thread(target=_open, args=[reading, reader])
    with transaction.atomic():
        Assignment.objects.select_for_update().get(pk=reading.assignment_id)
        opening.start()
        until_it_waits(opening)
        Invitation.objects.select_for_update(nowait=True).get(reader=reader)
    opening.join(timeout=60)
    reading.refresh_from_db()
    assert reading.opened_at is not None
    assert reading.assignment.number == 1


def _open(reading: Reading, reader: User) -> None:
    try:
        mark_opened(reading, reader=reader)
    finally:
        connection.close()
