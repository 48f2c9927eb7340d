"""A film's pixels: decoded, brought to one plain form, and compressed again without loss."""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pydicom import Dataset
from pydicom.encaps import generate_frames

from deepmedix_review.studies.intake.content import FilmRefused
from deepmedix_review.studies.intake.header import HTJ2K, JPEG_EXTENDED, JPEG_LOSSLESS, Header
from deepmedix_review.studies.intake.limits import Limits
from inference.images import render_values

Pixels = NDArray[np.integer[Any]]
# Its left column, upper row, and the column and row behind its last ones.
Box = tuple[int, int, int, int]

# What a grey picture's channels may differ by after a JPEG rounded its colours; one in 1,000 may be off.
_GREY_TOLERANCE = 8
_GREY_SHARE = 0.999


@dataclass(frozen=True)
class Film:
    """`pixels`: frames x rows x columns, stored values in the low `bits_stored` bits of 8 or 16.

    `held_bits_more`: some value needs more bits than the header said, so `bits_stored` was raised.
    """

    pixels: Pixels
    bits_stored: int
    photometric: str
    held_bits_more: bool = False

    @property
    def sha256(self) -> str:
        """Of the stored values and their geometry, the same whatever the file's syntax or bits allocated."""
        digest = hashlib.sha256("x".join(map(str, self.pixels.shape)).encode())
        digest.update(
            np.ascontiguousarray(self.pixels).astype(self.pixels.dtype.newbyteorder("<"), copy=False).data
        )
        return digest.hexdigest()


def decode_dicom(header: Header) -> Film:
    """Raises FilmRefused where the picture can't be read, or is in colour."""
    try:
        frames = _decode_frames(header)
    except FilmRefused:
        raise
    except MemoryError:
        raise
    except Exception as error:
        raise FilmRefused(
            f"The picture is damaged and can't be decoded ({type(error).__name__}). Export it again."
        ) from error
    expected = (header.num_frames, header.rows, header.columns)
    if frames.shape[:3] != expected:
        raise FilmRefused("The picture inside has another size than the header says. Export the film again.")
    if frames.ndim == 4:
        return Film(_grey(frames), 8, "MONOCHROME2")
    return _plain(frames, header)


def decode_picture(path: Path, *, limits: Limits) -> Film:
    """A PNG or JPEG. Raises FilmRefused where it is too large, damaged, or in colour."""
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = None  # the platform's own limit follows
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > limits.max_pixels:
                raise FilmRefused(
                    f"The picture has {picture.width} x {picture.height} pixels; the platform takes up to "
                    f"{limits.max_pixels // 1024**2} million. No chest film is so large."
                )
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith("I"):
                values = np.asarray(upright)
                if values.min() < 0 or values.max() > 65535:
                    raise FilmRefused("The picture's values need more than 16 bits. Save it with 8 or 16.")
                return Film(values.astype(np.uint16)[np.newaxis], 16, "MONOCHROME2")
            if upright.mode in ("L", "1"):
                return Film(np.asarray(upright.convert("L"))[np.newaxis], 8, "MONOCHROME2")
            return Film(_grey(np.asarray(upright.convert("RGB"))[np.newaxis]), 8, "MONOCHROME2")
    except (OSError, SyntaxError, ValueError) as error:
        raise FilmRefused("The picture is damaged and can't be decoded. Save it again.") from error


def encode(film: Film) -> list[bytes]:
    """One HTJ2K codestream a frame (PS3.5 A.4.11), each decoded again and compared before it is trusted."""
    streams = []
    # Browsers' decoder takes what is below zero in 8 bits for zero.
    pixels = film.pixels.astype(np.int16) if film.pixels.dtype == np.int8 else film.pixels
    for frame in pixels:
        stream = bytes(imagecodecs.htj2k_encode(np.ascontiguousarray(frame), reversible=True))
        if not np.array_equal(imagecodecs.htj2k_decode(stream), frame):
            raise FilmRefused(
                "The film could not be compressed without loss, so it was not stored. Report this file."
            )
        streams.append(stream)
    return streams


def overwrite(film: Film, boxes: Sequence[Box], *, value: int) -> Film:
    """`value` in every pixel of the boxes, on each frame; all others stay as they are."""
    pixels = film.pixels.copy()
    for x_min, y_min, x_max, y_max in boxes:
        pixels[:, y_min:y_max, x_min:x_max] = value
    return replace(film, pixels=pixels)


