"""Reads what a program sends into files, piece by piece: memory stays flat however large a message is
(RFC 2046, section 5.1; RFC 2387)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.http import parse_header_parameters
from rest_framework import status
from rest_framework.exceptions import APIException

from deepmedix_review.common.disk import begin_writing

DICOM = "application/dicom"
MULTIPART = "multipart/related"
_CHUNK_BYTES = 256 * 1024
# Small enough that little is left to write when a film is all here, large enough to be few writes.
_WRITTEN_AT_ONCE_BYTES = 2 * 1024**2
_LONGEST_HEADERS = 8 * 1024
# Of these, no space at the end. RFC 2046, section 5.1.1, allows 70; Orthanc sends 73.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,199}[0-9A-Za-z'()+_,./:=?-]")
_LONGEST_PADDING = 64
_ENCODINGS = ("", "binary", "8bit", "7bit")


class MessageRefused(APIException):
    """It can't be read as the standard wants it; nothing of it is kept."""

    status_code: int = status.HTTP_400_BAD_REQUEST


class MessageTooLarge(MessageRefused):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class MessageOfOtherKind(MessageRefused):
    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE


@dataclass(frozen=True)
class MessageLimits:
    """`max_part_bytes`: of a larger part that many and one are written, so that it is known for too large."""

    max_bytes: int
    max_parts: int
    max_part_bytes: int


@dataclass(frozen=True)
class SentFile:
    """What one part held: `num_bytes`, of which no more than the limit and one are in the file."""

    path: Path
    num_bytes: int


@dataclass(frozen=True)
class Message:
    """How a message is packed: `boundary` is empty where it is one file."""

    boundary: str

    def read_files(
        self,
        read: Callable[[int], bytes],
        *,
        declared_bytes: int | None,
        limits: MessageLimits,
        folder: Path,
        is_kept: bool = False,
    ) -> list[SentFile]:
        """Into `folder`, in their order. `read`: the next bytes, at most so many, none at the end.
        `declared_bytes`: how many there will be, where the sender says so. `is_kept`: the files will be
        synced, so the disk writes while they come. Raises MessageRefused."""
        if declared_bytes is not None and declared_bytes > limits.max_bytes:
            raise _too_large(limits)
        incoming = _Incoming(read, limits=limits)
        if self.boundary:
            return list(
                _read_parts(incoming, boundary=self.boundary, limits=limits, folder=folder, is_kept=is_kept)
            )
        whole = _write(incoming.pieces(), folder / "1", limits=limits, is_kept=is_kept)
        if declared_bytes is not None and incoming.num_bytes < declared_bytes:
            raise MessageRefused(_CUT_OFF)
        return [whole]


def read_message(content_type: str) -> Message:
    """What the header of a request says. Raises MessageRefused for what is neither DICOM nor parts of it."""
    media_type, parameters = _parsed(content_type)
    if media_type == DICOM:
        return Message(boundary="")
    if media_type != MULTIPART or parameters.get("type", DICOM).lower() != DICOM:
        raise MessageOfOtherKind(
            f'Send DICOM files: as {MULTIPART}; type="{DICOM}", or one alone as {DICOM}. No other kind of '
            "content is taken here."
        )
    boundary = parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise MessageRefused(
            "Content-Type names no boundary between the parts that can be one: give 1 to 200 letters, digits "
            "and plain signs."
        )
    return Message(boundary=boundary)


_CUT_OFF = (
    "The message ends before it is whole: it was cut off on its way. Nothing of it is kept; send it again."
)


def _parsed(content_type: str) -> tuple[str, dict[str, str]]:
    try:
        media_type, parameters = parse_header_parameters(content_type)
    except ValueError as error:
        raise MessageRefused("Content-Type can't be read.") from error
    return media_type.lower(), parameters


def _too_large(limits: MessageLimits) -> MessageTooLarge:
    return MessageTooLarge(
        f"The message is larger than {limits.max_bytes // 1024**2} MB: send fewer films at once. Nothing of "
        "it is kept."
    )


class _Incoming:
    """Counts what comes, and lets no more of it in than the limit."""

    def __init__(self, read: Callable[[int], bytes], *, limits: MessageLimits) -> None:
        self.num_bytes = 0
        self._read, self._limits = read, limits

    def more(self) -> bytes:
        try:
            piece = self._read(_CHUNK_BYTES)
        except OSError as error:
            raise MessageRefused(_CUT_OFF) from error
        self.num_bytes += len(piece)
        if self.num_bytes > self._limits.max_bytes:
            raise _too_large(self._limits)
        return piece

    def pieces(self) -> Iterator[bytes]:
        while piece := self.more():
            yield piece


