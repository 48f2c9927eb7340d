"""What a file that came in really is, told from its first bytes and never from its name."""

import struct
from enum import StrEnum
from pathlib import Path


class Refusal(StrEnum):
    """What programs are told of a refusal, whose sentence is for a person."""

    NOT_UNDERSTOOD = "not understood"
    NO_PICTURE = "no picture"
    UNKNOWN_SYNTAX = "unknown syntax"
    TOO_LARGE = "too large"
    OF_OTHER_STUDY = "of another study"
    OF_OTHER_OBJECT = "of another object"
    ERASED = "erased before"


# The exit status of the decoding process where the disk is full: that is no fault of the film.
DISK_IS_FULL = 28


class FilmRefused(Exception):
    """This file can't become a film; the message tells the person who brought it why, and the way out."""

    def __init__(self, reason: str, *, kind: Refusal = Refusal.NOT_UNDERSTOOD) -> None:
        super().__init__(reason)
        self.kind = kind


class Content(StrEnum):
    DICOM = "dicom"
    PNG = "png"
    JPEG = "jpeg"


# First bytes, and the word for it in a sentence.
_ARCHIVES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
)
_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"RIFF", "a WebP picture or a video"),
)
_WANTED = "Bring DICOM, PNG or JPEG files."


def recognise(path: Path) -> Content:
    """Raises FilmRefused for what is neither DICOM (with or without its preamble) nor PNG nor JPEG."""
    with path.open("rb") as file:
        start = file.read(264)
    if not start:
        raise FilmRefused("The file is empty.")
    if start[128:132] == b"DICM":
        return Content.DICOM
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return Content.PNG
    if start.startswith(b"\xff\xd8\xff"):
        return Content.JPEG
    if start[257:262] == b"ustar":
        raise FilmRefused(f"This is a tar archive. Unpack it first. {_WANTED}")
    for signature, name in _ARCHIVES:
        if start.startswith(signature):
            raise FilmRefused(f"This is {name}. Unpack it first. {_WANTED}")
    for signature, name in _OTHERS:
        if start.startswith(signature):
            raise FilmRefused(f"This is {name}. {_WANTED}")
    if _starts_like_a_data_set(start):
        return Content.DICOM
    raise FilmRefused(f"This is neither a DICOM file nor a picture that can be read. {_WANTED}")


def _starts_like_a_data_set(start: bytes) -> bool:
    """Without a preamble the first element is of group 0002 or 0008, and short (older Fuji)."""
    if len(start) < 16:
        return False
    group, element, vr, explicit_length, implicit_length = struct.unpack("<HH2sH", start[:8]) + (
        struct.unpack("<L", start[4:8])
    )
    if group not in (0x0002, 0x0008) or element > 0x0100:
        return False
    is_explicit = vr.isalpha() and vr.isupper() and explicit_length <= 256
    return bool(is_explicit or implicit_length <= 256)
