"""Bundles are written and models taken back in the background: both move gigabytes."""

from celery import shared_task
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.feedback.handing_over import leaving, returning
from deepmedix_review.feedback.models import HandOver, ModelReturn, PreferenceDataset


def request_bundle(dataset: PreferenceDataset, *, actor: User, reward: str) -> HandOver:
    """An archive to download, for the version that serves now; see `leaving.queue_bundle`."""
    with transaction.atomic():
        hand_over = leaving.queue_bundle(dataset, actor=actor, reward=reward)
        jobs.wake(write_bundle_archive, hand_over)
    return hand_over


def request_return(folder: str, *, actor: User) -> ModelReturn:
    """Take back what lies in this folder of settings.RETURN_FOLDER; see `returning.queue_return`."""
    with transaction.atomic():
        model_return = returning.queue_return(folder, actor=actor)
        jobs.wake(take_model_back, model_return)
    return model_return


@shared_task
def write_bundle_archive(hand_over_id: int) -> None:
    jobs.carry_out(HandOver, job_id=hand_over_id, work=leaving.write_archive)


@shared_task
def take_model_back(model_return_id: int) -> None:
    jobs.carry_out(ModelReturn, job_id=model_return_id, work=returning.take_back)


def reconcile_hand_overs() -> None:
    """Queue again what lost its worker, and wake what waits."""
    for job_id in jobs.requeue_expired(HandOver):
        write_bundle_archive.apply_async((job_id,), expires=60)
    for job_id in jobs.requeue_expired(ModelReturn):
        take_model_back.apply_async((job_id,), expires=60)
