"""Do readers mark the same places: regions matched one to one, and how well the matched ones overlap."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Estimate, Floats, check_confidence, percentiles

Box = tuple[float, float, float, float]
Boxes = Sequence[Sequence[float]]

MOST_WAYS_TRIED = 24
# What is matched at once stays under 10 MB.
PAIRS_AT_ONCE = 10_000


@dataclass(frozen=True)
class MatchedRegions:
    """`pairs` holds (place in the first list, place in the second, IoU); `mean_iou` counts regions without a
    partner as 0, and is None where neither reader marked a region."""

    pairs: tuple[tuple[int, int, float], ...]
    num_first: int
    num_second: int
    mean_iou: float | None


@dataclass(frozen=True, kw_only=True)
class RegionAgreement(Estimate):
    """`value` is the mean over items of the mean over pairs of readers. Items on which no pair marked a
    region are `num_items_without_regions` and don't count; `shares_found` tells for each threshold of IoU how
    many of all regions have a partner at least that near."""

    shares_found: tuple[tuple[float, float], ...]
    num_items: int
    num_items_without_regions: int
    num_pairs: int
    num_regions: int
    num_draws: int
    seed: int


def iou_matrix(first: Boxes, second: Boxes) -> Floats:
    """Intersection over union of every box (x_min, y_min, x_max, y_max) of one list with every one of
    another; 0 for a box without area.

    >>> iou_matrix([(0, 0, 2, 2)], [(1, 0, 3, 2), (5, 5, 6, 6)]).round(3).tolist()
    [[0.333, 0.0]]
    """
    a, b = (np.asarray(boxes, dtype=np.float64).reshape(-1, 4) for boxes in (first, second))
    return _overlaps(a[:, None, :], b[None, :, :])


def _overlaps(a: Floats, b: Floats) -> Floats:
    """IoU of boxes that lie along the last axis with those that face them."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("A region has a corner that is no number.")
    shared = _sides(a, b, axis=0) * _sides(a, b, axis=1)
    area_a, area_b = (_sides(boxes, boxes, axis=0) * _sides(boxes, boxes, axis=1) for boxes in (a, b))
    union = area_a + area_b - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0))


def _sides(a: Floats, b: Floats, *, axis: int) -> Floats:
    """How much of one axis two boxes share."""
    low, high = np.maximum(a[..., axis], b[..., axis]), np.minimum(a[..., axis + 2], b[..., axis + 2])
    return np.asarray(np.maximum(high - low, 0))


def match_regions(first: Boxes, second: Boxes) -> MatchedRegions:
    """Match two readers' regions on one image one to one so that the IoUs sum to the most (H. W. Kuhn, The
    Hungarian method for the assignment problem (1955)); regions that don't overlap stay without a partner.

    >>> found = match_regions([(0, 0, 2, 2), (10, 10, 12, 12)], [(0, 0, 2, 2)])
    >>> found.pairs, found.mean_iou
    (((0, 0, 1.0),), 0.5)
    """
    return _matched(iou_matrix(first, second))


def _matched(overlap: Floats) -> MatchedRegions:
    """Of the IoU of every region of one reader (rows) with every one of another."""
    rows, columns = scipy.optimize.linear_sum_assignment(overlap, maximize=True)
    found = zip(rows.tolist(), columns.tolist(), overlap[rows, columns].tolist(), strict=True)
    pairs = tuple(pair for pair in found if pair[2] > 0)
    num_first, num_second = overlap.shape
    many = max(num_first, num_second)
    mean = sum(iou for _, _, iou in pairs) / many if many else None
    return MatchedRegions(pairs, num_first, num_second, mean)


