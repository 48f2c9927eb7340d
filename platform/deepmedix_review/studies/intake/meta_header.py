"""Reads the short part before a film's header: how the film is stored, and what it is called there.

It holds plain lengths and values, so that it can be read where no decoder may run.
"""

import re
import struct
from pathlib import Path
from typing import BinaryIO

from deepmedix_review.studies.intake.content import FilmRefused

UID_PATTERN = re.compile(r"(?=.{1,64}$)[0-9]+(\.[0-9]+)+")
_SOP_CLASS, _SOP_INSTANCE = 0x0002, 0x0003
_LONG_VRS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
_LONGEST_VALUE = 64 * 1024
_MOST_ELEMENTS = 64


def read_meta_header(file: BinaryIO) -> dict[int, bytes]:
    """Values by their element number, as they stand there. Leaves the file where the data set begins.

    Group 0002 is Explicit VR Little Endian (PS3.10, 7.1). Raises FilmRefused where it is damaged.
    """
    if file.read(132)[128:] != b"DICM":
        file.seek(0)
    values: dict[int, bytes] = {}
    while len(front := file.read(8)) == 8:
        group, element, vr, length = struct.unpack("<HH2sH", front)
        if group != 0x0002:
            break
        if vr in _LONG_VRS:
            (length,) = struct.unpack("<L", file.read(4).ljust(4, b"\0"))
        if length > _LONGEST_VALUE or len(values) > _MOST_ELEMENTS:
            raise FilmRefused("The file's first part, its meta header, is damaged. Export it again.")
        values[element] = file.read(length)
    file.seek(-len(front), 1)
    return values


def read_sent_names(path: Path) -> tuple[str, str]:
    """SOP Class and SOP Instance UID of a file that may be refused; empty where they can't be told."""
    try:
        with path.open("rb") as file:
            values = read_meta_header(file)
    except FilmRefused:
        return "", ""
    sop_class, sop_instance = (
        values.get(element, b"").decode("ascii", "replace").rstrip("\0 ")
        for element in (_SOP_CLASS, _SOP_INSTANCE)
    )
    if not (UID_PATTERN.fullmatch(sop_class) and UID_PATTERN.fullmatch(sop_instance)):
        return "", ""
    return sop_class, sop_instance
