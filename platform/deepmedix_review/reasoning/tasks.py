"""Asks models about studies, and lets workers answer."""

import time
from collections.abc import Sequence

from celery import shared_task
from django.conf import settings
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning import claiming, services, unfinished
from deepmedix_review.reasoning.answering import Answering
from deepmedix_review.reasoning.batches import asking
from deepmedix_review.reasoning.batches import services as batch_services
from deepmedix_review.reasoning.batches.asking import WantedBatch
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob, WaitingCancel
from deepmedix_review.reasoning.sampling import TWO, Sampling
from deepmedix_review.reasoning.workers.presence import announce
from deepmedix_review.reasoning.workers.services import forget_gone
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.registry.tasks import engine_of
from deepmedix_review.studies.models import Instance, Study

# After so long a worker sees what else waits for it: a model to be checked, say, or its own end.
TURN_SECONDS = 10.0

_answering = Answering(engine_of)
announce(_answering)


def request_inference(
    *,
    study: Study,
    actor: User | None,
    query: str | None = None,
    sampling: Sampling = TWO,
    version: ModelVersion | None = None,
) -> list[InferenceJob]:
    """Ask the serving model, or another version; two samples, so that readers can compare them."""
    with transaction.atomic():
        wanted = services.queue_inference(
            study=study,
            version=version or serving_model(),
            query=query,
            sampling=sampling,
            actor=actor,
        )
        if any(job.state == JobState.QUEUED for job in wanted):
            call_workers(1)
    return wanted


def request_inference_of_films(
    films: Sequence[Instance],
    *,
    version: ModelVersion,
    actor: User,
    query: str | None,
    sampling: Sampling = TWO,
) -> InferenceBatch | None:
    """Ask a version for a measurement about films of ready studies, of which there are few, in one go; None
    where there are none."""
    if not films:
        return None
    with transaction.atomic():
        batch = asking.ask_of_films(films, version=version, query=query, sampling=sampling, actor=actor)
        call_workers(len(films))
    return batch


def request_inference_of_all(
    *, actor: User, version: ModelVersion | None = None, query: str | None = None
) -> str:
    """Ask the serving model, or another version, for two completions of every ready study.

    Returns the sentence that says what was asked. Raises RefusedByRule where no model serves.
    """
    version = version or serving_model()
    batch = request_batch(WantedBatch(version=version, query=query), actor=actor)
    if batch is None:
        return f"{version} has been asked about every ready study already."
    return f"{version} is asked for two completions of every ready study that lacks them."


def request_batch(wanted: WantedBatch, *, actor: User) -> InferenceBatch | None:
    """See `asking.make_batch`; a worker makes its jobs."""
    with transaction.atomic():
        batch = asking.make_batch(wanted, actor=actor)
        if batch is not None and batch.state == JobState.QUEUED:
            jobs.wake(ask_batch, batch)
    return batch


def request_retry(job: InferenceJob, *, actor: User) -> None:
    with transaction.atomic():
        services.requeue_inference(job, actor=actor)
        call_workers(1)


def request_resume(batch: InferenceBatch, *, actor: User) -> None:
    with transaction.atomic():
        batch_services.resume_batch(batch, actor=actor)
        if batch.state == JobState.QUEUED:
            jobs.wake(ask_batch, batch)
        call_workers(jobs.NUM_WOKEN_AT_ONCE)


def request_batch_cancel(batch: InferenceBatch, *, actor: User) -> None:
    """Nothing more of it begins from here on; a worker ends the jobs."""
    with transaction.atomic():
        batch_services.cancel_batch(batch, actor=actor)
        jobs.call(end_batch, batch.pk)


def request_waiting_cancel(*, actor: User) -> WaitingCancel | None:
    """See `services.queue_waiting_cancel`; a worker ends them."""
    with transaction.atomic():
        wanted = services.queue_waiting_cancel(actor=actor)
        if wanted is not None and wanted.state == JobState.QUEUED:
            jobs.wake(cancel_waiting, wanted)
    return wanted


def request_failures_retry(batch: InferenceBatch, *, reason: str, actor: User) -> int:
    """See `batch_services.retry_failures`."""
    with transaction.atomic():
        number = batch_services.retry_failures(batch, reason=reason, actor=actor)
        call_workers(number)
    return number


@shared_task
def run_inference() -> None:
    """Answer what waits, for a while; what waits then is called for again."""
    _answering.until = time.monotonic() + TURN_SECONDS
    while _answering.answer_next():
        if time.monotonic() >= _answering.until:
            break
    batch_services.end_through()
    if claiming.something_waits(leaves=_answering.leaves()):
        call_workers(1)


@shared_task
def ask_batch(batch_id: int) -> None:
    jobs.carry_out(InferenceBatch, job_id=batch_id, work=asking.ask_in_chunks(call_workers))


@shared_task
def cancel_waiting(wanted_id: int) -> None:
    jobs.carry_out(WaitingCancel, job_id=wanted_id, work=services.cancel_waiting)
    batch_services.end_through()


@shared_task
def end_batch(batch_id: int) -> None:
    batch_services.end_cancelled(batch_id)


@shared_task
def reconcile_inference() -> None:
    """Queue again what lost its worker, batches and jobs, call for what lost its message, and end batches
    that are through."""
    jobs.requeue_lost(InferenceJob)
    unfinished.forget_ended()
    forget_gone()
    for batch_id in jobs.requeue_expired(InferenceBatch):
        ask_batch.apply_async((batch_id,), expires=_expiry())
    for wanted_id in jobs.requeue_expired(WaitingCancel):
        cancel_waiting.apply_async((wanted_id,), expires=_expiry())
    for batch in batch_services.being_cancelled():
        batch_services.end_cancelled(batch)
    batch_services.end_through()
    if claiming.something_waits():
        call_workers(1)


def call_workers(number: int) -> None:
    """At most so many of them, once the transaction commits. What no worker takes in time is dropped: those
    at work call for the next by themselves, and the sweep calls for one more."""
    for _ in range(min(number, jobs.NUM_WOKEN_AT_ONCE)):
        jobs.call(run_inference, expires=_expiry())


def _expiry() -> int:
    return 2 * settings.RECONCILE_SECONDS
