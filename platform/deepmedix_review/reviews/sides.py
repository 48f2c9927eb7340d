"""Draws which of two completions stands on side A, so that no reader can learn a model by its place."""

import hashlib
from collections.abc import Sequence


def draw_swaps(*, seed: int, reader: str, num_cases: int) -> Sequence[bool]:
    """For each case in order, whether the second completion stands on side A.

    Cases are ranked by SHA-256 of seed, reader and position and every other one is swapped, so each reader
    sees the two orders equally often (within one), unpredictably, and the same seed draws the same sides.

    >>> sum(draw_swaps(seed=1, reader="r", num_cases=10))
    5
    """

    def rank(position: int) -> str:
        return hashlib.sha256(f"{seed}:{reader}:{position}".encode()).hexdigest()

    swaps = [False] * num_cases
    # An odd case left over must not always fall on the same order.
    offset = int(rank(num_cases)[0], 16) % 2
    for index, position in enumerate(sorted(range(num_cases), key=rank)):
        swaps[position] = (index + offset) % 2 == 0
    return tuple(swaps)
