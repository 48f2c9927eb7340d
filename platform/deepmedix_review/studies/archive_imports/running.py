"""Brings the films of one archive in, file by file, so that a worker that takes it up again repeats none."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import Count, Max, Q

from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.archive_imports.folders import archive_path
from deepmedix_review.studies.archives import archive_limits, receive_unpacked, unpacking_folder
from deepmedix_review.studies.intake.archives import ArchiveRefused, UnpackedFile, count_files, unpack
from deepmedix_review.studies.models import ArchiveImport, ImportItem, Study
from deepmedix_review.studies.status_codes import is_disk_full
from deepmedix_review.studies.taking import take_one

Outcome = ImportItem.Outcome
# How often the row learns of progress, in seconds.
TELL_EVERY = 0.5


class ArchiveUnfit(RefusedByRule):
    """Nothing of the archive can be brought in: trying again would change nothing."""


@dataclass
class Progress:
    """Told to the row now and then. Raises JobCancelled and LeaseLost."""

    job: ArchiveImport
    check: Callable[[], None]
    last_number: int
    told_at: float = 0.0
    is_kept: bool = False

    def add(self, item: ImportItem) -> None:
        name = f"num_{item.outcome}"
        setattr(self.job, name, getattr(self.job, name) + 1)
        self.job.num_to_look_at += item.is_to_look_at
        self.last_number = cast(int, item.number)
        self.is_kept = True
        self.check()
        if time.monotonic() - self.told_at >= TELL_EVERY:
            self.tell()

    def tell(self) -> None:
        jobs.heartbeat(self.job, is_kept=self.is_kept, **counted_fields(self.job))
        self.told_at = time.monotonic()


def import_archive(job: ArchiveImport, *, check: Callable[[], None]) -> None:
    """To its last file. Raises RefusedByRule with a sentence where it can't go on; then what is in stays."""
    try:
        _import(job, check)
    except OSError as error:
        raise RefusedByRule(_said(error, job)) from error


def counted_fields(job: ArchiveImport) -> dict[str, Any]:
    names = ("num_files", "num_accepted", "num_to_look_at", "num_held", "num_duplicate", "num_refused")
    return {name: getattr(job, name) for name in names}


def _import(job: ArchiveImport, check: Callable[[], None]) -> None:
    path, limits = archive_path(job), archive_limits()
    if job.num_files is None:
        try:
            job.num_files = count_files(path, limits=limits, check=check)
        except ArchiveRefused as refusal:
            # An error of the disk reads like damage.
            path.stat()
            raise ArchiveUnfit(str(refusal)) from refusal
    progress = _where_it_stopped(job, check)
    progress.tell()
    with unpacking_folder() as folder:
        files = unpack(path, limits=limits, work=folder, after=progress.last_number)
        for number, file in enumerate(files, start=progress.last_number + 1):
            progress.add(_receive(file, job, number=number, check=check))


def _where_it_stopped(job: ArchiveImport, check: Callable[[], None]) -> Progress:
    """By the items: they were kept together with their films."""
    items = ImportItem.objects.filter(batch=job.batch)
    counted = {f"num_{outcome}": Count("pk", filter=Q(outcome=outcome)) for outcome in Outcome}
    waiting = Q(outcome=Outcome.ACCEPTED, instance__series__study__state=Study.State.UNSEEN)
    found = items.aggregate(last_number=Max("number"), num_to_look_at=Count("pk", filter=waiting), **counted)
    last_number = found.pop("last_number") or 0
    for name, value in found.items():
        setattr(job, name, value)
    return Progress(job, check, last_number)


def _receive(file: UnpackedFile, job: ArchiveImport, *, number: int, check: Callable[[], None]) -> ImportItem:
    return take_one(
        lambda: receive_unpacked(file, batch=job.batch, actor=job.requested_by, number=number),
        job=job,
        batch=job.batch,
        number=number,
        file_name=file.name,
        check=check,
    )


def _said(error: OSError, job: ArchiveImport) -> str:
    if is_disk_full(error):
        done = f"{job.num_done:,} of {job.num_files:,} files are done" if job.num_files else "No file is done"
        return (
            f"The disk is full. {done}, and stay so. Free some space, then try again: it goes on from here."
        )
    if isinstance(error, FileNotFoundError):
        return (
            "The archive is not on the disk of the worker. Bring it anew: films that are in are known again."
        )
    return (
        f"The archive can't be read from the disk ({os.strerror(error.errno or 0)}). Try again, or bring it "
        "anew: films that are in are known again."
    )