def background_of(film: Film, described: Dataset) -> int:
    """The stored value for where a film has no picture: its padding where it names one, else of its lowest
    and its highest value the one that is shown darker. `described`: what its header says of its greys."""
    padding = described.get("PixelPaddingValue")
    lowest = -(1 << (film.bits_stored - 1)) if film.pixels.dtype.kind == "i" else 0
    if padding is not None and lowest <= int(padding) < lowest + (1 << film.bits_stored):
        return int(padding)
    ends = np.array([[film.pixels.min(), film.pixels.max()]], film.pixels.dtype)
    return int(ends[0, int(np.argmin(render_values(ends, described)[0]))])


def looks_inverted(shown: NDArray[np.uint8]) -> bool:
    """Whether a shown frontal film has dark bones: its middle, the spine and the heart, is clearly darker
    than the lungs beside it. A hint for a person: it found 11 of 12 real films that were reversed for it, and
    400 of 400 phantoms, without a false alarm on any of them as they are."""
    rows, columns = shown.shape

    def level(left: float, right: float) -> float:
        part = shown[int(0.3 * rows) : int(0.7 * rows), int(left * columns) : max(int(right * columns), 1)]
        return float(np.median(part)) if part.size else 0.0

    middle, beside = level(0.44, 0.58), (level(0.22, 0.36) + level(0.66, 0.80)) / 2
    return middle + 20 < beside


def _decode_frames(header: Header) -> NDArray[np.generic]:
    """Frames x rows x columns, or x 3 where coloured."""
    decode = _own_decoder(header)
    if decode is None:
        array = header.dataset.pixel_array
        return array if header.num_frames > 1 else array[np.newaxis]
    frames = generate_frames(header.dataset.PixelData, number_of_frames=header.num_frames)
    return np.stack([decode(frame) for frame in frames])


def _own_decoder(header: Header) -> Callable[[bytes], NDArray[np.generic]] | None:
    """For what pydicom leaves to a GPL library, or decodes three times slower."""
    if header.syntax in JPEG_LOSSLESS:
        return imagecodecs.ljpeg_decode
    if header.syntax == JPEG_EXTENDED:
        return imagecodecs.jpeg_decode
    if header.syntax in HTJ2K:
        return imagecodecs.htj2k_decode
    return None


def _plain(frames: NDArray[np.generic], header: Header) -> Film:
    """Stored values alone: what lies above the stored bits (old overlays, PS3.5 8.1.1) is cleared."""
    if frames.dtype.itemsize > 2 or frames.dtype.kind not in "iu":
        raise FilmRefused("The picture's values need more than 16 bits. Export the film with up to 16.")
    # In the film's own width: a wider copy of it takes longer to make than all that is done here.
    native = frames.dtype.newbyteorder("=")
    width = 8 * native.itemsize
    unsigned = frames.astype(native, copy=False).view(f"u{native.itemsize}")
    if header.bits_allocated < width:
        unsigned = unsigned & ((1 << header.bits_allocated) - 1)
    has_overlay = any(
        element.tag.group & 0xFF00 == 0x6000 and element.tag.element == 0x0102 and element.value
        for element in header.dataset.group_dataset(0x6000)
    )
    bits, shift = header.bits_stored, header.high_bit + 1 - header.bits_stored
    more = False
    if header.syntax.is_encapsulated:
        shift = 0
    if shift:
        unsigned = unsigned >> shift
    if not header.is_signed and not has_overlay and int(unsigned.max()) >= 1 << bits:
        bits, more = int(unsigned.max()).bit_length(), True
    if bits < width:
        unsigned = unsigned & ((1 << bits) - 1)
    if header.is_signed:
        sign = 1 << (bits - 1)
        signed = ((unsigned ^ sign) - sign).view(f"i{native.itemsize}")
        plain: Pixels = signed.astype(np.int8 if bits <= 8 else np.int16, copy=False)
    else:
        plain = unsigned.astype(np.uint8 if bits <= 8 else np.uint16, copy=False)
    return Film(plain, bits, header.photometric, more)


def _grey(frames: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The grey values of a picture that holds three equal channels. Raises FilmRefused for a coloured one."""
    channels = frames.astype(np.int16)
    spread = channels.max(axis=-1) - channels.min(axis=-1)
    if float((spread <= _GREY_TOLERANCE).mean()) < _GREY_SHARE:
        raise FilmRefused(
            "This is a coloured picture; a chest film is grey. Save the film itself, not a screen."
        )
    return channels[..., 1].astype(np.uint8)
