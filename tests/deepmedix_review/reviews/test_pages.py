"""The pages of readers' work: a worklist that stays quick, and a reading page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews import selectors
from deepmedix_review.reviews.models import Assignment, Reading
from deepmedix_review.studies.models import ImportBatch
from deepmedix_review.studies.selectors import visible_studies
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import (
    a_signed_reading,
    an_open_reading,
    complete,
    reader_of,
    reader_study,
    sign,
)

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_worklist_shows_what_is_to_read_and_what_was_signed() -> None:
    reader = ExpertFactory.create()
    reader_study(num_cases=3, readers=[reader], title="Winter films")
    first = Reading.objects.filter(assignment__reader=reader).earliest("pk")
    complete(first)
    sign(first)
    client = client_of(reader)
    page = client.get(reverse("worklist")).content.decode()
    assert all(shown in page for shown in ("To read 2", "Signed 1", "Winter films"))
    assert page.count(">Read<span") == 2
    signed = client.get(reverse("worklist"), {"show": "signed"}).content.decode()
    assert first.assignment.label in signed
    assert reverse("amend-reading", args=[first.uid]) in signed


def test_the_worklist_goes_page_by_page_in_as_many_queries_however_long(
    django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepmedix_review.reviews.worklist.cases.PAGE", 2)
    reader = ExpertFactory.create()
    reader_study(num_cases=1, readers=[reader])
    with django_assert_max_num_queries(5):
        selectors.worklist(reader)
    for _ in range(2):
        reader_study(num_cases=2, readers=[reader])
    seen: list[Any] = []
    after = None
    for num_rows in (2, 2, 1):
        with django_assert_max_num_queries(5):
            page = selectors.worklist(reader, after=after)
        assert (len(page.rows), page.num_open) == (num_rows, 5)
        seen += [row.assignment for row in page.rows]
        after = page.after
    assert after is None
    assert seen == list(Assignment.objects.filter(reader=reader).order_by("pk").values_list("uid", flat=True))


def test_an_empty_worklist_renews_itself_only_while_the_demo_is_being_made() -> None:
    client, address = client_of(ExpertFactory.create()), reverse("worklist")
    assert "hx-get" not in client.get(address).content.decode()
    ImportBatch.objects.create(source=ImportBatch.Source.DEMO)
    page = client.get(address).content.decode()
    assert "The demo is still being made; this page renews itself." in page
    assert 'hx-trigger="every 2s"' in page
    reader_study()
    assert "hx-get" not in client.get(address).content.decode()


def test_a_demo_that_began_long_ago_is_promised_to_nobody() -> None:
    ImportBatch.objects.create(source=ImportBatch.Source.DEMO)
    ImportBatch.objects.update(created_at=timezone.now() - 2 * selectors.LONGEST_DEMO)
    assert "Nothing to read" in client_of(ExpertFactory.create()).get(reverse("worklist")).content.decode()


def test_an_unreadable_cursor_starts_at_the_first_page() -> None:
    assert client_of(ExpertFactory.create()).get(reverse("worklist"), {"after": "x"}).status_code == 200


def test_reading_opens_from_the_worklist_and_names_nothing_but_the_case() -> None:
    reading = an_open_reading()
    client = client_of(reader_of(reading))
    opened = client.post(reverse("open-reading", args=[reading.assignment.uid]))
    assert opened.headers["Location"] == reverse("reading", args=[reading.uid])
    page = client.get(opened.headers["Location"]).content.decode()
    assert f'data-reading-uid="{reading.uid}"' in page
    assert "For research, not for diagnosis" in page
    assert reading.completion_a.model_version.name not in page
    reading.refresh_from_db()
    assert reading.opened_at is not None


def test_an_amendment_is_opened_with_its_reason() -> None:
    reading = a_signed_reading()
    client = client_of(reader_of(reading))
    address = reverse("amend-reading", args=[reading.uid])
    assert "This field is required" in client.post(address, {"reason": " "}).content.decode()
    answer = client.post(address, {"reason": "Sides mixed up"})
    amendment = Reading.objects.get(amends=reading)
    assert answer.headers["Location"] == reverse("reading", args=[amendment.uid])
    assert amendment.amendment_reason == "Sides mixed up"


def test_a_reader_sees_the_studies_of_their_own_cases_alone() -> None:
    mine, other = an_open_reading(), an_open_reading()
    assert list(visible_studies(reader_of(mine))) == [mine.assignment.case.study]
    assert other.assignment.case.study not in visible_studies(reader_of(mine))
    assert not visible_studies(ExpertFactory.create()).exists()
