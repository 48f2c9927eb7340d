"""Brings archives, messages that were left and studies of a PACS in, overwrites text on films, lets films in
again whose files are back, records who saw which pictures, and takes fingerprints of films that have none."""

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.studies.archive_imports import receiving, services
from deepmedix_review.studies.archive_imports.running import (
    ArchiveUnfit,
    counted_fields,
    import_archive,
)
from deepmedix_review.studies.dicomweb.multipart_reading import SentFile
from deepmedix_review.studies.film_files import look_again
from deepmedix_review.studies.fingerprints import take_fingerprints
from deepmedix_review.studies.masking import running as masking_running
from deepmedix_review.studies.masking.boxes import Box
from deepmedix_review.studies.masking.services import queue_masking
from deepmedix_review.studies.models import ArchiveImport, Instance, PacsPull, SentMessage, TextMasking
from deepmedix_review.studies.picture_views import record_picture_views
from deepmedix_review.studies.pulling import pulls
from deepmedix_review.studies.pulling.running import bring_in
from deepmedix_review.studies.sent_messages import running as sent_messages
from deepmedix_review.studies.sent_messages import services as message_services
from deepmedix_review.studies.sent_messages.receiving import keep_message
from deepmedix_review.studies.storage import clear_leftovers

# A worker goes over to what else waits after so long.
MESSAGES_FOR_SECONDS = 30.0


def receive_part(
    job: ArchiveImport, *, offset: int, num_bytes: int, read: Callable[[int], bytes], actor: User
) -> ArchiveImport:
    """See `receiving.receive_part`."""
    job = receiving.receive_part(job, offset=offset, num_bytes=num_bytes, read=read, actor=actor)
    if job.state == JobState.QUEUED:
        jobs.wake(run_archive_import, job)
    return job


def take_archive(path: Path, *, file_name: str, actor: User, profile: str = "") -> ArchiveImport:
    """See `receiving.take_archive`."""
    job = receiving.take_archive(path, file_name=file_name, actor=actor, profile=profile)
    jobs.wake(run_archive_import, job)
    return job


def retry_archive(job: ArchiveImport, *, actor: User) -> None:
    """See `services.retry_archive`."""
    with transaction.atomic():
        services.retry_archive(job, actor=actor)
        jobs.wake(run_archive_import, job)


def leave_message(files: Sequence[SentFile], *, of_study: str, actor: User) -> SentMessage:
    """See `sent_messages.receiving.keep_message`."""
    message = keep_message(files, of_study=of_study, actor=actor)
    jobs.call(run_sent_messages)
    return message


def retry_message(message: SentMessage, *, actor: User) -> None:
    """See `sent_messages.services.retry_message`."""
    with transaction.atomic():
        message_services.retry_message(message, actor=actor)
        jobs.call(run_sent_messages)


def start_pull(pull: PacsPull, *, numbers: Collection[int], actor: User) -> None:
    """See `pulls.start_pull`."""
    with transaction.atomic():
        pulls.start_pull(pull, numbers=numbers, actor=actor)
        jobs.wake(run_pacs_pull, pull)


def retry_pull(pull: PacsPull, *, actor: User) -> None:
    """See `pulls.retry_pull`."""
    with transaction.atomic():
        pulls.retry_pull(pull, actor=actor)
        jobs.wake(run_pacs_pull, pull)


def request_masking(
    film: Instance, *, boxes: Sequence[Box], accept: bool, has_looked: bool, actor: User
) -> TextMasking:
    """See `masking.services.queue_masking`."""
    with transaction.atomic():
        masking = queue_masking(film, boxes=boxes, accept=accept, has_looked=has_looked, actor=actor)
        jobs.wake(run_masking, masking)
    return masking


@shared_task
def run_archive_import(job_id: int) -> None:
    """One archive at a time, for each film keeps the processors busy by itself, and an archive may have a
    worker for days: the others wait for the sweep that finds the turn free."""
    job = jobs.claim_in_turn(ArchiveImport, job_id=job_id)
    if job is None:
        return
    try:
        with jobs.kept_alive(job) as check:
            import_archive(job, check=check)
        jobs.finish(job, state=JobState.DONE, **counted_fields(job))
    except Exception as error:
        jobs.end_by(job, error, **counted_fields(job))
        services.close_archive(job, may_be_tried_again=not isinstance(error, ArchiveUnfit))
    else:
        services.close_archive(job, may_be_tried_again=False)


@shared_task
def tend_archive_imports() -> None:
    """Queue again what lost its worker, wake the one whose turn it is, and delete what is done with."""
    waiting = jobs.requeue_expired(ArchiveImport)
    if waiting and not ArchiveImport.objects.filter(state=JobState.RUNNING).exists():
        run_archive_import.apply_async((waiting[0],), expires=60)
    services.tidy_archives()


@shared_task
def run_sent_messages() -> None:
    """One after the other, while any wait; after a while another worker is called to go on, for this one has
    other work, too."""
    until = time.monotonic() + MESSAGES_FOR_SECONDS
    while (message := jobs.claim_oldest(SentMessage, at_most=settings.MESSAGES_AT_ONCE)) is not None:
        try:
            with jobs.kept_alive(message) as check:
                sent_messages.bring_in(message, check=check)
            jobs.finish(message, state=JobState.DONE)
        except Exception as error:
            jobs.end_by(message, error)
        message_services.close_message(message)
        if time.monotonic() > until:
            jobs.call(run_sent_messages)
            return


@shared_task
def tend_sent_messages() -> None:
    """Queue again what lost its worker, call one where any waits, and delete what is done with."""
    if jobs.requeue_expired(SentMessage):
        run_sent_messages.apply_async(expires=60)
    message_services.tidy_messages()


@shared_task
def run_pacs_pull(job_id: int) -> None:
    """One pull at a time, as with archives: a PACS has others to serve, too."""
    pull = jobs.claim_in_turn(PacsPull, job_id=job_id)
    if pull is None:
        return
    try:
        with jobs.kept_alive(pull) as check:
            missed = bring_in(pull, check=check)
        # In one transaction: whoever sees that it ended sees what is forgotten with it.
        with transaction.atomic():
            jobs.finish(pull, state=JobState.FAILED if missed else JobState.DONE, error=missed)
            pulls.close_pull(pull)
    except Exception as error:
        with transaction.atomic():
            jobs.end_by(pull, error)
            pulls.close_pull(pull)


@shared_task
def tend_pacs_pulls() -> None:
    """As `tend_archive_imports`, of pulls; searches of which nothing was brought in are forgotten."""
    waiting = jobs.requeue_expired(PacsPull)
    if waiting and not PacsPull.objects.filter(state=JobState.RUNNING).exists():
        run_pacs_pull.apply_async((waiting[0],), expires=60)
    pulls.tidy_pulls()


@shared_task
def run_masking(job_id: int) -> None:
    jobs.carry_out(TextMasking, job_id=job_id, work=masking_running.mask_text)


@shared_task
def tend_maskings() -> None:
    """Queue again what lost its worker, and delete what was left behind."""
    for job_id in jobs.requeue_expired(TextMasking):
        run_masking.apply_async((job_id,), expires=60)
    masking_running.tidy()


@shared_task
def tend_films() -> None:
    """Every sweep does whatever is due; a lost one is made up by the next."""
    look_again()
    record_picture_views()
    take_fingerprints()
    clear_leftovers()
