"""Reads the audit record, and finds the first place where it was tampered with."""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.chain import GENESIS, event_hash
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.words import in_words
from deepmedix_review.common.paging import Page, page_of

PAGE_SIZE = 100
# On which page a subject is looked at, by the name of its kind; whoever sees the record may open it.
PAGES = {
    "Study": "study-detail",
    "ReaderStudy": "reader-study-detail",
    "Collection": "collection-detail",
    "User": "account-detail",
    "Erasure": "erasure-detail",
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{32,}")


@dataclass(frozen=True)
class ChainCheck:
    """`broken_at` is the first sequence number that does not hold, None when all hold."""

    num_events: int
    head_sequence: int
    head_hash: str
    broken_at: int | None
    reason: str


def last_recorded(
    *, action: str, subject_type: str, subject_uids: Iterable[uuid.UUID]
) -> Mapping[str, AuditEvent]:
    """By uid of the subject, when this was done with it last, with the person who did it."""
    events = AuditEvent.objects.filter(
        action=action, subject_type=subject_type, subject_uid__in=[str(uid) for uid in subject_uids]
    )
    latest = events.order_by("subject_uid", "-sequence").distinct("subject_uid").select_related("actor")
    return {event.subject_uid: event for event in latest}


def check_chain(*, expected_head: tuple[int, str] | None = None) -> ChainCheck:
    """Walk the whole chain in constant memory. `expected_head` (sequence, hash), kept outside the database,
    also finds events cut off at the end, which the chain alone cannot show."""
    num_events, sequence, previous_hash = 0, 0, GENESIS
    hash_at_expected: str | None = None

    def broken(at: int, reason: str) -> ChainCheck:
        return ChainCheck(num_events, sequence, previous_hash, at, reason)

    for event in AuditEvent.objects.order_by("sequence").iterator(chunk_size=2000):
        if event.sequence != sequence + 1:
            return broken(sequence + 1, "the event is missing")
        if event.previous_hash != previous_hash:
            return broken(event.sequence, "it does not follow the event before it")
        if event.hash != event_hash(event):
            return broken(event.sequence, "its content was changed")
        num_events, sequence, previous_hash = num_events + 1, event.sequence, event.hash
        if expected_head is not None and sequence == expected_head[0]:
            hash_at_expected = event.hash
    if expected_head is not None and hash_at_expected != expected_head[1]:
        return broken(min(expected_head[0], sequence + 1), "the head that was kept is not in the chain")
    return ChainCheck(num_events, sequence, previous_hash, None, "")


def event_page(
    *, action: str = "", actor: str = "", subject: str = "", before: int | None = None
) -> Page[AuditEvent]:
    """Newest first, with the actor's row; `actor` is a pseudonym, `subject` a uid, each whole or empty. A
    film is found in events that name many, too."""
    events = AuditEvent.objects.select_related("actor")
    if action:
        events = events.filter(action=action)
    if actor:
        events = events.filter(actor__pseudonym=actor)
    if subject:
        in_list = Q(action="view_pictures", details__contains={"films": [subject]})
        events = events.filter(Q(subject_uid=subject) | in_list)
    return page_of(events, before=before, size=PAGE_SIZE)


@dataclass(frozen=True)
class Word:
    """What a table shows of a value: short, or a pseudonym; `whole` where something was left out."""

    shown: str
    whole: str = ""


@dataclass(frozen=True)
class EventRow:
    """One event as a person reads it."""

    event: AuditEvent
    action: str
    subject: Word
    page: str
    details: tuple[tuple[str, tuple[Word, ...]], ...]


def event_rows(events: Iterable[AuditEvent]) -> tuple[EventRow, ...]:
    """In one query: a uid that is an account's is shown as its pseudonym."""
    events = list(events)
    named = {value for event in events for value in (event.subject_uid, *_strings(event.details))}
    uids = [uuid.UUID(value) for value in named if _UUID.fullmatch(value)]
    accounts = User.objects.filter(uid__in=uids).values_list("uid", "pseudonym")
    pseudonyms = {str(uid): pseudonym for uid, pseudonym in accounts}
    return tuple(
        EventRow(
            event,
            action=in_words(event.action),
            subject=_word(event.subject_uid, pseudonyms),
            page=_page_of(event),
            details=tuple(
                (name.replace("_", " "), tuple(_word(value, pseudonyms) for value in _as_list(values)))
                for name, values in event.details.items()
            ),
        )
        for event in events
    )


def _page_of(event: AuditEvent) -> str:
    """Empty where there is none."""
    name = PAGES.get(event.subject_type)
    return reverse(name, args=[event.subject_uid]) if name and _UUID.fullmatch(event.subject_uid) else ""


def _strings(details: Mapping[str, Any]) -> list[str]:
    return [value for values in details.values() for value in _as_list(values) if isinstance(value, str)]


def _as_list(values: Any) -> list[Any]:
    match values:
        case list():
            return values
        case dict():
            return [f"{name.replace('_', ' ')} {value}" for name, value in values.items()]
        case _:
            return [values]


def _word(value: Any, pseudonyms: Mapping[str, str]) -> Word:
    text = "none" if value is None else str(value)
    if text in pseudonyms:
        return Word(pseudonyms[text], text)
    if _UUID.fullmatch(text):
        return Word(text[:8], text)
    if _HASH.fullmatch(text):
        return Word(text[:12], text)
    return Word(text)
