"""The picture of a film: the one that the screen shows and that the model is given.

Stored values become grey by the steps of DICOM PS3.4 N.2: modality transform, window or VOI table,
polarity. Padding outside the detector becomes black.
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
from pydicom.pixels.processing import apply_modality_lut

from inference.regions import model_size

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


def render_values(stored: Values, dataset: Dataset) -> Grey:
    """The same from decoded values (rows x columns) and the attributes that say what they mean."""
    padding = _padding(stored, dataset)
    visible = stored if padding is None else stored[~padding]
    if visible.size == 0:
        return np.zeros(stored.shape, dtype=np.uint8)
    low, high = int(visible.min()), int(visible.max())
    if high - low < 2**20:
        # A table over the values that occur: ten times faster on a 7.5-megapixel film than arithmetic on it.
        table = _grey_of(np.arange(low, high + 1, dtype=np.int64), dataset, low=low, high=high)
        picture = table[np.clip(stored.astype(np.int64), low, high) - low]
    else:
        picture = _grey_of(stored, dataset, low=low, high=high)
    if padding is not None:
        picture[padding] = 0
    return picture


def prepare_image(film: Grey, *, preparation: str, min_pixels: int, max_pixels: int) -> Image.Image:
    """The RGB image that a model sees of a film (uint8, rows x columns), at its `regions.model_size`.

    Resized here once, the model's own processor finds nothing left to resize.
    """
    size = model_size(
        (film.shape[1], film.shape[0]), preparation=preparation, min_pixels=min_pixels, max_pixels=max_pixels
    )
    image = Image.fromarray(film)
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


def _grey_of(values: Values, dataset: Dataset, *, low: int, high: int) -> Grey:
    values = apply_modality_lut(values, dataset)
    window = _window(dataset)
    if window is not None:
        shares = _windowed(values.astype(np.float64), *window, str(dataset.get("VOILUTFunction", "LINEAR")))
    elif dataset.get("VOILUTSequence"):
        shares = _looked_up(values, dataset.VOILUTSequence[0])
    else:
        ends = apply_modality_lut(np.array([low, high], dtype=np.int64), dataset).astype(np.float64)
        darkest, brightest = float(ends.min()), float(ends.max())
        shares = (values - darkest) / max(brightest - darkest, 1e-9)
    shares = np.clip(shares, 0, 1)
    if dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        shares = 1 - shares
    return np.rint(shares * 255).astype(np.uint8)


def _windowed(values: NDArray[np.float64], center: float, width: float, function: str) -> NDArray[np.float64]:
    """Shares of full white; DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3."""
    if function == "SIGMOID":
        exponent = np.clip(-4 * (values - center) / width, -700, 700)
        return np.asarray(1 / (1 + np.exp(exponent)))
    if function == "LINEAR_EXACT":
        return (values - center) / width + 0.5
    return (values - (center - 0.5)) / max(width - 1, 1e-9) + 0.5


def _looked_up(values: Values, table: Dataset) -> NDArray[np.float64]:
    """Shares of full white by a VOI table, PS3.3 C.11.2.1.1. (pydicom's own takes a table of 8-bit entries
    for one of 256 entries.)"""
    num_entries, first, bits = (int(value) for value in table.LUTDescriptor)
    data = table.LUTData
    if isinstance(data, bytes):
        entries = np.frombuffer(data, dtype="<u2" if len(data) >= 2 * (num_entries or 65536) else "u1")
    else:
        entries = np.atleast_1d(np.asarray(data))
    index = np.clip(np.rint(values).astype(np.int64) - first, 0, entries.size - 1)
    return np.asarray(entries[index] / (2.0**bits - 1), dtype=np.float64)


def _window(dataset: Dataset) -> tuple[float, float] | None:
    """Center and width of the first window; None where there is none that can be used."""
    try:
        center, width = (
            float(np.atleast_1d(dataset.get(name))[0]) for name in ("WindowCenter", "WindowWidth")
        )
    except (TypeError, ValueError, IndexError):
        return None
    return (center, width) if np.isfinite([center, width]).all() and width > 0 else None


def _padding(stored: Values, dataset: Dataset) -> NDArray[np.bool_] | None:
    """Where the film has no image (PS3.3 C.7.5.1.1.2); None where it is all image."""
    first = dataset.get("PixelPaddingValue")
    if first is None:
        return None
    last = dataset.get("PixelPaddingRangeLimit", first)
    low, high = sorted((int(first), int(last)))
    padding = (stored >= low) & (stored <= high)
    return padding if padding.any() else None
