"""Who reads faster than a case can be read: against the other readers, and against what its parts make."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of fewer cases nobody is called hasty.
FEWEST_CASES = 3
# A median below this share of the other readers' median.
LEAST_SHARE_OF_OTHERS = 1 / 3
# Or of what the parts of the cases make (assumed).
LEAST_SHARE_OF_PARTS = 1 / 3


@dataclass(frozen=True)
class Haste:
    """Medians in seconds of a case; `others` and `parts` are None where they say nothing against it."""

    own: float
    others: float | None
    parts: float | None

    def __str__(self) -> str:
        said = f"took {self.own:.0f} s a case"
        if self.others is not None:
            said += f", where the others take {self.others:.0f} s"
        if self.parts is not None:
            said += f", under a third of the {self.parts:.0f} s that its parts make"
        return said


def hasty_readers(
    readers: NDArray[np.int64], *, seconds: NDArray[np.float64], parts: NDArray[np.float64]
) -> Mapping[int, Haste]:
    """By reader; the arrays hold each reading's reader, how long it took, and what its parts make.

    >>> took = hasty_readers(
    ...     np.array([1, 1, 1, 2, 2, 2]), seconds=np.array([9.0, 8, 9, 90, 80, 90]), parts=np.full(6, 100.0)
    ... )
    >>> {reader: str(haste) for reader, haste in took.items()}
    {1: 'took 9 s a case, where the others take 90 s, under a third of the 100 s that its parts make'}
    """
    found = {}
    for reader in np.unique(readers).tolist():
        own = readers == reader
        if own.sum() < FEWEST_CASES:
            continue
        median, made = float(np.median(seconds[own])), float(np.median(parts[own]))
        others = float(np.median(seconds[~own])) if (~own).sum() >= FEWEST_CASES else 0.0
        haste = Haste(
            own=median,
            others=others if median < LEAST_SHARE_OF_OTHERS * others else None,
            parts=made if median < LEAST_SHARE_OF_PARTS * made else None,
        )
        if haste.others is not None or haste.parts is not None:
            found[reader] = haste
    return found
