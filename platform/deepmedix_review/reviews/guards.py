"""Says who may open, change and see what in a reader study, and why not."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.selectors import last_recorded
from deepmedix_review.common.errors import Closed, IsOver, NotYours, OutOfUse, RefusedByRule
from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.pauses import Pause, pause_of, say_over, who_made

# SQL, since it runs at every click: the columns of a Standing, and where they are.
STANDING_COLUMNS = """
    assignment.kind, assignment.withdrawn_at, assignment.lease_expires_at, assignment.available_at,
    study.state, study.lease_minutes, coalesce(invitation.deadline, study.deadline), invitation.state
"""
STANDING_TABLES = """
reviews_assignment assignment
JOIN reviews_case c ON c.id = assignment.case_id
JOIN reviews_readerstudy study ON study.id = c.reader_study_id
LEFT JOIN reviews_invitation invitation
    ON invitation.reader_study_id = study.id AND invitation.reader_id = assignment.reader_id
"""


class NoReaderHere(Closed):
    """Its reader was removed from the reader study, or the case went to another: nothing of what is not
    signed is shown any more."""


@dataclass(frozen=True)
class Standing:
    """How an assignment stands: its reader study's state and deadline, its lease, its reader's invitation."""

    kind: str
    withdrawn_at: datetime | None
    lease_expires_at: datetime | None
    available_at: datetime | None
    study_state: str
    lease_minutes: int
    deadline: date | None
    invitation: str | None


def standing_of(assignment_id: int) -> Standing:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {STANDING_COLUMNS} FROM {STANDING_TABLES} WHERE assignment.id = %s",
            [assignment_id],
        )
        return Standing(*cursor.fetchone())


def require_may_open(assignment_id: int) -> None:
    """Raises Closed or IsOver where this case can't be begun: paused, locked, late, taken away, not due."""
    standing = standing_of(assignment_id)
    _require_held(standing, assignment_id)
    if standing.study_state == ReaderStudy.State.PAUSED:
        raise Closed(_paused(assignment_id))
    if standing.kind == Assignment.Kind.REPEAT and (
        standing.available_at is None or standing.available_at > timezone.now()
    ):
        raise Closed("This case is not open yet. Go back to your worklist and read the next one.")


def require_may_change(reading: Reading, standing: Standing | None = None) -> Standing:
    """Raises Closed, or IsOver, where nothing can be kept any more. A paused study's opened readings go on.

    `standing` of the reading's assignment saves its query.
    """
    standing = standing or standing_of(reading.assignment_id)
    _require_held(standing, reading.assignment_id)
    if reading.amends_id is not None and reading.assignment.case.tells_its_answer:
        raise IsOver(
            "What is known of this practice case was shown with your signature, so this amendment can't be "
            "signed any more: your signed reading counts. Your worklist discards the amendment."
        )
    if standing.study_state == ReaderStudy.State.PAUSED and reading.opened_at is None:
        raise Closed(_paused(reading.assignment_id))
    return standing


def require_may_amend(signed: Reading) -> None:
    """Raises RefusedByRule of a case whose answer was told with the signature: what is said after it is no
    word of the reader's own. Raises Closed, or IsOver, where nothing can be kept any more."""
    if signed.assignment.case.tells_its_answer:
        raise RefusedByRule(
            "This was a practice case: what is known of it was shown with your signature, so your reading "
            "stays as you signed it."
        )
    require_may_change(signed)


def left_by_discarding(uid: uuid.UUID, *, reader: User) -> uuid.UUID | None:
    """The signed reading that counts since this reader discarded this amendment of it; None where it was not
    discarded, or by another."""
    events = last_recorded(action="discard_amendment", subject_type="Reading", subject_uids=[uid])
    event = events.get(str(uid))
    return uuid.UUID(event.details["amends"]) if event and event.actor_id == reader.pk else None


def refuse_reading(uid: uuid.UUID, *, reader: User) -> RefusedByRule:
    """Why the reader has no such reading. Of an amendment of theirs that was discarded it is said for good:
    what another window still has of it would wait for ever."""
    if left_by_discarding(uid, reader=reader) is not None:
        return IsOver("You discarded this amendment. The signed reading stays as it is.")
    if _was_at_hand(uid, reader=reader) and not Reading.objects.filter(uid=uid).exists():
        return OutOfUse(
            "This case is not here any more: an admin erased its study, and what was said of it. Go back to "
            "your worklist and read the next one."
        )
    return NotYours("This reading is not among yours. Go back to your worklist.")


def _was_at_hand(uid: uuid.UUID, *, reader: User) -> bool:
    """Whether the reader opened it, or said something of it."""
    mine = AuditEvent.objects.filter(subject_type="Reading", subject_uid=str(uid), actor=reader)
    return mine.exists()


def require_reader_here(reading: Reading) -> None:
    """Raises NoReaderHere where its reader was removed before signing it, or it went to another reader."""
    if reading.signed_at is None:
        standing = standing_of(reading.assignment_id)
        _require_not_removed(standing)
        _require_not_taken(standing)


def require_results_visible(user: User, reader_study: ReaderStudy) -> None:
    """Raises RefusedByRule where the design hides ratings from everybody until the lock."""
    if reader_study.hides_results and reader_study.state != ReaderStudy.State.LOCKED:
        raise RefusedByRule(
            "The design of this reader study hides its results until it is locked. Lock it to see them."
        )


def require_designer(user: User | None) -> None:
    """Raises NotYours. None is the product itself."""
    if user is not None:
        require(user, Capability.DESIGN_READER_STUDIES)


def _paused(assignment_id: int) -> str:
    return (pause_of(_reader_study(assignment_id)) or Pause()).sentence


def _reader_study(assignment_id: int) -> ReaderStudy:
    return ReaderStudy.objects.select_related("created_by").get(cases__assignments=assignment_id)


def _require_held(standing: Standing, assignment_id: int) -> None:
    if standing.study_state == ReaderStudy.State.DRAFT:
        raise Closed("This reader study has not begun. Go back to your worklist.")
    if standing.study_state == ReaderStudy.State.LOCKED:
        raise IsOver("This reader study is locked: what was said of it stays as it is.")
    _require_not_removed(standing)
    _require_not_taken(standing)
    if standing.withdrawn_at is not None:
        raise Closed(
            "Your lease on this case ran out, so another reader may have it. What you said is kept. "
            "Take the next case from your worklist; this one comes back to you if it is still free.",
            may_take=True,
        )
    if standing.deadline is not None and standing.deadline < timezone.localdate():
        raise Closed(say_over(standing.deadline, who_made(_reader_study(assignment_id))))


def _require_not_taken(standing: Standing) -> None:
    """A case whose lease ran out may come back, so it is none of these."""
    if standing.withdrawn_at is not None and standing.lease_expires_at is None:
        raise NoReaderHere("This case was taken off your worklist. Go back and read the next one.")


def _require_not_removed(standing: Standing) -> None:
    if standing.invitation == Invitation.State.REMOVED:
        raise NoReaderHere("You are no longer a reader of this reader study. Go back to your worklist.")
