"""Where a plot's axis is ruled."""

from __future__ import annotations

import math

MOST_TICKS = 6


def axis_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """A few round values between, apart by 1, 2 or 5 times a power of ten, and how each is written.

    >>> [said for _, said in axis_ticks(-0.13, 0.42)]
    ['-0.1', '0.0', '0.1', '0.2', '0.3', '0.4']
    >>> [said for _, said in axis_ticks(-0.004, 0.021)]
    ['0.000', '0.005', '0.010', '0.015', '0.020']
    """
    if not high > low:
        return [(low, f"{low:g}")]
    unit = 10.0 ** math.floor(math.log10((high - low) / MOST_TICKS))
    apart = next(size * unit for size in (1, 2, 5, 10) if (high - low) / (size * unit) <= MOST_TICKS)
    digits = max(0, -math.floor(math.log10(apart) + 1e-9))
    first, last = math.ceil(low / apart - 1e-9), math.floor(high / apart + 1e-9)
    return [(place * apart, f"{place * apart:.{digits}f}") for place in range(first, last + 1)]
