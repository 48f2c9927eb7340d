"""Keeps each thing a reader says the moment it is said, and locks what was signed."""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews.guards import require_may_amend, require_may_open
from deepmedix_review.reviews.models import Assignment, FirstRead, Invitation, Reading
from deepmedix_review.reviews.reading import recording
from deepmedix_review.reviews.reading.asked import require_asked
from deepmedix_review.reviews.reading.changes import KINDS, Change
from deepmedix_review.reviews.reading.completeness import find_missing
from deepmedix_review.reviews.reading.conflicts import Seen, require_latest
from deepmedix_review.reviews.reading.copying import copy_all
from deepmedix_review.reviews.reading.kept_changes import keep_change
from deepmedix_review.reviews.reading.open_readings import guard, hold_reading
from deepmedix_review.reviews.reading.opening import opened_moment
from deepmedix_review.reviews.reading.reveal import require_allowed_now, require_revealed
from deepmedix_review.reviews.selectors import next_reading
from deepmedix_review.reviews.study_services.signing import announce_signature, note_signature
from deepmedix_review.reviews.worklist.places import num_opened_uninvited


@dataclass(frozen=True)
class Saved:
    """The server's answer to a change: when it was kept, and what the reading still lacks."""

    change_id: uuid.UUID
    saved_at: datetime
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Signed:
    """`next_reading` is the reader's next open reading of the same reader study, None after the last."""

    signed_at: datetime
    next_reading: uuid.UUID | None


@transaction.atomic
def open_reading(*, assignment: Assignment, reader: User) -> Reading:
    """The reading to show for this assignment: the open one, else the last that was signed."""
    _require_reader(reader, assignment)
    readings = Reading.objects.select_for_update().filter(assignment=assignment)
    reading = readings.filter(signed_at=None).first() or readings.latest("signed_at")
    mark_opened(reading, reader=reader)
    return reading


def mark_opened(reading: Reading, *, reader: User, seconds_ago: int = 0) -> None:
    """Keep the moment at which the reader first came to the case. Refuses what may not be begun.

    It may be `seconds_ago` before the server hears of it. Said again, the first moment stays.
    """
    if reading.opened_at is None and reading.signed_at is None:
        require_may_open(reading.assignment_id)
    with transaction.atomic():
        if Reading.objects.filter(pk=reading.pk, opened_at=None, signed_at=None).update(
            opened_at=opened_moment(reading, seconds_ago=seconds_ago)
        ):
            reading.refresh_from_db(fields=["opened_at"])
            give_number(reading.assignment)
            record_event(actor=reader, action="open_reading", subject=reading)


@transaction.atomic
def give_number(assignment: Assignment) -> None:
    """Keep which case of its reader study this is to its reader, who comes to it now.

    The invitation's row, or the reader's own where there is none, holds back the reader's other window.
    """
    # Before the invitation, as a signature and whoever removes a reader do: in another order two would wait
    # for each other.
    Assignment.objects.select_for_update(no_key=True).get(pk=assignment.pk)
    study, reader = assignment.case.reader_study_id, assignment.reader_id
    invited = Invitation.objects.filter(reader_study=study, reader=reader)
    if invited.update(num_opened=F("num_opened") + 1):
        number = invited.values_list("num_opened", flat=True).get()
    else:
        User.objects.select_for_update(no_key=True).get(pk=reader)
        number = num_opened_uninvited(assignment) + 1
    Assignment.objects.filter(pk=assignment.pk).update(number=number)


@transaction.atomic
def apply_change(
    *,
    reading_uid: uuid.UUID,
    reader: User,
    change_id: uuid.UUID,
    sop_instance_uid: str,
    change: Change,
    seen: Seen | None = None,
) -> Saved:
    """Keep one change. The same `change_id` again changes nothing and gets the first answer.

    Raises ChangedElsewhere where the item's last change is not the one the sender has `seen`.
    """
    held = hold_reading(reading_uid, reader=reader, change_id=change_id)
    reading, repeated = held.reading, held.first_answer
    if repeated is not None:
        return Saved(change_id, datetime.fromisoformat(repeated["saved_at"]), tuple(repeated["missing"]))
    guard(held, sop_instance_uid)
    require_allowed_now(reading, change)
    require_asked(change, held.asked)
    require_latest(reading, kind=KINDS[type(change)], payload=asdict(change), seen=seen)

    recording.record(reading, change)
    saved = Saved(change_id, timezone.now(), find_missing(reading).sentences)
    keep_change(
        reading,
        change_id=change_id,
        kind=KINDS[type(change)],
        payload=asdict(change),
        answer={"saved_at": saved.saved_at.isoformat(), "missing": saved.missing},
        received_at=saved.saved_at,
    )
    record_event(
        actor=reader, action=KINDS[type(change)], subject=reading, details={"change": str(change_id)}
    )
    return saved


