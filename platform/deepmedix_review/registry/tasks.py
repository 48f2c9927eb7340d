"""Model folders are taken in in the background: they are gigabytes."""

from celery import shared_task
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.registry import registering
from deepmedix_review.registry.models import ModelJob
from deepmedix_review.registry.wanted import WantedVersion


def request_registering(folder: str, *, wanted: WantedVersion, actor: User) -> ModelJob:
    """Register what lies in this folder of INCOMING_MODEL_FOLDER; see `registering.queue_registering`."""
    with transaction.atomic():
        job = registering.queue_registering(folder, wanted=wanted, actor=actor)
        jobs.wake(take_model_in, job)
    return job


def request_model_retry(job: ModelJob, *, actor: User) -> None:
    with transaction.atomic():
        registering.requeue_model_job(job, actor=actor)
        jobs.wake(take_model_in, job)


@shared_task
def take_model_in(job_id: int) -> None:
    jobs.carry_out(ModelJob, job_id=job_id, work=registering.take_in)


@shared_task
def tend_model_jobs() -> None:
    """Queue again what lost its worker, and wake what waits."""
    for job_id in jobs.requeue_expired(ModelJob):
        take_model_in.apply_async((job_id,), expires=60)
