"""Finds what happened since an address was last told of anything."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import FINAL_STATES, LeasedJob
from deepmedix_review.exports.models import Export
from deepmedix_review.feedback.models import GateDecision, TrainingRun
from deepmedix_review.reviews.models import Reading
from deepmedix_review.webhooks.models import EventKind, Webhook

# A job's end has its moment before it is committed: so long is looked back.
COMMITS_WITHIN = timedelta(minutes=10)
AT_ONCE = 1000


@dataclass(frozen=True)
class Happened:
    kind: EventKind
    subject: UUID
    at: datetime
    data: dict[str, Any]


@dataclass
class Found:
    """What happened, and up to where was looked."""

    audited_up_to: int
    ended_up_to: datetime
    happened: list[Happened] = field(default_factory=list)


def happened_since(webhook: Webhook) -> Found:
    """Of the kinds that it asks for. Ends of jobs may be found twice: a message of each is kept once.

    The audit record is numbered in the order of commits, so what was looked at once is never looked at again.
    """
    now = timezone.now()
    events = list(
        AuditEvent.objects.filter(sequence__gt=webhook.audited_up_to)
        .order_by("sequence")
        .values_list("sequence", "action", "subject_uid", "at")[:AT_ONCE]
    )
    found = Found(events[-1][0] if events else webhook.audited_up_to, now)
    kinds = set(webhook.kinds)
    if EventKind.READING_SIGNED in kinds:
        found.happened += _signed({UUID(uid): at for _, act, uid, at in events if act == "sign_reading"})
    if EventKind.GATE_DECIDED in kinds:
        found.happened += _decided({UUID(uid): at for _, act, uid, at in events if act == "decide_gate"})
    since = webhook.ended_up_to - COMMITS_WITHIN
    if EventKind.EXPORT_ENDED in kinds:
        found.happened += _ended(Export, EventKind.EXPORT_ENDED, "export", since=since, webhook=webhook)
    if EventKind.RUN_ENDED in kinds:
        found.happened += _ended(TrainingRun, EventKind.RUN_ENDED, "run", since=since, webhook=webhook)
    return found


def _signed(moments: dict[UUID, datetime]) -> Iterator[Happened]:
    rows = Reading.objects.filter(uid__in=moments).values_list("uid", "assignment__case__reader_study__uid")
    for uid, study in rows:
        data = {"reading": str(uid), "reader_study": str(study)}
        yield Happened(EventKind.READING_SIGNED, uid, moments[uid], data)


def _decided(moments: dict[UUID, datetime]) -> Iterator[Happened]:
    # Of a version that was decided on beside several the last word.
    rows = GateDecision.objects.filter(candidate__uid__in=moments).order_by("candidate", "-pk")
    for uid, outcome in rows.distinct("candidate").values_list("candidate__uid", "outcome"):
        data = {"model": str(uid), "outcome": outcome}
        yield Happened(EventKind.GATE_DECIDED, uid, moments[uid], data)


def _ended(
    model: type[LeasedJob], kind: EventKind, called: str, *, since: datetime, webhook: Webhook
) -> Iterator[Happened]:
    ended = model._default_manager.filter(
        state__in=FINAL_STATES, finished_at__gt=max(since, webhook.created_at)
    )
    for uid, state, at in ended.values_list("uid", "state", "finished_at"):
        if at is not None:
            yield Happened(kind, uid, at, {called: str(uid), "state": state})
