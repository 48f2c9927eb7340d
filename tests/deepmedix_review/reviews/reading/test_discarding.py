"""An open amendment can be given up, and the signed reading stays as it is; nothing signed can."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.models import FirstRead, Reading, Vote
from deepmedix_review.reviews.reading.changes import CastVote, DrawRegion, SayFirstRead
from deepmedix_review.reviews.reading.parts import all_said
from deepmedix_review.reviews.selectors import signed_readings
from deepmedix_review.reviews.services import amend_reading, discard_amendment
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import (
    a_signed_reading,
    an_open_reading,
    change,
    complete,
    lock,
    reader_of,
    sign,
)

pytestmark = pytest.mark.django_db

EFFUSION = SayFirstRead(False, "", ("Pleural Effusion",), "left effusion", 4)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def signed_after_a_first_read() -> Reading:
    reading = an_open_reading(asks_first_read=True)
    change(reading, EFFUSION)
    change(reading, DrawRegion(uuid.uuid4(), None, None, "first", (10.0, 20.0, 110.0, 220.0)))
    lock(reading)
    complete(reading)
    return sign(reading)


def said_in(reading: Reading) -> Any:
    return Reading.objects.filter(pk=reading.pk).values().get(), all_said([reading])[reading.pk]


def test_a_discarded_amendment_is_gone_and_nothing_of_the_signed_reading_is_touched() -> None:
    signed = signed_after_a_first_read()
    before = said_in(signed)
    amendment = amend_reading(reading=signed, reader=reader_of(signed), reason="I mixed up the sides")
    change(amendment, CastVote(Vote.Side.B))
    assert discard_amendment(reading=amendment, reader=reader_of(signed)) == signed.uid
    assert not Reading.objects.filter(amends=signed).exists()
    assert said_in(signed) == before
    assert list(signed_readings()) == [signed]
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.actor, event.subject_uid, event.details) == (
        "discard_amendment",
        reader_of(signed),
        str(amendment.uid),
        {"amends": str(signed.uid)},
    )
    # It can be amended again.
    again = amend_reading(reading=signed, reader=reader_of(signed), reason="the sides after all")
    assert FirstRead.objects.get(reading=again).impression == "left effusion"


def test_what_is_signed_or_amends_nothing_is_not_discarded() -> None:
    signed, unsigned = a_signed_reading(), an_open_reading()
    amendment = amend_reading(reading=signed, reader=reader_of(signed), reason="why")
    refusals: list[tuple[Reading, User, str]] = [
        (amendment, ExpertFactory.create(), "another reader"),
        (unsigned, reader_of(unsigned), "amends no other"),
        (signed, reader_of(signed), "amends no other"),
    ]
    for subject, reader, sentence in refusals:
        with pytest.raises(RefusedByRule, match=sentence):
            discard_amendment(reading=subject, reader=reader)
    sign(amendment)
    with pytest.raises(RefusedByRule, match="signed, so it stays"):
        discard_amendment(reading=amendment, reader=reader_of(signed))
    assert Reading.objects.filter(amends=signed).exists()
    latest = amend_reading(reading=amendment, reader=reader_of(signed), reason="why again")
    assert discard_amendment(reading=latest, reader=reader_of(signed)) == amendment.uid
    with pytest.raises(RefusedByRule, match="discarded already"):
        discard_amendment(reading=latest, reader=reader_of(signed))


def test_a_locked_first_read_goes_with_an_open_amendment_alone() -> None:
    signed = signed_after_a_first_read()
    with pytest.raises(IntegrityError, match="locked"), transaction.atomic():
        FirstRead.objects.filter(reading=signed).delete()
    amendment = amend_reading(reading=signed, reader=reader_of(signed), reason="why")
    with pytest.raises(IntegrityError, match="first read is locked"), transaction.atomic():
        FirstRead.objects.filter(reading=amendment).update(impression="nothing")
    region = amendment.drawn_regions.get()
    with pytest.raises(RefusedByRule, match="locked"):
        change(amendment, DrawRegion(region.uid, None, None, "first", None))
    sign(amendment)
    with pytest.raises(IntegrityError, match="locked"), transaction.atomic():
        FirstRead.objects.filter(reading=amendment).delete()
    assert FirstRead.objects.filter(reading__in=[signed, amendment]).count() == 2


def test_a_program_discards_it_too_and_is_told_what_counts() -> None:
    signed = a_signed_reading()
    client = client_of(reader_of(signed))
    amendment = amend_reading(reading=signed, reader=reader_of(signed), reason="Sides mixed up")
    shown = client.get(reverse("api-reading", args=[amendment.uid])).json()
    assert (shown["amendment_reason"], shown["stage"]) == ("Sides mixed up", "rating")
    assert (
        shown["amends_signed_at"] == client.get(reverse("api-reading", args=[signed.uid])).json()["signed_at"]
    )
    address = reverse("api-reading-discard", args=[amendment.uid])
    # The answer may be lost on its way: it is the same again.
    for _ in range(2):
        answer = client.post(address)
        assert (answer.status_code, answer.json()) == (200, {"amends": str(signed.uid)})
    assert AuditEvent.objects.filter(action="discard_amendment").count() == 1
    assert client_of(ExpertFactory.create()).post(address).status_code == 403
    assert client.post(reverse("api-reading-discard", args=[signed.uid])).status_code == 409
    assert client.get(reverse("api-reading", args=[signed.uid])).json()["amends_signed_at"] is None


def test_what_waits_to_be_sent_of_a_discarded_amendment_is_told_that_it_is_over() -> None:
    signed = a_signed_reading()
    amendment = amend_reading(reading=signed, reader=reader_of(signed), reason="Sides mixed up")
    late = {
        "kind": "cast_vote",
        "payload": {"side": "a"},
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": amendment.completion_a.instance.sop_instance_uid,
    }
    addresses = [reverse(name, args=[amendment.uid]) for name in ("api-reading-changes", "api-reading")]
    discard_amendment(reading=amendment, reader=reader_of(signed))
    answers = []
    for reader in (reader_of(signed), ExpertFactory.create()):
        client = client_of(reader)
        told = (client.post(addresses[0], late, content_type="application/json"), client.get(addresses[1]))
        answers.append([(answer.status_code, answer.json().get("is_over")) for answer in told])
    assert answers == [[(409, True)] * 2, [(403, None)] * 2]
    page = client_of(reader_of(signed)).get(reverse("reading", args=[amendment.uid]))
    assert (page.status_code, "You discarded this amendment." in page.content.decode()) == (409, True)