class _Scanner:
    """Walks a message from delimiter to delimiter, with a chunk of it in memory."""

    def __init__(self, incoming: _Incoming, *, boundary: str) -> None:
        delimiter = b"\r\n--" + boundary.encode("ascii")
        self.is_over = False
        self._incoming = incoming
        # The first delimiter may open the message: then no line ends before it.
        self._held = b"\r\n"
        self._line = re.compile(re.escape(delimiter) + rb"(--|[ \t]{0,%d}\r\n)" % _LONGEST_PADDING)
        self._longest_line = len(delimiter) + _LONGEST_PADDING + 2

    def content(self) -> Iterator[bytes]:
        """Up to the next delimiter, which is passed."""
        while (found := self._line.search(self._held)) is None:
            if len(self._held) > self._longest_line:
                yield self._held[: -self._longest_line]
                self._held = self._held[-self._longest_line :]
            self._hold_more()
        yield self._held[: found.start()]
        self._held = self._held[found.end() :]
        self.is_over = found[1] == b"--"

    def headers(self) -> bytes:
        while not self._held.startswith(b"\r\n"):
            end = self._held.find(b"\r\n\r\n", 0, _LONGEST_HEADERS)
            if end >= 0:
                found, self._held = self._held[:end], self._held[end + 4 :]
                return found
            if len(self._held) >= _LONGEST_HEADERS:
                raise MessageRefused(
                    f"A part has no empty line after its headers, or more than {_LONGEST_HEADERS // 1024} kB "
                    "of them. Nothing of the message is kept."
                )
            self._hold_more()
        self._held = self._held[2:]
        return b""

    def _hold_more(self) -> None:
        piece = self._incoming.more()
        if not piece:
            raise MessageRefused(_CUT_OFF)
        self._held += piece


def _read_parts(
    incoming: _Incoming, *, boundary: str, limits: MessageLimits, folder: Path, is_kept: bool
) -> Iterator[SentFile]:
    scanner = _Scanner(incoming, boundary=boundary)
    for _ in scanner.content():
        pass
    number = 0
    while not scanner.is_over:
        number += 1
        if number > limits.max_parts:
            raise MessageTooLarge(
                f"The message has more than {limits.max_parts} parts: send fewer films at once. Nothing of "
                "it is kept."
            )
        declared = _check_headers(scanner.headers(), number=number)
        sent = _write(scanner.content(), folder / str(number), limits=limits, is_kept=is_kept)
        if declared is not None and declared != sent.num_bytes:
            raise MessageRefused(
                f"Part {number} says that it has {declared} bytes, and has {sent.num_bytes}: it was changed "
                "on its way. Nothing of the message is kept."
            )
        yield sent
    for _ in incoming.pieces():
        pass
    if number == 0:
        raise MessageRefused("The message holds no part. Send at least one film.")


def _check_headers(raw: bytes, *, number: int) -> int | None:
    """How many bytes the part says that it has, where it does."""
    headers = {}
    for line in re.sub(rb"\r\n[ \t]+", b" ", raw).split(b"\r\n") if raw else ():
        name, colon, value = line.partition(b":")
        if not colon or not name.strip():
            raise MessageRefused(
                f"The headers of part {number} can't be read. Nothing of the message is kept."
            )
        headers[name.strip().lower()] = value.strip().decode("latin-1")
    media_type, _ = _parsed(headers.get(b"content-type", DICOM))
    if media_type != DICOM or headers.get(b"content-transfer-encoding", "").lower() not in _ENCODINGS:
        raise MessageOfOtherKind(
            f"Part {number} is not said to be a plain {DICOM}. Send DICOM files alone, in binary; pictures "
            "go through the upload page. Nothing of the message is kept."
        )
    length = headers.get(b"content-length")
    if length is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise MessageRefused(f"Part {number} has a length that is no number. Nothing of the message is kept.")
    return int(length)


def _write(pieces: Iterator[bytes], path: Path, *, limits: MessageLimits, is_kept: bool) -> SentFile:
    total = begun = 0
    with path.open("wb") as file:
        for piece in pieces:
            room = limits.max_part_bytes + 1 - total
            total += len(piece)
            if room > 0:
                file.write(piece[:room])
            if is_kept and total - begun >= _WRITTEN_AT_ONCE_BYTES:
                begin_writing(file, since=begun, until=total)
                begun = total
    return SentFile(path, total)
