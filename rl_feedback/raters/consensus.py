"""Where several readers together put a region, how far apart they are, and how many stand behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from inference.regions import Box
from rl_feedback.agreement.regions import iou_matrix
from rl_feedback.raters.cells import Floats

# Boxes that overlap by more than this (intersection over union) mean the same place.
LEAST_OVERLAP = 0.5


@dataclass(frozen=True)
class ConsensusRegion:
    """`box` has the median corners of its readers' boxes. `tolerance` is, edge by edge, the median distance
    of their edges from it: half of them lie within; None for one reader, of whom it can't be told. `overlap`
    is the mean IoU of every two of its boxes."""

    box: Box
    tolerance: Box | None
    overlap: float | None
    readers: tuple[Any, ...]

    @property
    def num_readers(self) -> int:
        return len(self.readers)


def consensus_regions(
    boxes: Sequence[tuple[Any, Sequence[float]]], *, least_overlap: float = LEAST_OVERLAP
) -> tuple[ConsensusRegion, ...]:
    """Cluster boxes (reader, [x_min, y_min, x_max, y_max]) that mean the same place; most readers first.

    The two clusters whose boxes overlap most on average are joined until none overlap by more than
    `least_overlap` (average linkage: R. R. Sokal and C. D. Michener (1958), Univ Kansas Sci Bull 38,
    1409-1438). Boxes of one reader are never joined: who draws two means two places. The order of the boxes
    does not matter. Raises ValueError for a box without area.

    >>> found = consensus_regions([("Ann", (0, 0, 10, 10)), ("Bob", (0, 0, 12, 10)), ("Cem", (5, 5, 6, 6))])
    >>> [(tuple(region.box), region.num_readers) for region in found]
    [((0.0, 0.0, 11.0, 10.0), 2), ((5.0, 5.0, 6.0, 6.0), 1)]
    """
    known = sorted(
        ((Box(*map(float, box)), reader) for reader, box in boxes), key=lambda one: (one[0], repr(one[1]))
    )
    if any(not (box.x_min < box.x_max and box.y_min < box.y_max) for box, _ in known):
        raise ValueError("A region without area has no place: leave it out.")
    overlaps = iou_matrix([box for box, _ in known], [box for box, _ in known])
    clusters = [[place] for place in range(len(known))]
    while (
        nearest := _nearest(clusters, overlaps, [reader for _, reader in known], least_overlap)
    ) is not None:
        first, second = nearest
        clusters[first] = clusters[first] + clusters[second]
        del clusters[second]
    regions = [_region([known[place] for place in cluster], overlaps, cluster) for cluster in clusters]
    return tuple(sorted(regions, key=lambda region: (-region.num_readers, region.box)))


def _nearest(
    clusters: Sequence[Sequence[int]], overlaps: Floats, readers: Sequence[Any], least_overlap: float
) -> tuple[int, int] | None:
    """The two clusters to be joined next, by their places."""
    best, found = least_overlap, None
    for first, second in combinations(range(len(clusters)), 2):
        one, other = clusters[first], clusters[second]
        if {readers[place] for place in one} & {readers[place] for place in other}:
            continue
        overlap = float(overlaps[np.ix_(one, other)].mean())
        if overlap > best:
            best, found = overlap, (first, second)
    return found


def _region(members: Sequence[tuple[Box, Any]], overlaps: Floats, cluster: Sequence[int]) -> ConsensusRegion:
    corners = np.array([box for box, _ in members])
    middle = np.median(corners, axis=0)
    several = len(members) > 1
    return ConsensusRegion(
        box=Box(*middle.tolist()),
        tolerance=Box(*np.median(np.abs(corners - middle), axis=0).tolist()) if several else None,
        overlap=float(np.mean([overlaps[a, b] for a, b in combinations(cluster, 2)])) if several else None,
        readers=tuple(reader for _, reader in sorted(members, key=lambda one: repr(one[1]))),
    )
