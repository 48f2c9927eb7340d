"""Two windows on one reading: finds what another one said of the same item, so that neither wins unseen."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.models import Reading, ReadingChange

# What a change is of, by its kind: two changes of one item contradict each other. Kinds that are not here
# (time, the window) add up, or the last one is right.
ITEM_FIELDS: Mapping[str, str] = {
    "rate_step": "step",
    "annotate_region": "region",
    "rate_answer": "completion",
    "cast_vote": "",
}


@dataclass(frozen=True)
class Seen:
    """The last change of the item that the sender knew of; None where it knew of none."""

    change_id: uuid.UUID | None


@dataclass(frozen=True)
class LatestChange:
    """`item` is the uid of the step, region or completion; empty where a reading has one such item alone."""

    kind: str
    item: str
    change_id: uuid.UUID


class ChangedElsewhere(RefusedByRule):
    """Another window or device changed the same item; `stored` is what it said."""

    def __init__(self, stored: "StoredChange") -> None:
        super().__init__(
            "This was changed in another window or on another device. Choose which version counts."
        )
        self.stored = stored


@dataclass(frozen=True)
class StoredChange:
    change_id: uuid.UUID
    kind: str
    payload: Mapping[str, Any]
    received_at: datetime


def require_latest(reading: Reading, *, kind: str, payload: Mapping[str, Any], seen: Seen | None) -> None:
    """Raises ChangedElsewhere where the item's last change is not the one the sender knew of."""
    if seen is None or kind not in ITEM_FIELDS:
        return
    changes = ReadingChange.objects.filter(reading=reading, kind=kind)
    if field := ITEM_FIELDS[kind]:
        changes = changes.filter(**{f"payload__{field}": str(payload[field])})
    last = changes.order_by("-pk").values_list("change_id", "kind", "payload", "received_at").first()
    if last is not None and last[0] != seen.change_id:
        raise ChangedElsewhere(StoredChange(*last))


def latest_changes(reading: Reading) -> tuple[LatestChange, ...]:
    """The last change of each item: what a window must have seen before it may change it."""
    latest: dict[tuple[str, str], uuid.UUID] = {}
    rows = ReadingChange.objects.filter(reading=reading, kind__in=ITEM_FIELDS).order_by("pk")
    for kind, payload, change_id in rows.values_list("kind", "payload", "change_id"):
        field = ITEM_FIELDS[kind]
        latest[kind, str(payload[field]) if field else ""] = change_id
    return tuple(LatestChange(kind, item, change_id) for (kind, item), change_id in latest.items())
