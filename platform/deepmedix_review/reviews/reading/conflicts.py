"""Two windows on one reading: finds what another one said of the same item, so that neither wins unseen."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.prepared import prepared_cursor
from deepmedix_review.reviews.models import Reading, ReadingChange

# What a change is of, by its kind: two changes of one item contradict each other. Kinds that are not here
# (time, the window, what is measured) add up, or the last one is right.
ITEM_FIELDS: Mapping[str, tuple[str, ...]] = {
    "rate_step": ("step",),
    "annotate_region": ("region",),
    "rate_answer": ("completion",),
    "cast_vote": ("kind",),
    "draw_region": ("uid",),
    "add_finding": ("uid",),
    "rate_criterion": ("criterion", "completion", "step", "region"),
    "say_first_read": ("is_after_reveal",),
}

# SQL, since it runs at every click.
LATEST = """
SELECT change_id, payload, received_at FROM reviews_readingchange
WHERE reading_id = %s AND kind = %s AND payload @> %s::jsonb ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True)
class Seen:
    """The last change of the item that the sender knew of; None where it knew of none."""

    change_id: uuid.UUID | None


@dataclass(frozen=True)
class LatestChange:
    """`item`: see `item_of`."""

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
    item = {field: _plain(payload[field]) for field in ITEM_FIELDS[kind]}
    with prepared_cursor() as cursor:
        cursor.execute(LATEST, [reading.pk, kind, json.dumps(item)])
        last = cursor.fetchone()
    if last is not None and last[0] != seen.change_id:
        change_id, stored, received_at = last
        raise ChangedElsewhere(StoredChange(change_id, kind, json.loads(stored), received_at))


def latest_changes(reading: Reading) -> tuple[LatestChange, ...]:
    """The last change of each item: what a window must have seen before it may change it."""
    latest: dict[tuple[str, str], uuid.UUID] = {}
    rows = ReadingChange.objects.filter(reading=reading, kind__in=ITEM_FIELDS).order_by("pk")
    for kind, payload, change_id in rows.values_list("kind", "payload", "change_id"):
        latest[kind, item_of(kind, payload)] = change_id
    return tuple(LatestChange(kind, item, change_id) for (kind, item), change_id in latest.items())


def item_of(kind: str, payload: Mapping[str, Any]) -> str:
    """What a change is of: the uid of its step, region, answer or finding; the kind of its vote; "first" or
    "after_reveal"; a criterion's uid and, after a colon, that of what it is asked of.

    >>> item_of("rate_criterion", {"criterion": "c", "completion": None, "step": "s", "region": None})
    'c:s'
    """
    if kind == "say_first_read":
        return "after_reveal" if payload["is_after_reveal"] else "first"
    if kind == "cast_vote":
        return str(payload.get("kind", "overall"))
    return ":".join(str(payload[field]) for field in ITEM_FIELDS[kind] if payload[field] is not None)


def _plain(value: Any) -> Any:
    """As JSON keeps it."""
    return value if value is None or isinstance(value, bool) else str(value)
