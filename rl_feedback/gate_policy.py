"""What the gate guards, by which margin, and what it found for each figure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np


class Direction(StrEnum):
    """Which change of a figure harms: a fall, a rise, or a drift either way (relative to the parent)."""

    HIGHER_IS_BETTER = "higher_is_better"
    LOWER_IS_BETTER = "lower_is_better"
    SHOULD_NOT_DRIFT = "should_not_drift"


class Verdict(StrEnum):
    """`held`: worse than the margin for sure. `unclear`: the interval reaches past the margin. `passes`: it
    does not."""

    PASSES = "passes"
    UNCLEAR = "unclear"
    HELD = "held"


@dataclass(frozen=True)
class Guard:
    """One guarded figure and how much worse it may get; a drift's margin is a share of the parent's mean."""

    figure: str
    label: str
    direction: Direction
    margin: float


@dataclass(frozen=True)
class Policy:
    """What a gate guards. Bump `number` with any change: decisions keep the policy that they were made
    under."""

    number: int
    guards: tuple[Guard, ...]
    confidence: float = 0.95
    num_resamples: int = 2000
    seed: int = 7

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


POLICY = Policy(
    number=1,
    guards=(
        Guard("lesion_recall", "Lesion recall", Direction.HIGHER_IS_BETTER, 0.03),
        Guard("lesion_iou", "Lesion region IoU", Direction.HIGHER_IS_BETTER, 0.03),
        Guard("heart_iou", "Heart region IoU", Direction.HIGHER_IS_BETTER, 0.02),
        Guard("finding_precision", "Finding precision", Direction.HIGHER_IS_BETTER, 0.03),
        Guard("finding_f1", "Finding F1", Direction.HIGHER_IS_BETTER, 0.03),
        Guard("exact_answer", "Exact answers", Direction.HIGHER_IS_BETTER, 0.03),
        Guard("well_formed", "Format", Direction.HIGHER_IS_BETTER, 0.01),
        Guard("hallucinated", "Hallucinated findings", Direction.LOWER_IS_BETTER, 0.03),
        Guard("num_characters", "Answer length", Direction.SHOULD_NOT_DRIFT, 0.15),
    ),
)


@dataclass(frozen=True)
class CaseScores:
    """One figure over cases: `values` and `weights` have one entry per case, in the same order for both
    versions.

    The figure is the weighted mean. A case in which the figure is undefined (recall without a lesion) weighs
    0; recall over all lesions is found / present with the number of lesions as weight.
    """

    values: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.weights):
            raise ValueError(
                f"{len(self.values)} values have {len(self.weights)} weights; give one for each case."
            )
        if (
            not np.isfinite(self.values).all()
            or not np.isfinite(self.weights).all()
            or min(self.weights, default=0) < 0
        ):
            raise ValueError("Values must be finite numbers, weights also at least 0.")


@dataclass(frozen=True)
class Comparison:
    """One guarded figure of candidate and parent. `difference` and its interval are shares for a drift.

    `counts_against` holds the candidate: the verdict is `held`, or it is `unclear` and the best estimate lies
    beyond the margin. An unclear figure whose best estimate lies within the margin is named but does not
    hold.
    """

    benchmark: str
    figure: str
    label: str
    direction: Direction
    margin: float
    parent: float
    candidate: float
    difference: float
    low: float
    high: float
    verdict: Verdict
    counts_against: bool
    num_cases: int

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def improved(self) -> bool:
        """Better for sure: the whole interval lies on the good side of no change."""
        if self.direction is Direction.HIGHER_IS_BETTER:
            return self.low > 0
        return self.direction is Direction.LOWER_IS_BETTER and self.high < 0


def harm(direction: Direction, change: float) -> float:
    """How far a change goes the wrong way; negative for an improvement."""
    if direction is Direction.HIGHER_IS_BETTER:
        return -change
    return change if direction is Direction.LOWER_IS_BETTER else abs(change)
