"""Whether a model points at the right places of a film: its boxes against those that experts drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.regions import Box, region_problem
from rl_feedback.agreement import match_regions

THRESHOLDS = (0.3, 0.5)
VARIANT = "boxes matched one to one for the largest sum of IoU (Kuhn 1955), then counted at the threshold"


@dataclass(frozen=True)
class GroundingResult:
    """Of one film. `mean_iou` counts boxes without a partner as 0, and is None where nobody points at
    anything; `hits` tells for each threshold how many pairs overlap so far. A box that can't be a region
    (`num_invalid`) counts among `num_written` and has no partner. `pointed`: whether the middle of the first
    box lies in a true one, None without a true box. Pixels are areas of the boxes' unions."""

    mean_iou: float | None
    hits: tuple[int, ...]
    num_true: int
    num_written: int
    num_invalid: int
    pointed: bool | None
    shared_px: float
    true_px: float
    written_px: float


def score_boxes(written: Sequence[Box], true: Sequence[Box], image_size: tuple[int, int]) -> GroundingResult:
    """A film's boxes in film pixels.

    >>> found = score_boxes([Box(0, 0, 2, 2), Box(5, 5, 4, 4)], [Box(1, 0, 3, 2)], (10, 10))
    >>> round(found.mean_iou, 3), found.hits, found.num_invalid, found.pointed
    (0.167, (1, 0), 1, True)
    """
    valid = [box for box in written if not region_problem(box, image_size)]
    pairs = match_regions(valid, true).pairs
    ious = [iou for _, _, iou in pairs]
    many = max(len(written), len(true))
    first = written[0] if written else None
    return GroundingResult(
        mean_iou=sum(ious) / many if many else None,
        hits=tuple(sum(iou >= threshold for iou in ious) for threshold in THRESHOLDS),
        num_true=len(true),
        num_written=len(written),
        num_invalid=len(written) - len(valid),
        pointed=(first in valid and _is_within(first, true)) if true else None,
        shared_px=_shared(valid, true),
        true_px=_shared(true, true),
        written_px=_shared(valid, valid),
    )


def _is_within(box: Box | None, true: Sequence[Box]) -> bool:
    if box is None:
        return False
    x, y = (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
    return any(one.x_min <= x <= one.x_max and one.y_min <= y <= one.y_max for one in true)


def _shared(first: Sequence[Box], second: Sequence[Box]) -> float:
    """The area that the unions of both share: every edge cuts the film, and each piece is in or out."""
    if not first or not second:
        return 0.0
    boxes = [*first, *second]
    xs = np.unique([edge for box in boxes for edge in (box.x_min, box.x_max)])
    ys = np.unique([edge for box in boxes for edge in (box.y_min, box.y_max)])

    def covered(some: Sequence[Box]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        inside = np.zeros((len(xs) - 1, len(ys) - 1), dtype=bool)
        for box in some:
            left, right = np.searchsorted(xs, (box.x_min, box.x_max))
            top, bottom = np.searchsorted(ys, (box.y_min, box.y_max))
            inside[left:right, top:bottom] = True
        return inside

    both = covered(first) & covered(second)
    return float(np.diff(xs) @ both @ np.diff(ys))
