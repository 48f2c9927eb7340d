"""Writes the audit record: who saw or changed what, each event bound to the one before by a keyed hash."""

from typing import Any, Protocol

from django.db import connection, transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.chain import GENESIS, event_hash
from deepmedix_review.audit.models import AuditEvent

# Any fixed number: the advisory lock under which events take their place in the chain.
CHAIN_LOCK = 7_205_759


class Subject(Protocol):
    uid: Any


def record_event(
    *, actor: User | None, action: str, subject: Subject, details: dict[str, Any] | None = None
) -> AuditEvent:
    """Append one event. Call it last in a transaction: the chain is locked until that commits."""
    # Without a savepoint of its own: an event that can't be written takes the act back with it.
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
        last = AuditEvent.objects.order_by("-sequence").values_list("sequence", "hash").first()
        sequence, previous_hash = last or (0, GENESIS)
        event = AuditEvent(
            sequence=sequence + 1,
            at=timezone.now(),
            actor=actor,
            action=action,
            subject_type=type(subject).__name__,
            subject_uid=str(subject.uid),
            details=(details or {}) | _by_program(actor),
            previous_hash=previous_hash,
        )
        event.hash = event_hash(event)
        event.save(force_insert=True)
    return event


def _by_program(actor: User | None) -> dict[str, str]:
    """Which token acted for the person."""
    return {} if actor is None or actor.token is None else {"by_token": str(actor.token.uid)}
