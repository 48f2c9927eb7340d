"""The picture of a film: the one that the screen shows and that the model is given.

Stored values become grey as `inference.shading` says; padding outside the detector becomes black.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames

from inference.regions import model_size, shown_area
from inference.shading import Look, full_range, modality_values, named_looks

# HTJ2K, as films are stored here, decodes three times faster by imagecodecs than by pydicom's plugin; for
# lossless JPEG pydicom has none that is not GPL.
_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "1.2.840.10008.1.2.4.201": imagecodecs.htj2k_decode,
    "1.2.840.10008.1.2.4.202": imagecodecs.htj2k_decode,
    "1.2.840.10008.1.2.4.57": imagecodecs.ljpeg_decode,
    "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_decode,
}

Grey = NDArray[np.uint8]
Values = NDArray[Any]


def render_reference(path: str | Path) -> Grey:
    """A DICOM film as uint8, rows x columns, 0 black to 255 white, at its own size.

    The first window is taken where there is one, else the VOI table, else the film's whole range. Of
    several frames the first is shown. Raises ValueError for colour, pydicom's errors for what is no film.
    """
    dataset = dcmread(path)
    if dataset.get("SamplesPerPixel", 1) != 1:
        raise ValueError("a film has one grey value per pixel, this image has colours")
    return render_values(_first_frame(dataset), dataset)


def render_values(stored: Values, dataset: Dataset, *, look: Look | None = None) -> Grey:
    """The same from decoded values (rows x columns) and the attributes that say what they mean.

    `look`: one of `looks_of` the same film, without it the first.
    """
    padding = _padding(stored, dataset)
    visible = stored if padding is None else stored[~padding]
    if visible.size == 0:
        return np.zeros(stored.shape, dtype=np.uint8)
    look = look or next(iter(named_looks(dataset) or looks_of(stored, dataset)))
    low, high = int(visible.min()), int(visible.max())
    if high - low < 2**20:
        # A table over the values that occur: ten times faster on a 7.5-megapixel film than arithmetic on it.
        table = _grey_of(np.arange(low, high + 1, dtype=np.int64), dataset, look)
        picture = _looked_up(table, stored, low)
    else:
        picture = _grey_of(stored, dataset, look)
    if padding is not None:
        picture[padding] = 0
    return picture


def _looked_up(table: Grey, stored: Values, low: int) -> Grey:
    """`table` begins at the grey of the value `low`. What lies outside is padding: any grey will do there."""
    picture: Grey
    native = stored.dtype.newbyteorder("=")
    if native.itemsize > 2:
        picture = table[np.clip(stored.astype(np.int64) - low, 0, len(table) - 1)]
    else:
        # A place for every value that the type holds: the film itself is the index, no copy of it is made.
        index = np.dtype(f"u{native.itemsize}")
        whole = np.zeros(1 << 8 * native.itemsize, np.uint8)
        whole[np.arange(low, low + len(table)).astype(native).view(index)] = table
        picture = whole[stored.astype(native, copy=False).view(index)]
    return picture


def looks_of(stored: Values, dataset: Dataset) -> tuple[Look, ...]:
    """Every look that a viewer offers of a film: its windows, its VOI tables, and its whole range."""
    padding = _padding(stored, dataset)
    visible = stored if padding is None else stored[~padding]
    if visible.size == 0:
        return (*named_looks(dataset), full_range(0, 1))
    values = modality_values(_occurring(visible), dataset)
    return (*named_looks(dataset), full_range(float(values.min()), float(values.max())))


def prepare_image(
    film: Grey, *, preparation: str, min_pixels: int, max_pixels: int, factor: int = 28
) -> Image.Image:
    """The RGB image that a model sees of a film (uint8, rows x columns), at its `regions.model_size`.

    Resized here once, the model's own processor finds nothing left to resize.
    """
    size = model_size(
        (film.shape[1], film.shape[0]),
        preparation=preparation,
        min_pixels=min_pixels,
        max_pixels=max_pixels,
        factor=factor,
    )
    return picture_of(film, preparation=preparation, size=size)


def picture_of(
    film: Grey, *, preparation: str, size: tuple[int, int], padding: tuple[int, int, int] = (0, 0, 0)
) -> Image.Image:
    """The RGB image of `size` (width, height) of the film's `regions.shown_area`; `padding` is the colour of
    what lies outside the film."""
    image = Image.fromarray(film)
    left, top, right, bottom = (int(edge) for edge in shown_area(image.size, preparation=preparation))
    if left < 0 or top < 0:
        square = Image.new("RGB", (right - left, bottom - top), padding)
        square.paste(image.convert("RGB"), (-left, -top))
        return square.resize(size, Image.Resampling.BICUBIC)
    if (left, top, right, bottom) != (0, 0, *image.size):
        image = image.crop((left, top, right, bottom))
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return image.convert("RGB")


def _first_frame(dataset: Dataset) -> Values:
    """Stored values, rows x columns."""
    decode = _DECODERS.get(dataset.file_meta.TransferSyntaxUID)
    if decode is not None:
        num_frames = int(dataset.get("NumberOfFrames") or 1)
        frame = np.asarray(decode(next(generate_frames(dataset.PixelData, number_of_frames=num_frames))))
        if dataset.PixelRepresentation == 1 and frame.dtype.kind == "u":
            sign = 1 << (int(dataset.BitsStored) - 1)
            return (frame.astype(np.int32) & (2 * sign - 1) ^ sign) - sign
        return frame
    stored = dataset.pixel_array
    return np.asarray(stored[0] if stored.ndim == 3 else stored)


def _grey_of(values: Values, dataset: Dataset, look: Look) -> Grey:
    shares = np.clip(look.shares(modality_values(values, dataset)), 0, 1)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        shares = 1 - shares
    return np.floor(shares * 255 + 0.5).astype(np.uint8)


def _occurring(values: Values) -> Values:
    """Each value once; counted where they lie close together, which is ten times faster than sorting."""
    low, high = int(values.min()), int(values.max())
    if high - low >= 2**20:
        return np.unique(values)
    return low + np.flatnonzero(np.bincount((values.astype(np.int64) - low).ravel()))


def _padding(stored: Values, dataset: Dataset) -> NDArray[np.bool_] | None:
    """Where the film has no image (PS3.3 C.7.5.1.1.2); None where it is all image."""
    first = dataset.get("PixelPaddingValue")
    if first is None:
        return None
    last = dataset.get("PixelPaddingRangeLimit", first)
    low, high = sorted((int(first), int(last)))
    padding = (stored >= low) & (stored <= high)
    return padding if padding.any() else None
