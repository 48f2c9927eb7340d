"""A case was opened when it came onto the screen, also where the server hears of it only later."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from deepmedix_review.reviews.models import Assignment, Invitation, Reading
from deepmedix_review.reviews.reading.changes import AddActiveTime
from deepmedix_review.reviews.reading.opening import first_free_moment
from deepmedix_review.reviews.study_services import create_reader_study
from tests.deepmedix_review.reviews.reading.the_api import client_of, post
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import an_open_reading, change, complete, completed_study, reader_of

pytestmark = pytest.mark.django_db

BEGUN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Puts the server's clock so many seconds after the reader study began."""

    def put(seconds: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: BEGUN + timedelta(seconds=seconds))

    put(0)
    return put


def two_readings() -> list[Reading]:
    create_reader_study(
        title="Two cases",
        studies=[completed_study(), completed_study()],
        readers=[ExpertFactory.create()],
        actor=None,
        seed=1,
    )
    return list(Reading.objects.order_by("assignment__position"))


def open_case(reading: Reading, **fields: Any) -> Any:
    return post(client_of(reader_of(reading)), "api-reading-open", reading, fields)


def sign_case(reading: Reading, **fields: Any) -> Any:
    complete(reading)
    film = reading.completion_a.instance.sop_instance_uid
    signature = {"change_id": str(uuid.uuid4()), "sop_instance_uid": film, **fields}
    return post(client_of(reader_of(reading)), "api-reading-sign", reading, signature)


def seconds_after(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - BEGUN).total_seconds()


def opened_after(reading: Reading) -> float:
    reading.refresh_from_db()
    return seconds_after(reading.opened_at)


def test_what_was_read_while_the_network_was_away_has_its_whole_time(at: Callable[[int], None]) -> None:
    reading = an_open_reading()
    at(1000)
    answer = open_case(reading, seconds_ago=600)
    assert (answer.status_code, opened_after(reading)) == (200, 400)
    change(reading, AddActiveTime(500))
    reading.refresh_from_db()
    assert reading.active_seconds == 500


def test_a_repeat_gets_the_first_answer(at: Callable[[int], None]) -> None:
    reading = an_open_reading()
    at(1000)
    first = open_case(reading, seconds_ago=10).json()
    at(1100)
    assert open_case(reading, seconds_ago=900).json() == first
    assert open_case(reading).json() == first
    assert opened_after(reading) == 990


def test_nothing_said_is_now(at: Callable[[int], None]) -> None:
    reading = an_open_reading()
    at(1000)
    open_case(reading)
    assert opened_after(reading) == 1000


def test_no_case_is_opened_before_its_reader_study_began(at: Callable[[int], None]) -> None:
    at(100)
    reading = an_open_reading()
    at(1000)
    open_case(reading, seconds_ago=24 * 3600)
    assert opened_after(reading) == 100


def test_no_case_is_opened_before_the_one_before_it_was_signed(at: Callable[[int], None]) -> None:
    first, second = two_readings()
    at(100)
    open_case(first)
    at(400)
    sign_case(first)
    at(1000)
    open_case(second, seconds_ago=900)
    assert opened_after(second) == 400


def test_a_signature_that_waited_for_the_network_cuts_nothing_off_the_next_case(
    at: Callable[[int], None],
) -> None:
    """Both were pressed offline, a signature 600 seconds ago, and reach the server at once."""
    first, second = two_readings()
    at(100)
    open_case(first)
    at(1000)
    assert sign_case(first, seconds_ago=600).status_code == 200
    open_case(second, seconds_ago=600)
    assert opened_after(second) == 400
    first.refresh_from_db()
    assert seconds_after(first.signed_at) == 1000


def test_no_signature_was_pressed_before_its_own_case_was_opened(at: Callable[[int], None]) -> None:
    first, second = two_readings()
    at(100)
    open_case(first)
    at(1000)
    sign_case(first, seconds_ago=24 * 3600)
    open_case(second, seconds_ago=24 * 3600)
    assert opened_after(second) == 100


def test_another_readers_signature_and_another_reader_study_bound_nothing(at: Callable[[int], None]) -> None:
    reading = an_open_reading()
    at(500)
    for other in (an_open_reading(), an_open_reading(reader=reader_of(reading))):
        sign_case(other)
    at(1000)
    open_case(reading, seconds_ago=900)
    assert opened_after(reading) == 100


@pytest.mark.parametrize(
    ("late", "seconds"),
    [
        ("due", 300),
        ("leased", 500),
        ("accepted", 200),
        ("drawn anew", 700),
    ],
)
def test_a_case_is_free_to_its_reader_from(at: Callable[[int], None], late: str, seconds: int) -> None:
    reading = an_open_reading()
    mine = Assignment.objects.filter(pk=reading.assignment_id)
    moment = BEGUN + timedelta(seconds=seconds)
    if late == "due":
        mine.update(available_at=moment)
    elif late == "leased":
        mine.update(lease_expires_at=moment + timedelta(minutes=120))
    elif late == "accepted":
        Invitation.objects.update_or_create(
            reader_study=reading.assignment.case.reader_study,
            reader=reader_of(reading),
            defaults={"answered_at": moment, "state": Invitation.State.ACCEPTED},
        )
    else:
        Reading.objects.filter(pk=reading.pk).update(created_at=moment)
    at(1000)
    assert seconds_after(first_free_moment(Reading.objects.get(pk=reading.pk))) == seconds


@pytest.mark.parametrize(
    "seconds_ago", [-1, 24 * 3600 + 1, 10**30, 1.5, 2.0, "7", "soon", True, None, [], {}]
)
def test_what_is_no_span_is_refused_with_a_sentence_and_keeps_nothing(seconds_ago: Any) -> None:
    reading = an_open_reading()
    for send in (open_case, sign_case):
        refused = send(reading, seconds_ago=seconds_ago)
        assert (refused.status_code, refused.json()["detail"]) == (
            400,
            "seconds_ago: Say as a whole number of seconds, from 0 to 86400, how long ago it was.",
        )
    reading.refresh_from_db()
    assert (reading.opened_at, reading.signed_at) == (None, None)


@pytest.mark.parametrize("body", [[], "now", 7])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    reading = an_open_reading()
    refused = post(client_of(reader_of(reading)), "api-reading-open", reading, body)
    assert refused.status_code == 400
    reading.refresh_from_db()
    assert reading.opened_at is None