def _best_matches(overlap: Floats) -> Floats:
    """Of many two readers at once, who marked equally many regions each, the IoUs of what is matched: pairs x
    regions x regions in, pairs x the lesser number of regions out. Few regions are matched by trying every
    way for all of them at once, which takes a tenth of the time of a call for each two readers."""
    if overlap.shape[1] > overlap.shape[2]:
        overlap = overlap.transpose(0, 2, 1)
    few, many = overlap.shape[1:]
    if math.perm(many, few) > MOST_WAYS_TRIED:
        return np.stack([one[scipy.optimize.linear_sum_assignment(one, maximize=True)] for one in overlap])
    ways = np.array([*permutations(range(many), few)], dtype=np.int64)
    in_each_way = overlap[:, np.arange(few), ways]
    best = in_each_way.sum(axis=2).argmax(axis=1)
    return np.asarray(in_each_way[np.arange(len(overlap)), best])


def region_agreement(
    regions: Sequence[Sequence[Boxes | None]],
    *,
    thresholds: Sequence[float] = (0.3, 0.5),
    confidence: float = 0.95,
    num_draws: int = 1000,
    seed: int = 0,
) -> RegionAgreement:
    """How well readers' regions agree: `regions[item][reader]` is that reader's list of boxes on that item,
    an empty list where nothing was marked, None where it was not read.

    Every two readers of an item are matched as in `match_regions`. The interval is a percentile bootstrap
    over items (`num_draws` draws from `seed`; 0 draws: none). Without a pair that marked a region the value
    is None. With a reader's first and second reading in place of two readers this is intra-reader agreement.

    >>> one_film = [[(0, 0, 2, 2)], [(1, 0, 3, 2)], None]
    >>> region_agreement([one_film, [[], [], []]]).value
    0.3333333333333333
    """
    check_confidence(confidence)
    # What one reader marked on one item stands in the table of all who marked as many regions, at a place.
    marked: dict[int, list[Boxes]] = defaultdict(list)
    by_size: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    num_read_twice = 0
    for item, readers in enumerate(regions):
        read = []
        for boxes in readers:
            if boxes is not None:
                read.append((len(boxes), len(marked[len(boxes)])))
                marked[len(boxes)].append(boxes)
        num_read_twice += len(read) > 1
        for (num_first, first), (num_second, second) in combinations(read, 2):
            by_size[num_first, num_second].append((item, first, second))
    if not num_read_twice:
        raise ValueError("No item was read by 2 readers, so no regions can be compared.")
    by_size.pop((0, 0), None)
    sums, counts = np.zeros(len(regions)), np.zeros(len(regions), dtype=np.int64)
    ious = [np.empty(0)]
    num_regions = 0
    tables = {
        many: np.asarray(lists, dtype=np.float64).reshape(len(lists), many, 4)
        for many, lists in marked.items()
    }
    for (num_first, num_second), pairs in by_size.items():
        num_regions += (num_first + num_second) * len(pairs)
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            items, firsts, seconds = np.array(pairs[start : start + PAIRS_AT_ONCE]).T
            overlap = _overlaps(tables[num_first][firsts][:, :, None], tables[num_second][seconds][:, None])
            matched = _best_matches(overlap)
            np.add.at(sums, items, matched.sum(axis=1) / max(num_first, num_second))
            np.add.at(counts, items, 1)
            ious.append(matched.ravel())
    means = sums[counts > 0] / counts[counts > 0]
    drawn: list[float] = []
    if len(means) > 1 and num_draws > 0:
        rng = np.random.default_rng(seed)
        drawn = [float(means[rng.integers(len(means), size=len(means))].mean()) for _ in range(num_draws)]
    found = np.concatenate(ious)
    return RegionAgreement(
        value=float(means.mean()) if len(means) else None,
        interval=percentiles(drawn, confidence),
        confidence=confidence,
        note="" if len(means) else "No reader marked a region on an item that was read twice.",
        shares_found=tuple(
            (float(t), 2 * int(np.count_nonzero(found >= t)) / num_regions) for t in thresholds if num_regions
        ),
        num_items=len(means),
        num_items_without_regions=num_read_twice - len(means),
        num_pairs=int(counts.sum()),
        num_regions=num_regions,
        num_draws=num_draws,
        seed=seed,
    )
