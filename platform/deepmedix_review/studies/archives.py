"""Brings in what lies in a zip or tar archive."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.intake.archives import (
    ArchiveLimits,
    ArchiveRefused,
    UnpackedFile,
    count_files,
    unpack,
)
from deepmedix_review.studies.models import ImportBatch, ImportItem
from deepmedix_review.studies.services import receive_instance, refuse_file


@dataclass(frozen=True)
class Unpacked:
    item: ImportItem
    number: int
    num_files: int


def archive_limits() -> ArchiveLimits:
    return ArchiveLimits(
        max_files=settings.MAX_ARCHIVE_FILES,
        max_bytes=settings.MAX_ARCHIVE_BYTES,
        max_file_bytes=settings.MAX_FILM_BYTES,
    )


def receive_archive(
    path: Path, *, batch: ImportBatch, file_name: str, actor: User | None, is_text_free: bool = False
) -> Iterator[Unpacked]:
    """Each file of it goes through `receive_instance`; refused as a whole, it is one item.

    Cut off in the middle, it goes on from the beginning: what is stored already is known again.
    """
    limits = archive_limits()
    try:
        num_files = count_files(path, limits=limits)
    except ArchiveRefused as refusal:
        item = refuse_file(str(refusal), batch=batch, file_name=file_name, actor=actor)
        yield Unpacked(item, 1, 1)
        return
    with unpacking_folder() as folder:
        for number, file in enumerate(unpack(path, limits=limits, work=folder), start=1):
            item = receive_unpacked(file, batch=batch, actor=actor, is_text_free=is_text_free)
            yield Unpacked(item, number, num_files)


def receive_unpacked(
    file: UnpackedFile,
    *,
    batch: ImportBatch,
    actor: User | None,
    is_text_free: bool = False,
    number: int | None = None,
) -> ImportItem:
    """One file of an archive, as `receive_instance` takes one; what could not be unpacked is refused."""
    if file.path is None:
        return refuse_file(file.refusal, batch=batch, file_name=file.name, actor=actor, number=number)
    return receive_instance(
        file.path,
        batch=batch,
        file_name=file.name,
        actor=actor,
        is_text_free=is_text_free,
        number=number,
    )


@contextmanager
def unpacking_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="unpacking-") as folder:
        yield Path(folder)
