"""Time at work fills the clock on the wall once: in two windows, on two devices, after an hour offline."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.reading.changes import AddActiveTime
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import an_open_reading, change, reader_of

pytestmark = pytest.mark.django_db

OPENED = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Puts the server's clock so many seconds after the case was opened."""

    def put(seconds: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: OPENED + timedelta(seconds=seconds))

    return put


def opened(reading: Reading, *, seconds: int = 0) -> Reading:
    moment = OPENED + timedelta(seconds=seconds)
    Reading.objects.filter(pk=reading.pk).update(opened_at=moment)
    return reading


def report(reading: Reading, seconds: int) -> int:
    """How many seconds the reading has after its window reported `seconds`."""
    change(reading, AddActiveTime(seconds))
    reading.refresh_from_db()
    return reading.active_seconds


def test_a_reading_never_has_more_time_than_has_passed_since_it_was_opened(
    at: Callable[[int], None],
) -> None:
    reading = opened(an_open_reading())
    at(30)
    assert report(reading, 20) == 20
    assert report(reading, 20) == 30
    assert report(reading, 24 * 3600) == 30
    at(45)
    assert report(reading, 10) == 40


def test_two_windows_on_one_reading_that_both_report_a_minute_add_a_minute(at: Callable[[int], None]) -> None:
    reading = opened(an_open_reading())
    for moment in (20, 40, 60):
        at(moment)
        report(reading, 20)
        report(reading, 20)
    assert reading.active_seconds == 60


def test_two_readings_of_one_reader_share_the_time_and_another_reader_has_time_of_their_own(
    at: Callable[[int], None],
) -> None:
    reader = ExpertFactory.create()
    one, other = (opened(an_open_reading(reader=reader)) for _ in range(2))
    strangers = opened(an_open_reading())
    at(20)
    assert (report(one, 20), report(other, 20), report(strangers, 20)) == (20, 0, 20)
    at(40)
    assert (report(other, 15), report(one, 20), report(strangers, 20)) == (15, 25, 40)


def test_what_was_read_offline_is_counted_when_it_comes_all_at_once(at: Callable[[int], None]) -> None:
    reading = opened(an_open_reading())
    at(600)
    for _ in range(25):
        report(reading, 20)
    assert reading.active_seconds == 500


def test_time_before_a_case_was_opened_is_nobodys(at: Callable[[int], None]) -> None:
    reader = ExpertFactory.create()
    first = opened(an_open_reading(reader=reader))
    second = opened(an_open_reading(reader=reader), seconds=3600)
    never = an_open_reading(reader=reader)
    at(10)
    report(first, 10)
    at(3610)
    assert (report(second, 60), report(never, 60)) == (10, 0)


def test_what_was_counted_before_readers_had_a_clock_counts_toward_the_bound(
    at: Callable[[int], None],
) -> None:
    reading = opened(an_open_reading())
    Reading.objects.filter(pk=reading.pk).update(active_seconds=300)
    at(310)
    assert report(reading, 20) == 310


def test_a_report_beyond_the_bound_is_answered_like_any_so_that_its_window_goes_on(
    at: Callable[[int], None],
) -> None:
    reading = opened(an_open_reading())
    at(5)
    client = Client()
    client.force_login(reader_of(reading))
    answer = client.post(
        reverse("api-reading-changes", args=[reading.uid]),
        {
            "change_id": str(uuid.uuid4()),
            "sop_instance_uid": reading.completion_a.instance.sop_instance_uid,
            "kind": "add_active_time",
            "payload": {"seconds": 60},
        },
        content_type="application/json",
    )
    assert answer.status_code == 200
    reading.refresh_from_db()
    assert reading.active_seconds == 5
