"""Reads a stored film: its header, its codestreams, and the same film without compression."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.uid import ExplicitVRLittleEndian, HTJ2KLossless

from deepmedix_review.common.errors import FileAway
from deepmedix_review.studies.dicomweb.unpacking import DAMAGED, FrameUnpacker

logger = logging.getLogger(__name__)

# The syntax that every film is stored in, and the one that everybody reads.
TRANSFER_SYNTAXES = (HTJ2KLossless, ExplicitVRLittleEndian)
# Of an element of an explicit, long type: tag, VR, two reserved bytes, length (PS3.5, table 7.1-1).
_ELEMENT_START = 12
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class FilmFile:
    """`header`: without its pixels, which begin `pixels_at` bytes into the file, in fragments."""

    path: Path
    header: Dataset
    pixels_at: int

    @property
    def num_frames(self) -> int:
        return int(self.header.get("NumberOfFrames") or 1)

    @property
    def frame_bytes(self) -> int:
        """Of a frame without compression."""
        return int(self.header.Rows) * int(self.header.Columns) * int(self.header.BitsAllocated) // 8

    def codestream(self, frame: int) -> bytes:
        """Of a frame, counted from 0. Raises FileAway."""
        with _reading(self.path) as file:
            file.seek(self.pixels_at)
            return get_frame(file, frame, number_of_frames=self.num_frames)

    def values(self, frame: int, unpacker: FrameUnpacker) -> NDArray[Any]:
        """Stored values of a frame, rows x columns. Raises FileAway."""
        rows, columns = int(self.header.Rows), int(self.header.Columns)
        return unpacker.unpack(self.codestream(frame), rows=rows, columns=columns)

    def pixels(self, frame: int, unpacker: FrameUnpacker) -> bytes:
        """The same as Explicit VR Little Endian has them: row by row in words of Bits Allocated."""
        values = self.values(frame, unpacker)
        signed = "i" if self.header.PixelRepresentation == 1 else "u"
        return values.astype(np.dtype(f"<{signed}{int(self.header.BitsAllocated) // 8}")).tobytes()

    def without_compression(self, unpacker: FrameUnpacker) -> Iterator[bytes]:
        """The whole file in Explicit VR Little Endian, a frame at a time."""
        yield self._plain_start()
        for frame in range(self.num_frames):
            yield self.pixels(frame, unpacker)
        if self._pixel_bytes % 2:
            yield b"\0"

    @property
    def _pixel_bytes(self) -> int:
        return self.frame_bytes * self.num_frames

    def _plain_start(self) -> bytes:
        plain = Dataset(self.header)
        plain.file_meta = FileMetaDataset(self.header.file_meta)
        plain.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        start = BytesIO()
        plain.save_as(start, implicit_vr=False, little_endian=True, enforce_file_format=True)
        vr = b"OW" if self.header.BitsAllocated > 8 else b"OB"
        length = self._pixel_bytes + self._pixel_bytes % 2
        start.write(b"\xe0\x7f\x10\x00" + vr + b"\0\0" + length.to_bytes(4, "little"))
        return start.getvalue()


def read_film_file(path: Path) -> FilmFile:
    """Its header alone is read. Raises FileAway."""
    with _reading(path) as file:
        header = dcmread(file, stop_before_pixels=True)
        return FilmFile(path, header, file.tell() + _ELEMENT_START)


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except MemoryError:
        raise
    except Exception as error:
        # pydicom's parsers raise whatever they meet.
        logger.error("a film in the film folder is damaged: %s", path.name)
        raise FileAway(DAMAGED) from error


def file_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
