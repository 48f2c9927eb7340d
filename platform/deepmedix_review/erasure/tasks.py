"""Erasures run in the background: a patient's films may be thousands of files, and thousands may be due."""

from celery import shared_task
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.erasure import services
from deepmedix_review.erasure.erasing import erase
from deepmedix_review.erasure.models import Erasure, RetentionBatch
from deepmedix_review.erasure.retention import batches
from deepmedix_review.erasure.scope import Scope


def request_erasure(scope: Scope, asked: services.Asked, *, actor: User) -> Erasure:
    """See `services.queue_erasure`."""
    with transaction.atomic():
        erasure = services.queue_erasure(scope, asked, actor=actor)
        jobs.wake(run_erasure, erasure)
    return erasure


def request_erasure_retry(erasure: Erasure, *, actor: User) -> None:
    """See `services.requeue_erasure`."""
    with transaction.atomic():
        services.requeue_erasure(erasure, actor=actor)
        jobs.wake(run_erasure, erasure)


@shared_task
def run_erasure(erasure_id: int) -> None:
    erasure = jobs.claim(Erasure, job_id=erasure_id)
    if erasure is not None:
        erase_claimed(erasure)


def request_batch(asked: batches.AskedBatch, *, actor: User) -> RetentionBatch:
    """See `batches.queue_batch`."""
    with transaction.atomic():
        batch = batches.queue_batch(asked, actor=actor)
        jobs.wake(run_retention_batch, batch)
    return batch


def request_batch_retry(batch: RetentionBatch, *, actor: User) -> None:
    """See `batches.requeue_batch`."""
    with transaction.atomic():
        batches.requeue_batch(batch, actor=actor)
        jobs.wake(run_retention_batch, batch)


@shared_task
def run_retention_batch(batch_id: int) -> None:
    jobs.carry_out(RetentionBatch, job_id=batch_id, work=batches.erase_batch)


@shared_task
def tend_erasures() -> None:
    """Queue again what lost its worker, batches too, wake what waits, and forget whom cancelled ones were
    of."""
    services.forget_cancelled()
    for erasure_id in jobs.requeue_expired(Erasure):
        run_erasure.apply_async((erasure_id,), expires=60)
    for batch_id in jobs.requeue_expired(RetentionBatch):
        run_retention_batch.apply_async((batch_id,), expires=60)


def erase_claimed(erasure: Erasure) -> None:
    """To its end, whichever: the row says how it ended."""
    try:
        with jobs.kept_alive(erasure) as check:
            erase(erasure, check=check)
    except Exception as error:
        jobs.end_by(erasure, error)
