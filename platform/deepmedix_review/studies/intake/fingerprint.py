"""What a film looks like in 256 bits: of nearly the same picture nearly the same bits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16
NUM_BANDS = 16
# Of 256. Films made smaller, compressed with loss, of another window or cut by half a per cent were up to 16
# apart (median 2), real films of different patients 94 and more, phantoms of one size 18 and more.
MOST_BITS_APART = 15

_SAMPLED = 64
_BLANK_RANGE, _LEVELS = 12, 255


def bands_of(picture: Image.Image) -> list[int]:
    """The signs of the 256 broadest waves of a shown film against their median, in 16 bands of 16 bits, each
    with its number above them, so that equal bands are equal numbers.

    Of two films that are less than 16 bits apart at least one band is the same: that is what an index finds.
    """
    small = picture.convert("L").resize((_SAMPLED, _SAMPLED), Image.Resampling.BOX)
    waves = _COSINES @ np.asarray(small, np.float64) @ _COSINES.T
    waves[0, 0] = 0
    bits = waves > np.median(waves)
    # Along diagonals: rows and columns are waves of one direction, which chests have in common.
    rows, columns = np.indices(bits.shape)
    weights = np.where(bits, 1 << columns, 0)
    return [
        (band << SIDE) + int(weights[(rows + columns) % NUM_BANDS == band].sum()) for band in range(NUM_BANDS)
    ]


def is_blank(picture: Image.Image, stored: NDArray[np.integer[Any]] | None = None) -> bool:
    """Whether a shown film has nothing in it but one grey and noise; or in its middle alone, where the edges
    of a collimated exposure lie around that. `stored`: its values, rows x columns: a window may show a good
    film in one grey, so the middle is judged by them too.

    Of 15 real films the broad parts span 101 of 255 levels and more, those of the middle 94.
    """
    shown = _parts(picture.convert("L"))
    if _span(shown) < _BLANK_RANGE:
        return True
    if stored is None or _span(_middle(shown)) >= _BLANK_RANGE:
        return False
    values = _parts(Image.fromarray(stored.astype(np.float32)))
    return _span(_middle(values)) * _LEVELS < _BLANK_RANGE * _span(values)


def _parts(picture: Image.Image) -> NDArray[np.float64]:
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.float64)


def _middle(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    return parts[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4]


def _span(parts: NDArray[np.float64]) -> float:
    return float(np.ptp(np.percentile(parts, (2, 98))))


def _cosines() -> NDArray[np.float64]:
    """The discrete cosine transform (type II) of a side, its 16 broadest waves."""
    waves, places = np.indices((SIDE, _SAMPLED))
    cosines: NDArray[np.float64] = np.cos(np.pi * waves * (2 * places + 1) / (2 * _SAMPLED))
    return cosines * np.where(waves == 0, np.sqrt(0.5), 1)


_COSINES = _cosines()
