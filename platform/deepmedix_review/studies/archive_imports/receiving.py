"""Takes an archive part by part, straight to the disk: one that breaks off goes on where it was cut off."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.disk import require_room
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.archive_imports.folders import archive_path
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.models import ArchiveImport, ImportBatch
from deepmedix_review.studies.services import shown_name

State = ArchiveImport.State
CHUNK_BYTES = 1024**2
# A part that breaks off, or whose server is killed, loses no more than this.
KEPT_EVERY_BYTES = 64 * 1024**2


class OutOfPlace(RefusedByRule):
    """The part begins elsewhere than where the archive was cut off. The web layer answers 409."""

    def __init__(self, num_received: int) -> None:
        super().__init__(f"{num_received} bytes of this archive are here. Send on from there.")
        self.num_received = num_received


def begin_archive(
    *, file_name: str, num_bytes: int, modified_ms: int | None, actor: User, profile: str = ""
) -> ArchiveImport:
    """Room for an archive whose parts follow; the one that was begun, where it is the same file again, for
    the same profile of de-identification."""
    require(actor, Capability.IMPORT_STUDIES)
    name = shown_name(file_name)
    if modified_ms is not None:
        begun = ArchiveImport.objects.filter(
            batch__requested_by=actor,
            batch__profile=profile or settings.DEIDENTIFICATION_PROFILE,
            state=State.RECEIVING,
            file_name=name,
            num_bytes=num_bytes,
            modified_ms=modified_ms,
        ).last()
        if begun is not None:
            return begun
    _check_size(num_bytes)
    with transaction.atomic():
        job = ArchiveImport.objects.create(
            batch=start_import(actor=actor, source=ImportBatch.Source.ARCHIVE, profile=profile),
            file_name=name,
            num_bytes=num_bytes,
            modified_ms=modified_ms,
        )
        # Without its name, which may be a patient's.
        record_event(actor=actor, action="begin_archive", subject=job, details={"num_bytes": num_bytes})
    return job


def receive_part(
    job: ArchiveImport, *, offset: int, num_bytes: int, read: Callable[[int], bytes], actor: User
) -> ArchiveImport:
    """Append what `read` gives, `num_bytes` at most, behind the `offset` bytes that are here; with the last
    part the archive waits for a worker.

    Fewer bytes come where the sender breaks off: they are kept. Raises OSError where the disk is full; what
    was written before is kept then, too.
    """
    require(actor, Capability.IMPORT_STUDIES)
    with _held(archive_path(job)) as file:
        job.refresh_from_db()
        _check_part(job, offset=offset, num_bytes=num_bytes)
        # What a server that was killed wrote behind what it had told.
        file.truncate(offset)
        file.seek(offset)
        _write(file, job, num_bytes=num_bytes, read=read)
        if job.num_received == job.num_bytes:
            _queue(job)
    job.refresh_from_db()
    return job


def take_archive(path: Path, *, file_name: str, actor: User, profile: str = "") -> ArchiveImport:
    """One that came whole, by a form: its file is moved away from `path`."""
    job = begin_archive(
        file_name=file_name,
        num_bytes=path.stat().st_size,
        modified_ms=None,
        actor=actor,
        profile=profile,
    )
    shutil.move(path, archive_path(job))
    job.num_received = job.num_bytes
    _queue(job)
    job.refresh_from_db()
    return job


def _check_size(num_bytes: int) -> None:
    if num_bytes < 1:
        raise RefusedByRule("The archive is empty.")
    if num_bytes > settings.MAX_ARCHIVE_BYTES:
        raise RefusedByRule(
            f"The archive is larger than {settings.MAX_ARCHIVE_BYTES // 1024**3} GB. Bring it in parts."
        )
    folder = Path(settings.ARCHIVE_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    free = max(shutil.disk_usage(folder).free - settings.SPARE_DISK_BYTES, 0)
    if free < num_bytes:
        raise RefusedByRule(
            f"The archive has {_megabytes(num_bytes)} and the platform's disk {_megabytes(free)} free for "
            "it. Free some space, or bring it in parts."
        )


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1024**2:,.0f} MB"


def _check_part(job: ArchiveImport, *, offset: int, num_bytes: int) -> None:
    match job.state:
        case State.RECEIVING:
            pass
        case State.CANCELLED:
            raise RefusedByRule("This archive was cancelled. Begin it anew.")
        case _:
            raise RefusedByRule("This archive is here already: nothing more of it is taken.")
    if offset != job.num_received:
        raise OutOfPlace(job.num_received)
    if offset + num_bytes > job.num_bytes:
        raise RefusedByRule(
            f"More comes than was announced: {offset + num_bytes} bytes, not {job.num_bytes}. Begin it anew."
        )


def _write(file: BinaryIO, job: ArchiveImport, *, num_bytes: int, read: Callable[[int], bytes]) -> None:
    left, since_kept = num_bytes, 0
    try:
        while left and (chunk := read(min(left, CHUNK_BYTES))):
            require_room(settings.ARCHIVE_FOLDER)
            file.write(chunk)
            left -= len(chunk)
            since_kept += len(chunk)
            if since_kept >= KEPT_EVERY_BYTES:
                _keep(file, job, num_new=since_kept)
                since_kept = 0
    finally:
        # Of a chunk that a full disk broke off, what lies behind is cut away with the next part.
        _keep(file, job, num_new=since_kept)


def _keep(file: BinaryIO, job: ArchiveImport, *, num_new: int) -> None:
    """Told only once it would outlive a power cut."""
    os.fsync(file.fileno())
    ArchiveImport.objects.filter(pk=job.pk).update(
        num_received=job.num_received + num_new, last_part_at=timezone.now()
    )
    job.num_received += num_new


def _queue(job: ArchiveImport) -> None:
    ArchiveImport.objects.filter(pk=job.pk, state=State.RECEIVING).update(
        state=State.QUEUED, num_received=job.num_received
    )


@contextmanager
def _held(path: Path) -> Iterator[BinaryIO]:
    """Opened without a buffer, by one request at a time."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefusedByRule(
                "This archive is being sent from elsewhere now, another window say. Wait for that to end."
            ) from error
        yield file
