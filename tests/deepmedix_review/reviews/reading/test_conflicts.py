"""Two windows on one reading: neither wins unseen, and each item stands for itself."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reviews.models import Reading, ReadingChange, Vote
from deepmedix_review.reviews.reading.changes import (
    AddActiveTime,
    AddFinding,
    CastVote,
    Change,
    DrawRegion,
    RateStep,
    SayFirstRead,
)
from deepmedix_review.reviews.reading.conflicts import ChangedElsewhere, Seen, item_of, latest_changes
from deepmedix_review.reviews.services import apply_change
from tests.factories.reviews import an_open_reading, opened_an_hour_ago, reader_of

pytestmark = pytest.mark.django_db


def say(reading: Reading, change: Change, *, seen: uuid.UUID | None) -> uuid.UUID:
    change_id = uuid.uuid4()
    apply_change(
        reading_uid=reading.uid,
        reader=reader_of(reading),
        change_id=change_id,
        sop_instance_uid=reading.completion_a.instance.sop_instance_uid,
        change=change,
        seen=Seen(seen),
    )
    return change_id


def test_the_second_window_is_told_what_the_first_one_said_and_wins_once_it_has_seen_it() -> None:
    reading = an_open_reading()
    first = say(reading, CastVote(Vote.Side.A), seen=None)
    with pytest.raises(ChangedElsewhere) as conflict:
        say(reading, CastVote(Vote.Side.B), seen=None)
    assert (conflict.value.stored.change_id, conflict.value.stored.payload) == (
        first,
        {"kind": "overall", "side": "a"},
    )
    assert Vote.objects.get().side == Vote.Side.A
    say(reading, CastVote(Vote.Side.B), seen=first)
    assert Vote.objects.get().side == Vote.Side.B
    assert ReadingChange.objects.count() == 2


def test_changes_of_two_items_do_not_contradict_each_other_and_time_adds_up() -> None:
    reading = opened_an_hour_ago(an_open_reading())
    one, two = reading.completion_a.steps.order_by("position")
    first = say(reading, RateStep(one.uid, 4, False, ""), seen=None)
    second = say(reading, RateStep(two.uid, 2, False, ""), seen=None)
    for _ in range(2):
        say(reading, AddActiveTime(5), seen=None)
    reading.refresh_from_db()
    assert reading.active_seconds == 10
    assert {(latest.item, latest.change_id) for latest in latest_changes(reading)} == {
        (str(one.uid), first),
        (str(two.uid), second),
    }


def test_a_conflict_is_answered_with_the_stored_version() -> None:
    reading = an_open_reading()
    first = say(reading, CastVote(Vote.Side.A), seen=None)
    client = Client()
    client.force_login(reader_of(reading))
    data = {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": reading.completion_a.instance.sop_instance_uid,
        "kind": "cast_vote",
        "payload": {"side": "tie"},
        "seen": None,
    }
    address = reverse("api-reading-changes", args=[reading.uid])
    refused = client.post(address, data, content_type="application/json")
    stored = refused.json()["stored"]
    assert (refused.status_code, stored["change_id"], stored["kind"]) == (409, str(first), "cast_vote")
    assert stored["payload"] == {"kind": "overall", "side": "a"}
    del data["seen"]
    assert client.post(address, data, content_type="application/json").status_code == 200
    shown = client.get(reverse("api-reading", args=[reading.uid])).json()["latest_changes"]
    assert shown == [{"kind": "cast_vote", "item": "overall", "change_id": data["change_id"]}]


def test_a_reading_fetched_ahead_is_opened_only_when_it_is_shown() -> None:
    reading = an_open_reading()
    client = Client()
    client.force_login(reader_of(reading))
    client.get(reverse("api-reading", args=[reading.uid]), {"ahead": "1"})
    reading.refresh_from_db()
    assert reading.opened_at is None
    assert AuditEvent.objects.latest("sequence").action == "fetch_reading_ahead"

    address = reverse("api-reading-open", args=[reading.uid])
    opened = client.post(address, content_type="application/json").json()["opened_at"]
    reading.refresh_from_db()
    assert reading.opened_at is not None
    assert client.post(address, content_type="application/json").json()["opened_at"] == opened
    actions = AuditEvent.objects.order_by("sequence").values_list("action", flat=True)
    assert list(actions)[-3:] == ["open_reading", "view_reading", "view_reading"]
    stranger = Client()
    stranger.force_login(reader_of(an_open_reading()))
    assert stranger.post(address, content_type="application/json").status_code == 403


def test_each_kind_of_change_contradicts_the_last_one_of_its_own_item_alone() -> None:
    reading = an_open_reading(asked=["better-grounded", "better-overall"])
    step, completion = reading.completion_a.steps.earliest("position"), reading.completion_a
    finding, region = uuid.uuid4(), uuid.uuid4()
    box = (1.0, 2.0, 3.0, 4.0)
    first = {
        "grounded": say(reading, CastVote(Vote.Side.A, Vote.Kind.GROUNDED), seen=None),
        "overall": say(reading, CastVote(Vote.Side.A), seen=None),
        str(finding): say(reading, AddFinding(finding, completion.uid, "nodule"), seen=None),
        str(region): say(reading, DrawRegion(region, step.uid, None, None, box), seen=None),
    }
    say(reading, DrawRegion(uuid.uuid4(), step.uid, None, None, box), seen=None)
    again: list[tuple[str, Change]] = [
        ("grounded", CastVote(Vote.Side.B, Vote.Kind.GROUNDED)),
        (str(finding), AddFinding(finding, completion.uid, "two nodules")),
        (str(region), DrawRegion(region, step.uid, None, None, None)),
    ]
    for item, change in again:
        with pytest.raises(ChangedElsewhere):
            say(reading, change, seen=None)
        last = say(reading, change, seen=first[item])
        assert {latest.item: latest.change_id for latest in latest_changes(reading)}[item] == last


def test_answers_to_a_question_and_first_reads_are_items_by_what_they_are_of() -> None:
    item = {"criterion": "c", "completion": None, "step": "s", "region": None}
    assert item_of("rate_criterion", item) == "c:s"
    assert item_of("rate_criterion", item | {"step": None}) == "c"
    assert item_of("say_first_read", {"is_after_reveal": False}) == "first"
    assert item_of("say_first_read", {"is_after_reveal": True}) == "after_reveal"
    assert item_of("cast_vote", {"side": "a"}) == "overall"

    reading = an_open_reading(asks_first_read=True)
    first = say(reading, SayFirstRead(False, "", ("Edema",), "", 3), seen=None)
    with pytest.raises(ChangedElsewhere):
        say(reading, SayFirstRead(False, "", (), "normal", 3), seen=None)
    say(reading, SayFirstRead(False, "", (), "normal", 3), seen=first)
