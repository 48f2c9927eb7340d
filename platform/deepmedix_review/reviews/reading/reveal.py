"""Keeps what a model said from a reader until the reader's own first read is locked, and then locks it."""

import uuid

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews.models import FirstRead, Reading
from deepmedix_review.reviews.reading.changes import (
    AddActiveTime,
    Change,
    DrawRegion,
    MeasureLines,
    SayFirstRead,
    SetWindow,
)
from deepmedix_review.reviews.reading.completeness import missing_before_reveal
from deepmedix_review.reviews.reading.kept_changes import keep_change
from deepmedix_review.reviews.reading.open_readings import guard, hold_reading


def require_revealed(reading: Reading) -> None:
    """Raises NotYours, answered with 403, while the reader's first read is still open."""
    if not reading.is_revealed:
        raise NotYours("The outputs are shown after your first read. Lock your first read to see them.")


def require_allowed_now(reading: Reading, change: Change) -> None:
    """Before the reveal a reader answers the first read, sets the window, measures, and nothing else."""
    match change:
        case SayFirstRead() | SetWindow() | MeasureLines() | AddActiveTime():
            return
        case DrawRegion(first_read=str()):
            return
    require_revealed(reading)


@transaction.atomic
def lock_first_read(
    *, reading_uid: uuid.UUID, reader: User, change_id: uuid.UUID, sop_instance_uid: str
) -> None:
    """Lock the first read and show the completions from now on. Refuses, by name, what is missing.

    The same `change_id` again, or a lock from a second window, changes nothing.
    """
    held = hold_reading(reading_uid, reader=reader, change_id=change_id)
    reading = held.reading
    if held.first_answer is not None:
        return
    guard(held, sop_instance_uid)
    if not reading.asks_first_read:
        raise RefusedByRule("This case asks for no first read. Reload the page.")
    if reading.revealed_at is not None:
        return
    missing = missing_before_reveal(reading)
    if missing:
        raise RefusedByRule(" ".join(missing))
    now = timezone.now()
    keep_change(
        reading,
        change_id=change_id,
        kind="lock_first_read",
        payload={},
        answer={"revealed_at": now.isoformat()},
        received_at=now,
    )
    FirstRead.objects.filter(reading=reading, is_after_reveal=False).update(locked_at=now)
    Reading.objects.filter(pk=reading.pk).update(revealed_at=now)
    record_event(actor=reader, action="lock_first_read", subject=reading, details={"change": str(change_id)})
