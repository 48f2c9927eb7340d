"""Do readers mark the same places: regions matched one to one, and how well the matched ones overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Estimate, Floats, check_confidence, percentiles

Box = tuple[float, float, float, float]
Boxes = Sequence[Sequence[float]]


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
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("A region has a corner that is no number.")
    corners_low = np.maximum(a[:, None, :2], b[None, :, :2])
    corners_high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(corners_high - corners_low, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (a, b)]
    union = np.add.outer(*areas) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0))


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


def _two_by_two(readers: Sequence[Boxes]) -> Iterator[tuple[list[float], int, int]]:
    """Of every two readers of one item the IoUs of what is matched, and how many regions each of them marked.
    All IoUs are had at once, and no names are given to what is matched: most of the time goes into calls."""
    every = [box for boxes in readers for box in boxes]
    overlap = iou_matrix(every, every)
    ends = np.cumsum([0, *map(len, readers)]).tolist()
    places = [(slice(start, end), end - start) for start, end in pairwise(ends)]
    for (first, num_first), (second, num_second) in combinations(places, 2):
        block = overlap[first, second]
        matched = scipy.optimize.linear_sum_assignment(block, maximize=True)
        yield block[matched].tolist(), num_first, num_second


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
    means: list[float] = []
    ious: list[float] = []
    num_pairs = num_regions = num_empty = num_read_twice = 0
    for readers in regions:
        read = [boxes for boxes in readers if boxes is not None]
        marked = [pair for pair in _two_by_two(read) if pair[1] or pair[2]]
        num_read_twice += len(read) > 1
        num_empty += len(read) > 1 and not marked
        if marked:
            means.append(float(np.mean([sum(found) / max(sizes) for found, *sizes in marked])))
        num_pairs += len(marked)
        num_regions += sum(num_first + num_second for _, num_first, num_second in marked)
        ious.extend(iou for found, _, _ in marked for iou in found if iou)
    if not num_read_twice:
        raise ValueError("No item was read by 2 readers, so no regions can be compared.")
    drawn: list[float] = []
    if len(means) > 1 and num_draws > 0:
        rng, every = np.random.default_rng(seed), np.asarray(means)
        drawn = [float(every[rng.integers(len(every), size=len(every))].mean()) for _ in range(num_draws)]
    return RegionAgreement(
        value=float(np.mean(means)) if means else None,
        interval=percentiles(drawn, confidence),
        confidence=confidence,
        note="" if means else "No reader marked a region on an item that was read twice.",
        shares_found=tuple(
            (float(t), 2 * int(np.count_nonzero(np.asarray(ious) >= t)) / num_regions)
            for t in thresholds
            if num_regions
        ),
        num_items=len(means),
        num_items_without_regions=num_empty,
        num_pairs=num_pairs,
        num_regions=num_regions,
        num_draws=num_draws,
        seed=seed,
    )
