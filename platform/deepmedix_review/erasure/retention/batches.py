"""Erases what is due, once an admin has said so: a batch is a list of studies, erased one after another."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.dates import say_moment
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.erasing import erase
from deepmedix_review.erasure.in_use import READ, hindrances_of_rule
from deepmedix_review.erasure.models import BatchedStudy, ErasedStudy, Erasure, RetentionBatch
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.erasure.services import ASKING_LOCK, Asked, queue_erasure
from deepmedix_review.reviews.models import Case
from deepmedix_review.studies.retention.due import due_of, falling_due, rules_on

# The rest waits for the next one: a person can look through so many.
MOST_AT_ONCE = 1000
WRITTEN_AT_ONCE = 200


@dataclass(frozen=True)
class AskedBatch:
    """`num_confirmed` is the number of studies that go, typed by the person who asks; `as_of` the moment by
    which they are due, None takes now."""

    num_confirmed: int
    as_of: datetime | None = None


def to_erase(*, as_of: datetime) -> list[int]:
    """Keys of what a batch of that moment would take, the longest due first."""
    return list(_to_erase(as_of).values_list("pk", flat=True)[:MOST_AT_ONCE])


def record_preview(num_studies: int, *, as_of: datetime, actor: User) -> None:
    """Who looked at what would go."""
    record_event(
        actor=actor,
        action="preview_retention_batch",
        subject=actor,
        details={"as_of": as_of.isoformat(), "num_studies": num_studies},
    )


def queue_batch(asked: AskedBatch, *, actor: User) -> RetentionBatch:
    """A list of what is due now; each study is asked again before it goes."""
    require(actor, Capability.ERASE_STUDIES)
    now = timezone.now()
    as_of = min(asked.as_of or now, now)
    with transaction.atomic():
        # Of two at once the second finds what the first has.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ASKING_LOCK])
        keys = to_erase(as_of=as_of)
        if not keys:
            raise RefusedByRule(f"Nothing is due by {say_moment(as_of)} that is not being erased already.")
        if asked.num_confirmed != len(keys):
            raise RefusedByRule(
                f"{len(keys):,} are due by {say_moment(as_of)}. Look at them again, and type {len(keys)}."
            )
        batch = RetentionBatch.objects.create(requested_by=actor, as_of=as_of)
        rules = rules_on()
        for first in range(0, len(keys), WRITTEN_AT_ONCE):
            some = falling_due(by=as_of, rules=rules).filter(pk__in=keys[first : first + WRITTEN_AT_ONCE])
            BatchedStudy.objects.bulk_create(
                BatchedStudy(batch=batch, study_uid=due.study.uid, due_at=due.at, because=due.rule.because)
                for due in due_of(list(some), rules)
            )
        record_event(
            actor=actor,
            action="request_retention_batch",
            subject=batch,
            details={"as_of": as_of.isoformat(), "num_studies": len(keys)},
        )
    return batch


def cancel_batch(batch: RetentionBatch, *, actor: User) -> None:
    """What went stays gone; what has not begun stays, and is due still."""
    require(actor, Capability.ERASE_STUDIES)
    if batch.is_final:
        raise RefusedByRule(f"This is {batch.state} already: nothing is left to cancel.")
    with transaction.atomic():
        jobs.request_cancel(batch)
        record_event(actor=actor, action="cancel_retention_batch", subject=batch)


def requeue_batch(batch: RetentionBatch, *, actor: User) -> None:
    """One that failed goes on with the studies that it had not come to."""
    require(actor, Capability.ERASE_STUDIES)
    if batch.state != JobState.FAILED:
        raise RefusedByRule(f"This is {batch.state}; only what failed can be tried again.")
    with transaction.atomic():
        jobs.retry(batch)
        record_event(actor=actor, action="retry_retention_batch", subject=batch)


def erase_batch(batch: RetentionBatch, *, check: Callable[[], None]) -> None:
    """To its end. A worker that takes it up again goes on with the next study; an erasure that the last one
    left in the middle goes on by itself."""
    last = 0
    while True:
        check()
        one = batch.studies.filter(pk__gt=last, erasure=None, said="").order_by("pk").first()
        if one is None:
            break
        last = one.pk
        erasure = _begin(one, batch=batch)
        if erasure is not None:
            jobs.carry_out(Erasure, job_id=erasure.pk, work=erase)
        jobs.heartbeat(batch, is_kept=True)
    with transaction.atomic():
        jobs.finish(batch, state=JobState.DONE)
        num_asked = batch.studies.filter(erasure__isnull=False).count()
        record_event(
            actor=batch.requested_by,
            action="finish_retention_batch",
            subject=batch,
            details={"num_erased": num_asked, "num_kept": batch.studies.exclude(said="").count()},
        )


def read_now() -> QuerySet[Case]:
    """Cases of the study of the query outside, in reader studies that are not locked."""
    return Case.objects.filter(study=OuterRef("pk"), reader_study__state__in=READ)


def _begin(one: BatchedStudy, *, batch: RetentionBatch) -> Erasure | None:
    """Its erasure, asked for; or why not, kept as what is said of it."""
    with transaction.atomic():
        jobs.hold(batch)
        try:
            with transaction.atomic():
                one.erasure = _asked_for(one, batch)
        except NotYours:
            raise
        except (RefusedByRule, Http404) as refusal:
            gone = "It is not here any more: it was erased otherwise."
            one.said = gone if isinstance(refusal, Http404) else str(refusal)
        one.save(update_fields=["erasure", "said"])
    return one.erasure


def _asked_for(one: BatchedStudy, batch: RetentionBatch) -> Erasure:
    scope = study_scope(batch.requested_by, one.study_uid)
    against = hindrances_of_rule(scope.studies[0], as_of=batch.as_of)
    if against:
        raise RefusedByRule(" ".join(against))
    asked = Asked(why=Erasure.Why.RETENTION, note=one.because, confirmed=scope.name)
    return queue_erasure(scope, asked, actor=batch.requested_by)


def _to_erase(as_of: datetime) -> QuerySet[Any]:
    """Without what is being erased, what a batch has on its list, and what readers read."""
    under_way = ErasedStudy.objects.filter(study_uid=OuterRef("uid")).exclude(
        erasure__state__in=(JobState.CANCELLED, JobState.DONE)
    )
    listed = BatchedStudy.objects.filter(
        study_uid=OuterRef("uid"),
        erasure=None,
        said="",
        batch__state__in=(JobState.QUEUED, JobState.RUNNING, JobState.FAILED),
    )
    return falling_due(by=as_of).filter(~Exists(under_way), ~Exists(listed), ~Exists(read_now()))
