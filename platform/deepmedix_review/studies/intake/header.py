"""Checks that a film's header is true and bearable before one pixel is decoded, in the decoding process."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from deepmedix_review.studies.intake.content import FilmRefused, Refusal
from deepmedix_review.studies.intake.limits import Limits
from deepmedix_review.studies.intake.meta_header import UID_PATTERN, read_meta_header
from deepmedix_review.studies.intake.tags import KEPT_SEQUENCES

NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
HTJ2K = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")
COMPRESSED = (
    RLELossless,
    *JPEG_LOSSLESS,
    JPEG_EXTENDED,
    *HTJ2K,
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.80",  # JPEG-LS
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",  # JPEG 2000
    "1.2.840.10008.1.2.4.91",
)
# A PackBits run says at most 128 bytes in 2 (PS3.5 annex G.3.1).
_RLE_MAX_RATIO = 64
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class Header:
    """What the header declares, checked. Lengths in bytes."""

    dataset: Dataset
    syntax: UID
    rows: int
    columns: int
    num_frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    photometric: str


def read_film(path: Path, *, limits: Limits, work: Path, is_named: bool = True) -> Header:
    """The whole data set, its header checked before its pixels are touched. Raises FilmRefused.

    `is_named`: the header's own UIDs name the film, so they have to be there.
    """
    path, syntax = _inflated(path, limits=limits, work=work)
    with path.open("rb") as file:
        front = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        syntax = syntax or front.file_meta.get("TransferSyntaxUID") or _guessed(front)
        header = _checked(front, syntax=UID(syntax), limits=limits, is_named=is_named)
        announced = _announced_pixel_bytes(file, front)
        left = path.stat().st_size - file.tell()
    _check_pixel_bytes(header, announced=announced, left=left)
    dataset = pydicom.dcmread(path, force=True)
    if "PixelData" not in dataset or not dataset.PixelData:
        raise FilmRefused(_CUT_OFF)
    dataset.file_meta.TransferSyntaxUID = header.syntax
    if header.syntax == ExplicitVRBigEndian:
        _turn_tables(dataset)
    return Header(**{**header.__dict__, "dataset": dataset})


def _turn_tables(dataset: Dataset) -> None:
    """Lookup tables kept as raw bytes become little endian, as everything is from here on."""
    for keyword in KEPT_SEQUENCES:
        for lut in dataset.get(keyword) or ():
            if isinstance(lut.get("LUTData"), bytes):
                lut.LUTData = np.frombuffer(lut.LUTData, ">u2").astype("<u2").tobytes()


_CUT_OFF = "The file ends in the middle of its picture: it was cut off on its way. Export it again."


def _inflated(path: Path, *, limits: Limits, work: Path) -> tuple[Path, str]:
    """A deflated data set is inflated into a file, chunk by chunk, never past the limit (PS3.5 annex A.5)."""
    with path.open("rb") as file:
        syntax = _read_syntax(file)
        if syntax != DeflatedExplicitVRLittleEndian:
            return path, syntax
        inflated = work / "inflated"
        stream, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
        with inflated.open("wb") as out:
            while chunk := file.read(64 * 1024):
                while chunk:
                    piece = stream.decompress(chunk, 1024**2)
                    total += len(piece)
                    if total > limits.max_inflated_bytes:
                        raise FilmRefused(
                            f"The file unfolds to more than {limits.max_inflated_bytes // 1024**2} MB: no "
                            "film is so large. It may have been made to fill the machine; don't pass it on.",
                            kind=Refusal.TOO_LARGE,
                        )
                    out.write(piece)
                    chunk = stream.unconsumed_tail
    return inflated, str(ExplicitVRLittleEndian)


def _read_syntax(file: BinaryIO) -> str:
    """Leaves the file where the data set begins."""
    return read_meta_header(file).get(0x0010, b"").decode("ascii", "replace").rstrip("\0 ")


def _guessed(front: Dataset) -> str:
    is_implicit, is_little = front.original_encoding
    if not is_little:
        return str(ExplicitVRBigEndian)
    return str(ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian)


def _checked(front: Dataset, *, syntax: UID, limits: Limits, is_named: bool) -> Header:
    if not len(front):
        raise FilmRefused("The file says that it is DICOM, but nothing in it can be read.")
    if is_named:
        _check_names(front)
    if syntax not in (*NATIVE, *COMPRESSED):
        name = (
            syntax.name if syntax.is_transfer_syntax and not syntax.is_private else "unknown to the platform"
        )
        raise FilmRefused(
            f"The film is stored in a way that can't be read here ({name}). Export it as Explicit VR Little "
            "Endian.",
            kind=Refusal.UNKNOWN_SYNTAX,
        )
    header = Header(
        dataset=front,
        syntax=syntax,
        rows=_count(front, "Rows"),
        columns=_count(front, "Columns"),
        num_frames=_count(front, "NumberOfFrames", default=1),
        samples=_count(front, "SamplesPerPixel", default=1),
        bits_allocated=_count(front, "BitsAllocated"),
        bits_stored=_count(front, "BitsStored"),
        high_bit=_count(front, "HighBit", default=_count(front, "BitsStored") - 1),
        is_signed=front.get("PixelRepresentation") == 1,
        photometric=str(front.get("PhotometricInterpretation", "")).strip().upper(),
    )
    _check_numbers(header, limits=limits)
    return header


def _check_names(front: Dataset) -> None:
    for keyword, name in (("StudyInstanceUID", "Study"), ("SOPInstanceUID", "SOP")):
        if not front.get(keyword):
            raise FilmRefused(
                f"The header has no {name} Instance UID, so the film can't be told from others."
            )
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        if front.get(keyword) and not UID_PATTERN.fullmatch(str(front[keyword].value)):
            raise FilmRefused(
                f"The header's {pydicom.datadict.dictionary_description(keyword)} is not a UID: it may hold "
                "only digits and dots, at most 64. Export the film again."
            )


def _count(front: Dataset, keyword: str, *, default: int | None = None) -> int:
    value = front.get(keyword)
    if value is None and default is not None:
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        raise FilmRefused(
            f"There is no picture in this object: its header does not say {keyword}. Choose the film itself.",
            kind=Refusal.NO_PICTURE,
        ) from None


def _check_numbers(header: Header, *, limits: Limits) -> None:
    pixels = header.rows * header.columns * header.num_frames
    if min(header.rows, header.columns, header.num_frames) < 1:
        raise FilmRefused("The header says that the picture has no rows, columns or frames.")
    if pixels > limits.max_pixels:
        raise FilmRefused(
            f"The header says {header.columns} x {header.rows} pixels"
            + (f" in {header.num_frames} frames" if header.num_frames > 1 else "")
            + f"; the platform takes up to {limits.max_pixels // 1024**2} million. No chest film is so "
            "large.",
            kind=Refusal.TOO_LARGE,
        )
    fits = (
        header.bits_stored <= header.bits_allocated
        and header.bits_stored - 1 <= header.high_bit < header.bits_allocated
    )
    if header.bits_allocated not in (8, 16) or header.bits_stored < 1 or not fits:
        raise FilmRefused(
            f"The header says {header.bits_stored} bits stored in {header.bits_allocated}; films have up to "
            "16 in 8 or 16. Export the film again."
        )
    grey = header.samples == 1 and header.photometric in ("MONOCHROME1", "MONOCHROME2")
    colour = header.samples == 3 and header.photometric in (
        "RGB",
        "YBR_FULL",
        "YBR_FULL_422",
        "YBR_RCT",
        "YBR_ICT",
    )
    if not grey and not colour:
        raise FilmRefused(
            "The picture is neither grey nor in plain colours, so it is no film that can be shown right."
        )


def _announced_pixel_bytes(file: BinaryIO, front: Dataset) -> int:
    """Of the Pixel Data element before which `dcmread` stopped; 0xFFFFFFFF where it is in fragments."""
    is_implicit, is_little = front.original_encoding
    endian = "<" if is_little else ">"
    start = file.read(8)
    if len(start) < 8 or struct.unpack(f"{endian}HH", start[:4]) != (0x7FE0, 0x0010):
        raise FilmRefused(
            "There is no picture in this object. Choose the film itself.", kind=Refusal.NO_PICTURE
        )
    if is_implicit:
        return int(struct.unpack(f"{endian}L", start[4:])[0])
    return int(struct.unpack(f"{endian}L", file.read(4).ljust(4, b"\0"))[0])


def _check_pixel_bytes(header: Header, *, announced: int, left: int) -> None:
    decoded = header.rows * header.columns * header.num_frames * header.samples * header.bits_allocated // 8
    if header.syntax in NATIVE:
        if announced == _UNDEFINED or announced < decoded:
            raise FilmRefused("The picture holds fewer pixels than its header says. Export the film again.")
        if left < decoded:
            raise FilmRefused(_CUT_OFF)
        return
    if announced != _UNDEFINED:
        raise FilmRefused(
            "The header says that the picture is compressed, but it is not. Export the film again."
        )
    if left < 16:
        raise FilmRefused(_CUT_OFF)
    if header.syntax == RLELossless and decoded > _RLE_MAX_RATIO * left:
        raise FilmRefused(
            f"{left} bytes can't hold the {header.columns} x {header.rows} pixels that the header says. The "
            "file is damaged, or was made to do damage."
        )
