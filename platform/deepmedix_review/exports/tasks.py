"""Exports are written in the background: a million ratings take a while."""

from celery import shared_task
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.exports import services
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.writing import write_archive


def request_export(asked: services.Asked | services.AskedDataSet, *, actor: User) -> Export:
    """See `services.queue_export`."""
    with transaction.atomic():
        export = services.queue_export(asked, actor=actor)
        jobs.wake(write_export, export)
    return export


@shared_task
def write_export(export_id: int) -> None:
    export = jobs.claim(Export, job_id=export_id)
    if export is not None:
        write_claimed(export)


@shared_task
def tend_exports() -> None:
    """Queue again what lost its worker, wake what waits, and delete archives whose time is over."""
    for export_id in jobs.requeue_expired(Export):
        write_export.apply_async((export_id,), expires=60)
    services.delete_expired_exports()
    services.forget_left_parts()


def write_claimed(export: Export) -> None:
    """To its end, whichever: the row says how it ended."""
    try:
        with jobs.kept_alive(export) as check:
            write_archive(export, check=check)
    except Exception as error:
        jobs.end_by(export, error)
