"""An admin finds events by what screens call a study, a patient, a case or a person, and by the day."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.selectors import Asked, event_page, first_from
from deepmedix_review.audit.services import record_event
from deepmedix_review.erasure.models import ErasedStudy, Erasure
from deepmedix_review.reviews.models import Reading
from deepmedix_review.studies.models import Study
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reviews import a_signed_reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(AdminFactory.create())
    return client


def study_of(reading: Reading) -> Study:
    return reading.assignment.case.study


def actions(subject: str) -> set[str]:
    return {event.action for event in event_page(Asked(subject=subject)).rows}


def text_of(page: str) -> str:
    table = page[page.index("<tbody>") : page.index("</tbody>")]
    return " ".join(re.sub(r"<[^>]*>", " ", table).split())


@pytest.mark.parametrize(
    "named",
    [
        lambda study: study.label,
        lambda study: study.label.lower(),
        lambda study: str(study.uid),
        lambda study: study.uid.hex[:10],
        lambda study: study.patient_pseudonym,
        lambda study: study.patient_pseudonym.lower(),
        lambda study: study.study_instance_uid,
    ],
)
def test_a_study_or_patient_brings_what_was_done_with_its_readings(named: Callable[[Study], str]) -> None:
    reading, other = a_signed_reading(), a_signed_reading()
    study = study_of(reading)
    record_event(actor=None, action="view_study", subject=study)
    record_event(actor=None, action="view_film", subject=study.series.get().instances.get())
    record_event(actor=None, action="hold_study", subject=study_of(other))
    found = actions(named(study))
    assert {"view_study", "view_film", "sign_reading", "rate_step"} <= found
    assert "hold_study" not in found


def test_a_case_is_found_by_the_name_that_its_reader_saw() -> None:
    reading, other = a_signed_reading(), a_signed_reading()
    rows = event_page(Asked(action="sign_reading", subject=reading.assignment.label)).rows
    assert [row.subject_uid for row in rows] == [str(reading.uid)] != [str(other.uid)]


def test_people_are_found_by_pseudonym_and_by_user_name_in_capitals_or_not(desk: Client) -> None:
    reader = ExpertFactory.create(username="b.miller", pseudonym="E-FINDME")
    event = record_event(actor=reader, action="view_reading", subject=reader)
    for words in ("E-FINDME", "e-findme", "B.Miller"):
        assert [row.pk for row in event_page(Asked(actor=words)).rows] == [event.pk]
        assert event.pk in [row.pk for row in event_page(Asked(subject=words)).rows]
    page = desk.get(reverse("audit-list"), {"actor": "miller"}).content.decode()
    assert "Nobody is called “miller”" in page


def test_rows_say_what_they_are_about_with_a_constant_number_of_queries(
    desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    reading = a_signed_reading()
    said = f"{reading.assignment.label} of {study_of(reading).label} in"
    with django_assert_num_queries(5):
        page = desk.get(reverse("audit-list"), {"action": "sign_reading"}).content.decode()
    assert f"reading {said}" in text_of(page)
    for _ in range(3):
        a_signed_reading()
    with django_assert_num_queries(5):
        desk.get(reverse("audit-list"), {"action": "sign_reading"})


def test_an_erased_study_is_found_by_the_name_that_it_had_and_has_no_page(desk: Client) -> None:
    gone = uuid.uuid4()
    erasure = Erasure.objects.create(kind="study", why="mistake", requested_by=AdminFactory.create())
    ErasedStudy.objects.create(erasure=erasure, study_uid=gone)
    record_event(actor=None, action="view_study", subject=Study(uid=gone))
    page = desk.get(reverse("audit-list"), {"subject": f"S-{gone.hex[:8]}"}).content.decode()
    assert f"study S-{gone.hex[:8]}" in text_of(page)
    assert reverse("study-detail", args=[gone]) not in page


@pytest.mark.parametrize("words", ["S-", "1234567", "S-1234567z", "P-NOBODY", "1.2.3", "x" * 150, "%", "a\0"])
def test_what_names_nothing_finds_nothing_and_says_what_can_be_asked(desk: Client, words: str) -> None:
    record_event(actor=None, action="view_study", subject=Study(uid=uuid.uuid4()))
    answer = desk.get(reverse("audit-list"), {"subject": words})
    assert answer.status_code == 200
    assert "No such event was recorded. About what: a study" in " ".join(answer.content.decode().split())


def test_days_of_utc_bound_what_is_shown(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {}
    for day in (1, 1, 3, 3, 3, 5):
        moment = datetime(2026, 3, day, 23, 59, 59, tzinfo=UTC)
        monkeypatch.setattr("deepmedix_review.audit.services.timezone.now", lambda moment=moment: moment)
        numbers[day] = record_event(actor=None, action=f"act_{day}", subject=Study(uid=uuid.uuid4())).sequence
    monkeypatch.undo()

    def shown(since: date | None = None, until: date | None = None) -> list[str]:
        rows = event_page(Asked(since=since, until=until)).rows
        return [event.action for event in rows if "act_" in event.action]

    third = date(2026, 3, 3)
    assert shown(since=third, until=third) == ["act_3"] * 3
    assert shown(until=third) == ["act_3"] * 3 + ["act_1"] * 2
    assert shown(since=date(2026, 3, 4)) == ["act_5"]
    assert first_from(date(2100, 1, 1)) == AuditEvent.objects.count() + 1
    page = desk.get(reverse("audit-list"), {"since": "2026-03-04", "until": "2026-03-05"}).content.decode()
    assert ("act_5" in page, "act_3" in page) == (True, False)
    assert 'value="2026-03-04"' in page
    assert desk.get(reverse("audit-list"), {"since": "soon"}).status_code == 200