@transaction.atomic
def sign_reading(
    *,
    reading_uid: uuid.UUID,
    reader: User,
    change_id: uuid.UUID,
    sop_instance_uid: str,
    seconds_ago: int = 0,
) -> Signed:
    """Lock a complete reading. Refuses, by name, what is missing.

    It is signed from the moment at which the server has the signature; when the reader gave it, `seconds_ago`
    before that, bounds when the next case can have been opened.
    """
    held = hold_reading(reading_uid, reader=reader, change_id=change_id)
    reading, repeated = held.reading, held.first_answer
    if repeated is not None:
        following = repeated["next"]
        return Signed(
            datetime.fromisoformat(repeated["signed_at"]), uuid.UUID(following) if following else None
        )
    guard(held, sop_instance_uid)
    require_revealed(reading)
    missing = find_missing(reading).sentences
    if missing:
        raise RefusedByRule(" ".join(missing))

    after = next_reading(reading)
    # Where others follow, the one that the reading room has made ready stays the next. Else a repeat that
    # this very signature lets come due would be said to open later.
    if after is None:
        announce_signature(reading)
        after = next_reading(reading)
    signed = Signed(timezone.now(), after.uid if after else None)
    # The trigger refuses every row that belongs to a signed reading, so this one comes before the signature.
    keep_change(
        reading,
        change_id=change_id,
        kind="sign",
        payload={"seconds_ago": seconds_ago},
        answer={
            "signed_at": signed.signed_at.isoformat(),
            "next": str(signed.next_reading) if signed.next_reading else None,
        },
        received_at=signed.signed_at,
    )
    FirstRead.objects.filter(reading=reading, locked_at=None).update(locked_at=signed.signed_at)
    if reading.opened_at is None:
        give_number(reading.assignment)
    Reading.objects.filter(pk=reading.pk).update(
        signed_at=signed.signed_at, opened_at=reading.opened_at or signed.signed_at
    )
    note_signature(reading)
    record_event(actor=reader, action="sign_reading", subject=reading)
    return signed


@transaction.atomic
def amend_reading(*, reading: Reading, reader: User, reason: str) -> Reading:
    """A new open reading that starts from the signed one, names it, and says why."""
    signed = (
        Reading.objects.select_for_update(of=("self",)).select_related("assignment__case").get(pk=reading.pk)
    )
    _require_reader(reader, signed.assignment)
    if signed.signed_at is None:
        raise RefusedByRule("This reading is still open. Change it directly.")
    if Reading.objects.filter(amends=signed).exists():
        raise RefusedByRule("This reading was amended already. Amend the latest one.")
    require_may_amend(signed)
    if not reason.strip():
        raise RefusedByRule("An amendment says why. Write a reason.")
    amendment = Reading.objects.create(
        assignment=signed.assignment,
        completion_a_id=signed.completion_a_id,
        completion_b_id=signed.completion_b_id,
        amends=signed,
        amendment_reason=reason.strip(),
        window_center=signed.window_center,
        window_width=signed.window_width,
        inverted=signed.inverted,
        look_index=signed.look_index,
        look_name=signed.look_name,
        look_curve=signed.look_curve,
        measured_lines=signed.measured_lines,
        asks_first_read=signed.asks_first_read,
        revealed_at=signed.revealed_at,
        opened_at=timezone.now(),
    )
    copy_all(source=signed, target=amendment)
    record_event(actor=reader, action="amend_reading", subject=amendment, details={"amends": str(signed.uid)})
    return amendment


@transaction.atomic
def discard_amendment(*, reading: Reading, reader: User) -> uuid.UUID:
    """Give up an open amendment with all that it says. Returns the signed reading, which stays as it is."""
    held = Reading.objects.select_for_update(of=("self",)).select_related("assignment", "amends")
    amendment = held.filter(pk=reading.pk).first()
    if amendment is None:
        raise RefusedByRule("This amendment is discarded already. Go back to your worklist.")
    _require_reader(reader, amendment.assignment)
    if amendment.amends is None:
        raise RefusedByRule("This reading amends no other, so there is no amendment to discard.")
    if amendment.signed_at is not None:
        raise RefusedByRule("This amendment is signed, so it stays. Amend it to change it.")
    signed = amendment.amends
    amendment.delete()
    record_event(
        actor=reader, action="discard_amendment", subject=amendment, details={"amends": str(signed.uid)}
    )
    return signed.uid


def _require_reader(reader: User, assignment: Assignment) -> None:
    require(reader, Capability.READ_CASES)
    if assignment.reader_id != reader.pk:
        raise NotYours("This case is assigned to another reader. Go back to your worklist.")
