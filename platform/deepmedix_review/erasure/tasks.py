"""Erasures run in the background: a patient's films may be thousands of files."""

from celery import shared_task
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.erasure import services
from deepmedix_review.erasure.erasing import erase
from deepmedix_review.erasure.models import Erasure
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


@shared_task
def tend_erasures() -> None:
    """Queue again what lost its worker, wake what waits, and forget whom cancelled ones were of."""
    services.forget_cancelled()
    for erasure_id in jobs.requeue_expired(Erasure):
        run_erasure.apply_async((erasure_id,), expires=60)


def erase_claimed(erasure: Erasure) -> None:
    """To its end, whichever: the row says how it ended."""
    try:
        with jobs.kept_alive(erasure) as check:
            erase(erasure, check=check)
    except Exception as error:
        jobs.end_by(erasure, error)
