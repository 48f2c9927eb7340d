"""The files of a zip or tar archive, one at a time.

An archive is untrusted: what it may hold is looked through before the first file is unpacked, names in it
never become paths, and no more than one of its files lies on the disk.
"""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

# What a list of files, or the header of one, may take of the memory.
MOST_AT_ONCE = 64 * 1024**2
CHUNK_BYTES = 1024**2
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSED: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
_IS_LOCKED = 0x1  # PKWARE APPNOTE 4.4.4, bit 0 of the general purpose flag
# bz2 and gzip say so by an OSError; zipfile of a way of packing that it does not know by a RuntimeError.
_UNREADABLE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
)


class ArchiveRefused(Exception):
    """Nothing is taken out of this archive; the message says why, and the way out."""


@dataclass(frozen=True)
class ArchiveLimits:
    """`max_bytes` counts what all of its files have once they are unpacked."""

    max_files: int
    max_bytes: int
    max_file_bytes: int


@dataclass(frozen=True)
class UnpackedFile:
    """`path` is None where the file could not be unpacked; `refusal` says why then."""

    name: str
    path: Path | None
    refusal: str = ""


def is_archive(path: Path) -> bool:
    """By its first bytes: zip, tar, or what a compressed tar begins with."""
    with path.open("rb") as file:
        start = file.read(264)
    return start.startswith((*_ZIP, *_COMPRESSED)) or start[257:262] == b"ustar"


def count_files(path: Path, *, limits: ArchiveLimits, check: Callable[[], None] = lambda: None) -> int:
    """How many `unpack` gives. Raises ArchiveRefused where a limit is passed or the archive can't be read.

    A compressed tar is read to its end meanwhile; `check`, which may raise, is called at each of its files.
    """
    num_files, num_bytes = 0, 0
    try:
        for entry in _entries(path):
            check()
            num_files += 1
            num_bytes += entry.num_bytes
            if num_files > limits.max_files:
                raise ArchiveRefused(f"The archive holds over {limits.max_files} files. Bring it in parts.")
            if num_bytes > limits.max_bytes:
                most = f"{limits.max_bytes // 1024**3} GB"
                raise ArchiveRefused(f"Unpacked, the archive is larger than {most}. Bring it in parts.")
    except _UNREADABLE as error:
        raise ArchiveRefused(
            "The archive is damaged or cut off, or neither zip nor tar: it can't be read to its end. "
            "Bring it anew, or unpack it and bring its files."
        ) from error
    if num_files == 0:
        raise ArchiveRefused("The archive holds no file.")
    return num_files


def unpack(path: Path, *, limits: ArchiveLimits, work: Path, after: int = 0) -> Iterator[UnpackedFile]:
    """In the order of the archive; each lies in `work` until the next is asked for. Call `count_files` first.

    Folders, links, devices and hidden files are left out, and so are the first `after` of the others.
    """
    target = work / "unpacked"
    for entry in islice(_entries(path), after, None):
        if entry.num_bytes > limits.max_file_bytes:
            yield UnpackedFile(
                entry.name, None, f"The file is larger than {limits.max_file_bytes // 1024**2} MB."
            )
            continue
        try:
            with target.open("wb") as file:
                for chunk in entry.chunks():
                    file.write(chunk)
        except _FileDamaged as damage:
            yield UnpackedFile(entry.name, None, str(damage))
        else:
            yield UnpackedFile(entry.name, target)
        finally:
            target.unlink(missing_ok=True)


class _FileDamaged(Exception):
    """One file of an archive can't be unpacked."""


@dataclass(frozen=True)
class _Entry:
    name: str
    num_bytes: int
    open: Callable[[], IO[bytes]]
    is_locked: bool = False

    def chunks(self) -> Iterator[bytes]:
        """Raises _FileDamaged, also where more comes than the archive said."""
        if self.is_locked:
            raise _FileDamaged("The file is locked by a password. Unpack it, then bring its files.")
        num_read = 0
        try:
            with self.open() as file:
                while chunk := file.read(CHUNK_BYTES):
                    num_read += len(chunk)
                    if num_read > self.num_bytes:
                        break
                    yield chunk
        except _UNREADABLE as error:
            raise _FileDamaged("The file is damaged in the archive. Bring it anew.") from error
        if num_read != self.num_bytes:
            raise _FileDamaged("The file is not as long as the archive says. Bring it anew.")


class _Bounded:
    """A file of which no header can make its reader take more than `MOST_AT_ONCE` into memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.last_read = b""

    def read(self, num_bytes: int = -1) -> bytes:
        wanted = MOST_AT_ONCE + 1 if num_bytes < 0 else num_bytes
        self.last_read = self._file.read(min(wanted, MOST_AT_ONCE + 1))
        if len(self.last_read) > MOST_AT_ONCE:
            raise ValueError("More is asked for at once than any header needs.")
        return self.last_read

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()


def _entries(path: Path) -> Iterator[_Entry]:
    """Raises what `_UNREADABLE` names."""
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(0)
        if start.startswith(_ZIP):
            yield from _zip_entries(file)
            return
        opens = next((opens for begin, opens in _COMPRESSED.items() if start.startswith(begin)), None)
        if opens is None:
            yield from _tar_entries(file)
            return
        with opens(file) as plain:
            yield from _tar_entries(plain)


def _zip_entries(file: IO[bytes]) -> Iterator[_Entry]:
    with zipfile.ZipFile(cast(IO[bytes], _Bounded(file))) as archive:
        for info in archive.infolist():
            is_link = (info.external_attr >> 16) & 0o170000 == 0o120000
            if info.is_dir() or is_link or _is_hidden(info.filename):
                continue
            opens = partial(archive.open, info)
            yield _Entry(info.filename, info.file_size, opens, is_locked=bool(info.flag_bits & _IS_LOCKED))


def _tar_entries(file: IO[bytes]) -> Iterator[_Entry]:
    bounded = _Bounded(file)
    with tarfile.open(fileobj=cast(IO[bytes], bounded), mode="r:") as archive:
        while (info := archive.next()) is not None:
            # It would keep a line on each file of the archive, and holds on to the headers of it.
            archive.members.clear()  # type: ignore[attr-defined]  # known to every Python, not to the stubs
            # One with holes says that it is larger than what it brings.
            if not info.isreg() or info.issparse() or _is_hidden(info.name):
                continue
            yield _Entry(info.name, info.size, partial(_tar_file, archive, info))
    # tarfile takes a header that it can't read for the end.
    if not bounded.last_read or bounded.last_read.strip(b"\0"):
        raise tarfile.ReadError("The archive has no end.")


def _tar_file(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(info)
    if file is None:
        raise tarfile.ReadError("No file of its own.")
    return file


def _is_hidden(name: str) -> bool:
    """What a system puts beside the files, as macOS does into every zip."""
    parts = name.replace("\\", "/").split("/")
    return "__MACOSX" in parts or any(part.startswith(".") and part not in (".", "..") for part in parts)
