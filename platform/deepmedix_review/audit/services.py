"""Writes the audit record: who saw or changed what, each event bound to the one before by a keyed hash."""

import json
from collections.abc import Sequence
from typing import Any, Protocol

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.chain import GENESIS, event_hash
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.prepared import prepared_cursor

# Any fixed number: the advisory lock under which events take their place in the chain.
CHAIN_LOCK = 7_205_759
# SQL, since it runs at every click.
COLUMNS = (
    "sequence",
    "at",
    "actor_id",
    "action",
    "subject_type",
    "subject_uid",
    "details",
    "previous_hash",
    "hash",
)
APPEND = f"""
INSERT INTO audit_auditevent ({", ".join(COLUMNS)})
VALUES (%s::bigint, %s, %s::bigint, %s, %s, %s, %s::jsonb, %s, %s)
"""


class Subject(Protocol):
    uid: Any


def record_event(
    *, actor: User | None, action: str, subject: Subject, details: dict[str, Any] | None = None
) -> AuditEvent:
    """Append one event. Call it last in a transaction: the chain is locked until that commits."""
    return record_events(actor=actor, action=action, about=[(subject, details or {})])[0]


def record_events(
    *, actor: User | None, action: str, about: Sequence[tuple[Subject, dict[str, Any]]]
) -> list[AuditEvent]:
    """Append one event for each subject with its details, in their order, as `record_event` appends one."""
    events: list[AuditEvent] = []
    by_program = _by_program(actor)
    # Without a savepoint of its own: an event that can't be written takes the act back with it.
    with transaction.atomic(savepoint=False), prepared_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s::bigint)", [CHAIN_LOCK])
        # A statement of its own: what it reads must be as it is once the chain is locked.
        cursor.execute("SELECT sequence, hash FROM audit_auditevent ORDER BY sequence DESC LIMIT 1")
        sequence, previous_hash = cursor.fetchone() or (0, GENESIS)
        for subject, details in about:
            event = AuditEvent(
                sequence=sequence + 1,
                at=timezone.now(),
                actor=actor,
                action=action,
                # Also of one that a request names lazily.
                subject_type=subject.__class__.__name__,
                subject_uid=str(subject.uid),
                details=details | by_program,
                previous_hash=previous_hash,
            )
            event.hash = event_hash(event)
            sequence, previous_hash = event.sequence, event.hash
            events.append(event)
        rows = [[_column(event, name) for name in COLUMNS] for event in events]
        if len(rows) == 1:
            # Sent as one of many it takes a fifth longer, at every click.
            cursor.execute(APPEND, rows[0])
        else:
            cursor.executemany(APPEND, rows)
    return events


def _column(event: AuditEvent, name: str) -> Any:
    value = getattr(event, name)
    return json.dumps(value) if name == "details" else value


def _by_program(actor: User | None) -> dict[str, str]:
    """Which token acted for the person."""
    return {} if actor is None or actor.token is None else {"by_token": str(actor.token.uid)}
