"""Brings in what lies in a zip or tar archive."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.intake.archives import (
    ArchiveLimits,
    ArchiveRefused,
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


def receive_archive(
    path: Path, *, batch: ImportBatch, file_name: str, actor: User | None, is_text_free: bool = False
) -> Iterator[Unpacked]:
    """Each file of it goes through `receive_instance`; refused as a whole, it is one item.

    Cut off in the middle, it goes on from the beginning: what is stored already is known again.
    """
    limits = ArchiveLimits(
        max_files=settings.MAX_ARCHIVE_FILES,
        max_bytes=settings.MAX_ARCHIVE_BYTES,
        max_file_bytes=settings.MAX_FILM_BYTES,
    )
    try:
        num_files = count_files(path, limits=limits)
    except ArchiveRefused as refusal:
        item = refuse_file(str(refusal), batch=batch, file_name=file_name, actor=actor)
        yield Unpacked(item, 1, 1)
        return
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="unpacking-") as folder:
        for number, file in enumerate(unpack(path, limits=limits, work=Path(folder)), start=1):
            if file.path is None:
                item = refuse_file(file.refusal, batch=batch, file_name=file.name, actor=actor)
            else:
                item = receive_instance(
                    file.path, batch=batch, file_name=file.name, actor=actor, is_text_free=is_text_free
                )
            yield Unpacked(item, number, num_files)
