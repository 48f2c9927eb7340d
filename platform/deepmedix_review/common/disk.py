"""Sees that what is written lasts, and keeps room on the disks for the database, which stops, and everything
with it, where it can't write."""

import errno
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from django.conf import settings


def require_room(folder: Path | str, *, num_bytes: int = 0) -> None:
    """Before something large is written, of `num_bytes` where that is known. Raises OSError, as a disk does
    that is full, while less than SPARE_DISK_BYTES would be left for the database."""
    if shutil.disk_usage(folder).free - num_bytes < settings.SPARE_DISK_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def begin_writing(file: BinaryIO, *, since: int, until: int) -> None:
    """The disk begins with these bytes of an open file, so that a later `sync` waits for the rest alone.
    Where the system has no such call the sync does it all."""
    file.flush()
    if hasattr(os, "posix_fadvise"):
        # On Linux this starts to write what is dirty, and drops what is clean.
        os.posix_fadvise(file.fileno(), since, until - since, os.POSIX_FADV_DONTNEED)


def sync(path: Path) -> None:
    """Returns once the disk holds the file, or the names in the folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
