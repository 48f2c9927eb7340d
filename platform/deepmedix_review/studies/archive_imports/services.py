"""Cancels archives on their way in, tries them again, and deletes those that are done with."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES
from deepmedix_review.studies.archive_imports.folders import archive_path
from deepmedix_review.studies.models import ArchiveImport

State = ArchiveImport.State


def cancel_archive(job: ArchiveImport, *, actor: User) -> None:
    """A running one ends after the file in hand; films that are in stay."""
    require(actor, Capability.IMPORT_STUDIES)
    with transaction.atomic():
        jobs.request_cancel(job)
        record_event(actor=actor, action="cancel_archive", subject=job)
    if job.state == State.CANCELLED:
        forget_archive(job)


@transaction.atomic
def retry_archive(job: ArchiveImport, *, actor: User) -> None:
    """It goes on behind the last file that was judged. Raises RefusedByRule where its archive is gone."""
    require(actor, Capability.IMPORT_STUDIES)
    if job.state != State.FAILED:
        raise RefusedByRule("Only an archive that failed is tried again.")
    if not job.is_here:
        raise RefusedByRule("The archive is not here any more. Bring it anew: films that are in are known.")
    jobs.retry(job)
    record_event(actor=actor, action="retry_archive", subject=job)


def delete_archive(job: ArchiveImport, *, actor: User) -> None:
    """What was brought in of it stays, and what became of each file stays known."""
    require(actor, Capability.IMPORT_STUDIES)
    if not job.is_final:
        raise RefusedByRule("This archive is still on its way in. Cancel it first.")
    forget_archive(job)
    record_event(actor=actor, action="delete_archive", subject=job)


def forget_archive(job: ArchiveImport) -> None:
    archive_path(job).unlink(missing_ok=True)
    ArchiveImport.objects.filter(pk=job.pk).update(is_here=False)
    job.is_here = False


def close_archive(job: ArchiveImport, *, may_be_tried_again: bool) -> None:
    """Once the job has ended; in the audit record each film stands by itself, too."""
    if not job.is_final:
        return
    told = {"state": job.state, "num_files": job.num_files, **counts_of(job)}
    record_event(actor=job.requested_by, action="end_archive", subject=job, details=told)
    if job.state != State.FAILED or not may_be_tried_again:
        forget_archive(job)


def counts_of(job: ArchiveImport) -> dict[str, int]:
    return {
        "accepted": job.num_accepted,
        "held": job.num_held,
        "duplicate": job.num_duplicate,
        "refused": job.num_refused,
    }


def tidy_archives() -> None:
    """End what was left in the middle too long ago; delete archives that nothing more is done with."""
    before = timezone.now() - timedelta(days=settings.ARCHIVE_DAYS)
    days = f"{settings.ARCHIVE_DAYS} days"
    ArchiveImport.objects.filter(state=State.RECEIVING, last_part_at__lt=before).update(
        state=State.CANCELLED,
        finished_at=timezone.now(),
        error=f"Nothing more of it came within {days}. Bring it anew.",
    )
    ended = ArchiveImport.objects.filter(is_here=True, state__in=FINAL_STATES)
    for job in ended.exclude(state=State.FAILED, finished_at__gte=before):
        forget_archive(job)
