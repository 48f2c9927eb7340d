"""A figure of agreement as it is told to people: its value, how sure it is, and what it was computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
# What NumPy can read as an array of numbers; NaN is a gap.
Numbers = npt.NDArray[Any] | Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What every statistic here returns.

    `value` is None where the statistic does not exist for these data; `note` then says why, and otherwise
    what a reader of the figure should know. `interval` is (low, high) at `confidence`, or None.
    """

    value: float | None
    interval: tuple[float, float] | None = None
    confidence: float = 0.95
    note: str = ""


def table_of(numbers: Numbers, *, called: str, shape: str) -> Floats:
    """The numbers as a table of two dimensions. Raises ValueError that names the expected shape."""
    try:
        table = np.asarray(numbers, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{called} must be numbers ({shape}), all rows equally long: number your categories first."
        ) from error
    if table.ndim != 2:
        raise ValueError(f"{called} must be a table of {shape}; these have {table.ndim} dimension(s).")
    if np.isinf(table).any():
        raise ValueError(f"{called} hold an infinite value: leave a gap (NaN) where there is no rating.")
    return table


def check_confidence(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, such as 0.95; this is {confidence}.")
    return confidence


def percentiles(draws: Sequence[float], confidence: float) -> tuple[float, float] | None:
    """The percentile interval of bootstrap draws; None without draws."""
    if len(draws) == 0:
        return None
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.setflags(write=False)
    return array
