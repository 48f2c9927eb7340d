"""Reads the audit record, and finds the first place where it was tampered with."""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.chain import GENESIS, event_hash
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.subjects import CALLED, Called, find_subjects, people
from deepmedix_review.audit.words import in_words
from deepmedix_review.common.models import PublicModel
from deepmedix_review.common.paging import Page, page_of

PAGE_SIZE = 100
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BETWEEN_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HASH = re.compile(r"[0-9a-f]{32,}")


@dataclass(frozen=True)
class ChainCheck:
    """`broken_at` is the first sequence number that does not hold, None when all hold."""

    num_events: int
    head_sequence: int
    head_hash: str
    broken_at: int | None
    reason: str


def done_by_commands(subject: PublicModel, *, action: str) -> list[datetime]:
    """When this was done with it by nobody who has an account; the oldest first."""
    events = AuditEvent.objects.filter(
        action=action, subject_type=type(subject).__name__, subject_uid=str(subject.uid), actor=None
    )
    return list(events.order_by("sequence").values_list("at", flat=True))


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


@dataclass(frozen=True)
class Asked:
    """What an admin looks for, as it was typed; days are of UTC, both of them included."""

    action: str = ""
    actor: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None


def event_page(asked: Asked, *, before: int | None = None) -> Page[AuditEvent]:
    """Newest first, with the actor's row. `subject` is a uid, or whatever screens call a thing; of a study
    and a patient that is all that belongs to them. A film is found in events that name many, too."""
    events = AuditEvent.objects.select_related("actor")
    if asked.action:
        events = events.filter(action=asked.action)
    if asked.actor:
        events = events.filter(actor__in=list(people(asked.actor)))
    if asked.subject:
        events = events.filter(_about(asked.subject))
    if asked.since:
        events = events.filter(sequence__gte=first_from(asked.since))
    if asked.until:
        events = events.filter(sequence__lt=first_from(asked.until + timedelta(days=1)))
    return page_of(events, before=before, size=PAGE_SIZE)


def _about(words: str) -> Q:
    found = find_subjects(words)
    about = Q(subject_uid=words)
    for kind, uids in found.items():
        about |= Q(subject_type=kind, subject_uid__in=[str(uid) for uid in uids])
    films = {words, *(str(uid) for uid in found.get("Instance", ()))}
    for film in films:
        about |= Q(action="view_pictures", details__contains={"films": [film]})
    return about


def first_from(day: date) -> int:
    """The first event of this day or a later one, by halves: events follow each other in time, and their
    numbers have no gaps. One past the newest where there is none."""
    begins = datetime.combine(day, time(), UTC)
    newest = AuditEvent.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    low, high = 1, newest + 1
    while low < high:
        middle = (low + high) // 2
        if AuditEvent.objects.filter(sequence=middle, at__lt=begins).exists():
            low = middle + 1
        else:
            high = middle
    return low


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
    kind: str
    subject: Word
    page: str
    details: tuple[tuple[str, tuple[Word, ...]], ...]


def event_rows(events: Iterable[AuditEvent]) -> tuple[EventRow, ...]:
    """In one query for people and one for each kind of subject: what they are called, in place of uids."""
    events = list(events)
    named = {value for event in events for value in (event.subject_uid, *_strings(event.details))}
    uids = [uuid.UUID(value) for value in named if _UUID.fullmatch(value)]
    accounts = User.objects.filter(uid__in=uids).values_list("uid", "pseudonym")
    pseudonyms = {str(uid): pseudonym for uid, pseudonym in accounts}
    called = _called(events)
    return tuple(
        EventRow(
            event,
            action=in_words(event.action),
            kind=_BETWEEN_WORDS.sub(" ", event.subject_type).lower(),
            subject=_subject(event, called),
            page=called[event.subject_uid].page if event.subject_uid in called else "",
            details=tuple(
                (name.replace("_", " "), tuple(_word(value, pseudonyms) for value in _as_list(values)))
                for name, values in event.details.items()
            ),
        )
        for event in events
    )


def _called(events: Iterable[AuditEvent]) -> dict[str, Called]:
    by_kind: dict[str, set[uuid.UUID]] = defaultdict(set)
    for event in events:
        if event.subject_type in CALLED and _UUID.fullmatch(event.subject_uid):
            by_kind[event.subject_type].add(uuid.UUID(event.subject_uid))
    return {str(uid): called for kind, uids in by_kind.items() for uid, called in CALLED[kind](uids).items()}


def _subject(event: AuditEvent, called: Mapping[str, Called]) -> Word:
    uid = event.subject_uid
    return Word(called[uid].label, uid) if uid in called else _word(uid, {})


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
