"""What a reader sees on the film alone is said first and locked, and nothing of any output is told before."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.first_reads import missing_from_first_read
from deepmedix_review.reviews.models import (
    DrawnRegion,
    FirstRead,
    ReaderStudy,
    Reading,
    ReadingChange,
    Vote,
)
from deepmedix_review.reviews.reading.changes import (
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
from deepmedix_review.reviews.services import amend_reading
from tests.factories.reviews import an_open_reading, change, complete, completions_of, lock, reader_of, sign

pytestmark = pytest.mark.django_db

BOX = (10.0, 20.0, 110.0, 220.0)
EFFUSION = SayFirstRead(False, "", ("Pleural Effusion",), "left effusion", 4)


@pytest.fixture
def reading() -> Reading:
    return an_open_reading(asks_first_read=True)


def get(reading: Reading, name: str = "api-reading") -> Any:
    client = Client()
    client.force_login(reader_of(reading))
    return client.get(reverse(name, args=[reading.uid]))


def region_of(moment: Any, box: Any = BOX, uid: uuid.UUID | None = None) -> DrawRegion:
    return DrawRegion(uid or uuid.uuid4(), None, None, moment, box)


def test_until_the_lock_the_answer_holds_the_film_and_the_question_alone(reading: Reading) -> None:
    shown = get(reading)
    body, data = shown.content.decode(), shown.json()
    assert (data["stage"], data["completions"], data["missing"]) == (
        "first_read",
        [],
        ["Your first read names no finding yet. Choose one, or “No Finding”, or write a line."],
    )
    assert data["first_read"]["form"] == "findings"
    assert len(data["first_read"]["findings_offered"]) == 14
    for completion in completions_of(reading):
        assert str(completion.uid) not in body
        for step in completion.steps.all():
            assert str(step.uid) not in body
            assert step.text not in body
    refused = get(reading, "api-reading-completions")
    assert (refused.status_code, "Lock your first read" in refused.json()["detail"]) == (403, True)


def test_ratings_before_the_reveal_are_refused_with_403(reading: Reading) -> None:
    completion = reading.completion_a
    step = completion.steps.earliest("position")
    early: list[Change] = [
        RateStep(step.uid, 4, False, ""),
        AnnotateRegion(step.regions.earliest("position").uid, None, None),
        RateAnswer(completion.uid, 1, 1, 1),
        CastVote(Vote.Side.A),
        AddFinding(uuid.uuid4(), completion.uid, "nodule"),
        DrawRegion(uuid.uuid4(), step.uid, None, None, BOX),
        RateCriterion(uuid.uuid4(), None, None, None, 1),
    ]
    for each in early:
        with pytest.raises(RefusedByRule, match="Lock your first read"):
            change(reading, each)
    client = Client()
    client.force_login(reader_of(reading))
    sent = {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": completion.instance.sop_instance_uid,
        "kind": "cast_vote",
        "payload": {"side": "a"},
    }
    for name in ("api-reading-changes", "api-reading-sign"):
        answer = client.post(reverse(name, args=[reading.uid]), sent, content_type="application/json")
        assert answer.status_code == 403
    change(reading, SetWindow(1000.0, 400.0, False))
    change(reading, MeasureLines(((1.0, 1.0, 2.0, 2.0),)))
    assert ReadingChange.objects.count() == 2


def test_the_lock_says_what_is_missing_then_reveals_once_however_often_it_is_sent(reading: Reading) -> None:
    client = Client()
    client.force_login(reader_of(reading))
    address = reverse("api-reading-lock-first-read", args=[reading.uid])
    sent = {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": reading.completion_a.instance.sop_instance_uid,
    }
    refused = client.post(address, sent, content_type="application/json")
    assert (refused.status_code, "names no finding" in refused.json()["detail"]) == (409, True)
    assert change(reading, EFFUSION) == ()
    change(reading, region_of("first"))
    shown = client.post(address, sent, content_type="application/json")
    assert (shown.status_code, shown.json()["stage"], len(shown.json()["completions"])) == (200, "rating", 2)
    first = shown.json()["first_read"]["first"]
    assert (first["findings"], first["confidence"], len(first["regions"])) == (["Pleural Effusion"], 4, 1)
    assert first["locked_at"] is not None
    again = client.post(address, sent, content_type="application/json")
    second_window = client.post(
        address, sent | {"change_id": str(uuid.uuid4())}, content_type="application/json"
    )
    assert again.json()["first_read"] == second_window.json()["first_read"] == shown.json()["first_read"]
    assert AuditEvent.objects.filter(action="lock_first_read").count() == 1
    assert len(get(reading, "api-reading-completions").json()) == 2


def test_after_the_lock_the_first_read_stays_and_a_change_of_mind_stands_beside_it(reading: Reading) -> None:
    drawn = region_of("first")
    change(reading, EFFUSION)
    change(reading, drawn)
    with pytest.raises(RefusedByRule, match="after the first read"):
        change(reading, SayFirstRead(True, "", ("Edema",), "", 2))
    lock(reading)
    for late in (EFFUSION, region_of("first"), region_of("first", None, drawn.uid)):
        with pytest.raises(RefusedByRule, match="change of mind"):
            change(reading, late)
    change(reading, SayFirstRead(True, "", ("Edema",), "", 2))
    change(reading, region_of("after_reveal"))
    shown = get(reading).json()["first_read"]
    assert (shown["first"]["findings"], shown["after_reveal"]["findings"]) == (
        ["Pleural Effusion"],
        ["Edema"],
    )
    assert [len(shown[moment]["regions"]) for moment in ("first", "after_reveal")] == [1, 1]
    assert shown["after_reveal"]["locked_at"] is None


def test_the_database_itself_keeps_a_locked_first_read(reading: Reading) -> None:
    change(reading, EFFUSION)
    change(reading, region_of("first"))
    lock(reading)
    said = FirstRead.objects.get(reading=reading)
    attempts = [
        lambda: FirstRead.objects.filter(pk=said.pk).update(impression="normal"),
        lambda: FirstRead.objects.filter(pk=said.pk).delete(),
        lambda: DrawnRegion.objects.filter(first_read=said).update(x_min=0),
        lambda: DrawnRegion.objects.filter(first_read=said).delete(),
        lambda: DrawnRegion.objects.create(
            reading=reading, first_read=said, x_min=1, y_min=1, x_max=2, y_max=2
        ),
    ]
    for attempt in attempts:
        with pytest.raises(IntegrityError, match="first read is locked"), transaction.atomic():
            attempt()


def test_the_signature_locks_the_change_of_mind_and_an_amendment_opens_it_again(reading: Reading) -> None:
    change(reading, EFFUSION)
    change(reading, region_of("first"))
    lock(reading)
    change(reading, SayFirstRead(True, "", ("Edema",), "", 2))
    change(reading, region_of("after_reveal"))
    complete(reading)
    signed = sign(reading)
    assert not FirstRead.objects.filter(reading=signed, locked_at=None).exists()
    amendment = amend_reading(reading=signed, reader=reader_of(signed), reason="wrong side")
    assert (amendment.is_revealed, amendment.revealed_at) == (True, signed.revealed_at)
    with pytest.raises(RefusedByRule, match="locked"):
        change(amendment, EFFUSION)
    change(amendment, SayFirstRead(True, "", (), "left effusion after all", 5))
    shown = get(amendment).json()
    first, after = shown["first_read"]["first"], shown["first_read"]["after_reveal"]
    assert (first["findings"], len(first["regions"])) == (["Pleural Effusion"], 1)
    assert (after["impression"], len(after["regions"])) == ("left effusion after all", 1)
    assert shown["missing"] == []


def test_a_study_of_answers_offers_them_and_takes_no_other(reading: Reading) -> None:
    ReaderStudy.objects.update(first_read_choices=["yes", "no"])
    shown = get(reading).json()["first_read"]
    assert (shown["form"], shown["choices"], shown["findings_offered"]) == ("choice", ["yes", "no"], [])
    with pytest.raises(RefusedByRule, match="not among those"):
        change(reading, SayFirstRead(False, "maybe", (), "", None))
    with pytest.raises(RefusedByRule, match="not for findings"):
        change(reading, SayFirstRead(False, "", ("Edema",), "", None))
    assert change(reading, SayFirstRead(False, "", (), "", 3)) == (
        "Your first read has no answer yet. Choose one.",
    )
    change(reading, SayFirstRead(False, "yes", (), "", 3))
    assert lock(reading).is_revealed


def test_a_case_without_a_first_read_takes_none() -> None:
    reading = an_open_reading()
    for said in (EFFUSION, region_of("after_reveal")):
        with pytest.raises(RefusedByRule, match="asks for no first read"):
            change(reading, said)
    with pytest.raises(RefusedByRule, match="asks for no first read"):
        lock(reading)
    assert get(reading).json()["first_read"] is None


@pytest.mark.parametrize(
    ("findings", "impression", "sentence"),
    [
        (["No Finding"], "", ""),
        (["No Finding", "Support Devices"], "", ""),
        ([], " small nodule ", ""),
        ([], "  ", "names no finding"),
        (["No Finding", "Edema"], "", "cannot stand beside Edema"),
    ],
)
def test_what_a_first_read_of_findings_lacks(findings: list[str], impression: str, sentence: str) -> None:
    missing = missing_from_first_read(choices=[], choice="", findings=findings, impression=impression)
    assert sentence in " ".join(missing)
    assert bool(missing) == bool(sentence)


@pytest.mark.parametrize(
    ("first_reads", "asks", "skips"), [("share", False, True), ("share", True, False), ("off", False, False)]
)
def test_a_case_without_a_first_read_says_so_where_others_ask_one(first_reads, asks, skips) -> None:
    reading = an_open_reading(asks_first_read=asks)
    ReaderStudy.objects.update(first_reads=first_reads)
    assert get(reading).json()["skips_first_read"] is skips
