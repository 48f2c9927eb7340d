"""Pauses, resumes and cancels batches, tries what failed in them again, and ends those that are through."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.reasoning.batches.selectors import counts_of
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob, Purpose

# Of one statement, so that no worker waits long for a row of it.
NUM_ENDED_AT_ONCE = 5000


def pause_batch(batch: InferenceBatch, *, actor: User) -> None:
    """What runs goes on; nothing more of it begins."""
    with _locked(batch):
        _require_under_way(batch)
        if batch.paused_at:
            raise RefusedByRule("This batch is paused already. Resume it to go on.")
        _set(batch, paused_at=timezone.now())
        record_event(actor=actor, action="pause_inference_batch", subject=batch)


def resume_batch(batch: InferenceBatch, *, actor: User) -> None:
    """Go on after a pause, or with the asking where that failed."""
    with _locked(batch):
        if batch.state == JobState.FAILED:
            jobs.retry(batch)
            _set(batch, ended_at=None)
        else:
            _require_under_way(batch)
            if not batch.paused_at:
                raise RefusedByRule("This batch is not paused, so there is nothing to resume.")
        _set(batch, paused_at=None, resumed_at=timezone.now())
        record_event(actor=actor, action="resume_inference_batch", subject=batch)


def cancel_batch(batch: InferenceBatch, *, actor: User) -> None:
    """Nothing more of it is asked or begins; `end_cancelled` ends its jobs."""
    with _locked(batch):
        _require_under_way(batch)
        _set(batch, cancelled_at=timezone.now())
        jobs.request_cancel(batch)
        record_event(actor=actor, action="cancel_inference_batch", subject=batch)


def end_cancelled(batch_id: int) -> None:
    """Waiting jobs end at once, running ones within a token; what a person waits for stays."""
    of_it = InferenceJob.objects.filter(batch=batch_id, batch__cancelled_at__isnull=False)
    of_it = of_it.exclude(purpose=Purpose.INTERACTIVE)
    of_it.filter(state=JobState.RUNNING, cancel_requested=False).update(cancel_requested=True)
    waiting = of_it.filter(state=JobState.QUEUED).order_by("pk").values_list("pk", flat=True)
    while ids := list(waiting[:NUM_ENDED_AT_ONCE]):
        jobs.cancel_unclaimed(InferenceJob.objects.filter(pk__in=ids))
    end_through()


def being_cancelled() -> Sequence[int]:
    cancelled = InferenceBatch.objects.filter(ended_at=None, cancelled_at__isnull=False)
    return list(cancelled.values_list("pk", flat=True))


def retry_failures(batch: InferenceBatch, *, reason: str, actor: User) -> int:
    """Those that failed for this reason are tried again with all attempts; "" takes what was cancelled.
    Returns how many."""
    ended = JobState.FAILED if reason else JobState.CANCELLED
    with _locked(batch):
        keep_whole()
        found = InferenceJob.objects.filter(batch=batch, state=ended)
        if reason:
            found = found.filter(error=reason)
        number = found.count()
        if not number:
            raise RefusedByRule("Nothing of this batch ended so any more. Open it again.")
        jobs.retry_all(found, num_tokens=0, purpose=batch.purpose)
        # What came before it had ended is no part of its pace now.
        begun_anew = timezone.now() if batch.ended_at else batch.resumed_at
        _set(batch, ended_at=None, cancelled_at=None, resumed_at=begun_anew)
        record_event(
            actor=actor, action="retry_inference_batch", subject=batch, details={"inferences": number}
        )
    return number


def _require_under_way(batch: InferenceBatch) -> None:
    if batch.ended_at:
        raise RefusedByRule("This batch is through. What failed in it can be tried again.")
    if batch.cancelled_at:
        raise RefusedByRule("This batch was cancelled already.")


@contextmanager
def _locked(batch: InferenceBatch) -> Iterator[None]:
    """A transaction in which nobody else changes the row; it is read anew."""
    with transaction.atomic():
        batch.refresh_from_db(from_queryset=InferenceBatch.objects.select_for_update(no_key=True))
        yield


def _set(batch: InferenceBatch, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(batch, name, value)
    batch.save(update_fields=list(fields))


def end_through() -> None:
    """Each batch of which nothing is left to ask or to answer, with its counts."""
    for batch in _through():
        with _locked(batch):
            if _through().filter(pk=batch.pk).exists():
                counts = counts_of([batch])[batch.pk]
                _set(
                    batch,
                    ended_at=timezone.now(),
                    paused_at=None,
                    num_done=counts.num_done,
                    num_failed=counts.num_failed,
                    num_cancelled=counts.num_cancelled,
                )


def _through() -> QuerySet[InferenceBatch]:
    open_jobs = InferenceJob.objects.filter(batch=OuterRef("pk"))
    return InferenceBatch.objects.filter(
        ~Exists(open_jobs.filter(state=JobState.QUEUED)),
        ~Exists(open_jobs.filter(state=JobState.RUNNING)),
        state__in=FINAL_STATES,
        ended_at=None,
    )
