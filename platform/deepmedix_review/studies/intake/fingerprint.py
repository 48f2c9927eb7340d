"""What a film looks like in 256 bits: of nearly the same picture nearly the same bits."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16
NUM_BANDS = 16
# Of 256. Films made smaller, compressed with loss, of another window or cut by half a per cent were up to 16
# apart (median 2), real films of different patients 94 and more, phantoms of one size 18 and more.
MOST_BITS_APART = 15

_SAMPLED = 64
_BLANK_RANGE = 12


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


def is_blank(picture: Image.Image) -> bool:
    """Whether there is nothing in its middle but one grey and noise: an exposure without a patient may have
    the edges of its collimation. Of 15 real films the broad parts of the middle span 94 of 255 levels and
    more."""
    parts = np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), np.float64)
    middle = parts[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4]
    return float(np.ptp(np.percentile(middle, (2, 98)))) < _BLANK_RANGE


def _cosines() -> NDArray[np.float64]:
    """The discrete cosine transform (type II) of a side, its 16 broadest waves."""
    waves, places = np.indices((SIDE, _SAMPLED))
    cosines: NDArray[np.float64] = np.cos(np.pi * waves * (2 * places + 1) / (2 * _SAMPLED))
    return cosines * np.where(waves == 0, np.sqrt(0.5), 1)


_COSINES = _cosines()
