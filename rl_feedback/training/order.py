"""Draws which example is shown when, each as often as it weighs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def weighted_order(weights: Sequence[float], *, num_draws: int, seed: int) -> list[int]:
    """Which example is drawn when: the same for the same seed, each as often as its weight says.

    The draws are systematic (one random offset, equal strides through the summed weights), so that few steps
    already show every example about as often as it should be shown; then they are shuffled.

    >>> sorted(weighted_order([1, 1, 2], num_draws=4, seed=1))
    [0, 1, 2, 2]
    """
    rng = np.random.default_rng(seed)
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    points = (rng.random() + np.arange(num_draws)) * edges[-1] / num_draws
    order = np.searchsorted(edges, points, side="right").clip(max=len(weights) - 1)
    return [int(index) for index in rng.permutation(order)]
