"""The worklist's signed cases, and the amendments that are made of them."""

import re

import pytest
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reviews import selectors
from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.reading.view import show_reading
from deepmedix_review.reviews.services import amend_reading, mark_opened
from deepmedix_review.reviews.study_services import (
    lock_reader_study,
)
from tests.deepmedix_review.reviews.worklist.the_worklist import client_of
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import (
    a_signed_reading,
    complete,
    reader_of,
    reader_study,
    sign,
)

pytestmark = pytest.mark.django_db


def test_each_signed_case_has_the_number_that_the_room_told_and_when_it_was_signed() -> None:
    reader = ExpertFactory.create()
    reader_study(num_cases=3, readers=[reader])
    told = {}
    # The last of the list first.
    for reading in Reading.objects.filter(assignment__reader=reader).order_by("-assignment__position")[:2]:
        mark_opened(reading, reader=reader)
        told[reading.assignment.uid] = show_reading(selectors.reading_for(reader, reading.uid)).position
        complete(reading)
        sign(reading)
    assert sorted(told.values()) == [1, 2]
    rows = selectors.worklist(reader, signed=True).rows
    assert {row.assignment: row.number for row in rows} == told
    page = client_of(reader).get(reverse("worklist"), {"show": "signed"}).content.decode()
    assert re.findall(r"case (\d)</span></th>", page) == ["2", "1"]
    assert page.count("signed <time") == 2


def test_an_amendment_is_opened_with_its_reason() -> None:
    reading = a_signed_reading()
    client = client_of(reader_of(reading))
    address = reverse("amend-reading", args=[reading.uid])
    assert "This field is required" in client.post(address, {"reason": " "}).content.decode()
    answer = client.post(address, {"reason": "Sides mixed up"})
    amendment = Reading.objects.get(amends=reading)
    assert answer.headers["Location"] == reverse("reading", args=[amendment.uid])
    assert amendment.amendment_reason == "Sides mixed up"


def test_an_open_amendment_is_told_apart_on_the_worklist_and_can_be_discarded() -> None:
    reading = a_signed_reading()
    client, worklist = client_of(reader_of(reading)), reverse("worklist")
    amend = reverse("amend-reading", args=[reading.uid])
    assert "To read 0<" in client.get(worklist).content.decode()
    assert amend in client.get(worklist, {"show": "signed"}).content.decode()
    amendment = amend_reading(reading=reading, reader=reader_of(reading), reason="Sides mixed up")
    discard = reverse("discard-amendment", args=[amendment.uid])
    page = client.get(worklist).content.decode()
    assert "To read 1<" in page
    assert "amendment opened" in page
    assert "stays as it is and counts" in page
    assert discard in page
    signed = client.get(worklist, {"show": "signed"}).content.decode()
    assert ("To read 1<" in signed, "Amendment open: continue<" in signed, amend in signed) == (
        True,
        True,
        False,
    )
    continues = f'href="{reverse("reading", args=[amendment.uid])}"'
    assert continues in signed
    # Nor is a reason asked for in vain by an address that was kept.
    asked = client.get(amend).content.decode()
    assert (continues in asked, "<textarea" in asked) == (True, False)
    assert "data-amendment-url" in client.get(reverse("reading", args=[reading.uid])).content.decode()
    shown = reverse("api-reading", args=[reading.uid])
    assert client.get(shown).json()["amend"] is None
    said = client.post(discard, follow=True).content.decode()
    assert "Your signed reading stays as it is." in said
    assert "To read 0<" in said
    assert client.get(shown).json()["amend"] == amend
    assert amend in client.get(worklist, {"show": "signed"}).content.decode()


def test_an_amendment_that_a_lock_left_open_can_be_discarded_alone() -> None:
    reading = a_signed_reading()
    client, worklist = client_of(reader_of(reading)), reverse("worklist")
    amendment = amend_reading(reading=reading, reader=reader_of(reading), reason="Sides mixed up")
    discard = reverse("discard-amendment", args=[amendment.uid])
    opens = reverse("open-reading", args=[reading.assignment.uid])
    assert opens in client.get(worklist).content.decode()
    lock_reader_study(reader_study=reading.assignment.case.reader_study, actor=None)
    page = client.get(worklist).content.decode()
    assert "which counts: the reader study is locked, so the amendment can't be signed any more" in page
    assert (discard in page, opens in page) == (True, False)
    signed = client.get(worklist, {"show": "signed"}).content.decode()
    assert "Amendment open: continue" not in signed
    assert "data-amendment-url" not in client.get(reverse("reading", args=[reading.uid])).content.decode()
    asked = client.get(reverse("amend-reading", args=[reading.uid])).content.decode()
    assert "this reading counts" in asked
    said = client.post(discard, follow=True).content.decode()
    assert "Your signed reading stays as it is." in said
    assert "To read 0<" in said
    assert AuditEvent.objects.latest("sequence").action == "discard_amendment"
    assert list(selectors.signed_readings()) == [reading]


def test_a_signed_amendment_is_not_discarded_and_takes_the_amended_ones_place() -> None:
    reading = a_signed_reading()
    client = client_of(reader_of(reading))
    amendment = amend_reading(reading=reading, reader=reader_of(reading), reason="Sides mixed up")
    sign(amendment)
    refused = client.post(reverse("discard-amendment", args=[amendment.uid]))
    assert refused.status_code == 409
    assert "This amendment is signed, so it stays." in refused.content.decode()
    signed = client.get(reverse("worklist"), {"show": "signed"}).content.decode()
    assert reverse("amend-reading", args=[amendment.uid]) in signed
    assert '<span class="chip quiet">amended</span>' in signed
    assert "in place of the reading signed <time" in signed
    asked = client.get(reverse("amend-reading", args=[reading.uid])).content.decode()
    assert "This reading was amended on" in asked
