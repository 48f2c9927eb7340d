"""How an export is written whichever way: its progress is told, and its archive is whole or not there."""

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.disk import require_room
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.exports.archive import pack
from deepmedix_review.exports.files import measure
from deepmedix_review.exports.folders import archive_path, parts_folder
from deepmedix_review.exports.models import Export, WrittenFile
from deepmedix_review.exports.pictures import is_part
from deepmedix_review.exports.services import end_of_archive, forget_parts

# How often the row learns of progress, in seconds.
TELL_EVERY = 0.5
# How often it is begun anew because films were withdrawn or let in meanwhile.
MOST_TRIES = 3


@dataclass
class Progress:
    """Of the whole export, told to its row now and then. Raises JobCancelled and LeaseLost."""

    export: Export
    check: Callable[[], None]
    num_done: int = 0
    num_rows: int = 0
    told_at: float = 0.0

    def add(self, *, num: int, num_rows: int) -> None:
        self.num_done += num
        self.num_rows += num_rows
        self.check()
        require_room(_made(parts_folder(self.export).parent))
        if time.monotonic() - self.told_at >= TELL_EVERY:
            self.tell()

    def tell(self, *, is_kept: bool = False, **more: object) -> None:
        jobs.heartbeat(self.export, is_kept=is_kept, num_done=self.num_done, num_rows=self.num_rows, **more)
        self.told_at = time.monotonic()


@contextmanager
def cleaned_up(export: Export) -> Iterator[None]:
    """Raises RefusedByRule with a sentence for the disk's errors; what is no other worker's is cleaned up."""
    try:
        yield
    except jobs.LeaseLost:
        raise
    except OSError as error:
        _clean_up(export)
        raise RefusedByRule(_said(error)) from error
    except Exception:
        _clean_up(export)
        raise


def finish_archive(
    export: Export, files: Sequence[WrittenFile], *, texts: Mapping[str, str], check: Callable[[], None]
) -> None:
    """Pack what is written, and end the job with it."""
    path = archive_path(export)
    require_room(_made(path.parent))
    growing = path.with_name(f".{path.name}.{export.attempt}")
    pack(parts_folder(export), growing, texts=texts, files=files, check=check)
    with growing.open("rb+") as file:
        os.fsync(file.fileno())
    growing.replace(path)
    found = measure(path)
    with transaction.atomic():
        jobs.finish(
            export,
            state=JobState.DONE,
            sha256=found.sha256,
            archive_bytes=found.num_bytes,
            expires_at=end_of_archive(),
            left_out=export.left_out,
            num_done=export.num_total,
            num_rows=sum(one.num_rows for one in files),
        )
        record_event(
            actor=export.created_by,
            action="write_export",
            subject=export,
            details={
                "sha256": found.sha256,
                "num_files": sum(one.num_rows if is_part(one.name) else 1 for one in files),
            },
        )
    forget_parts(export)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _clean_up(export: Export) -> None:
    """Nothing half-written stays."""
    forget_parts(export)
    archive_path(export).unlink(missing_ok=True)


def _said(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        kept = "The disk is full: the export was given up and nothing of it is kept."
        return f"{kept} Free some space, then ask again."
    return (
        f"The export could not be written ({os.strerror(error.errno or 0)}). An admin can look at its folder."
    )
