"""Decides whether a candidate may serve: nothing that the gate guards may have got worse than its parent.

Both versions answer the same held-out cases, so each figure is compared case by case: a paired bootstrap
gives the interval of the difference. The method is non-inferiority with a margin per figure (Piaggio et al.,
JAMA 2012, the CONSORT extension for non-inferiority trials).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


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

# A sentence with more figures than this is not read.
NAMED_IN_SENTENCE = 3


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


@dataclass(frozen=True)
class GateOutcome:
    """`sentence` names the figures that decided; `comparisons` carries every figure with its parameters."""

    passed: bool
    sentence: str
    policy: Policy
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class BenchmarkScores:
    """Both versions on one benchmark: figure name to its scores over the same cases in the same order."""

    benchmark: str
    parent: Mapping[str, CaseScores]
    candidate: Mapping[str, CaseScores]


def decide(benchmarks: Sequence[BenchmarkScores], *, policy: Policy = POLICY) -> GateOutcome:
    """Compare every guarded figure on every benchmark and say which decided.

    Raises ValueError when a guarded figure is missing or the versions were not measured on the same cases: a
    gate that cannot look must not open.
    """
    if not benchmarks:
        raise ValueError("The gate has nothing to compare: give it at least one benchmark.")
    comparisons = tuple(
        compare_figure(scores, guard=guard, policy=policy) for scores in benchmarks for guard in policy.guards
    )
    passed = not any(comparison.counts_against for comparison in comparisons)
    return GateOutcome(passed, _sentence(comparisons), policy, comparisons)


def compare_figure(scores: BenchmarkScores, *, guard: Guard, policy: Policy) -> Comparison:
    """The difference of one figure with its paired bootstrap interval, and the verdict on it."""
    try:
        parent, candidate = scores.parent[guard.figure], scores.candidate[guard.figure]
    except KeyError:
        raise ValueError(
            f"{scores.benchmark} lacks the guarded figure {guard.figure}: evaluate both again."
        ) from None
    if len(parent.values) != len(candidate.values) or not parent.values:
        raise ValueError(
            f"{scores.benchmark} has {len(parent.values)} cases of the parent and {len(candidate.values)} "
            "of the candidate: the gate compares the same cases, so evaluate both again."
        )
    draws = _resampled_counts(len(parent.values), policy)
    everything = np.ones((1, len(parent.values)))
    before, after = _means(parent, everything)[0], _means(candidate, everything)[0]
    differences = _means(candidate, draws) - _means(parent, draws)
    scale = max(before, 1e-9) if guard.direction is Direction.SHOULD_NOT_DRIFT else 1.0
    tail = (1 - policy.confidence) / 2
    low, high = np.quantile(differences / scale, [tail, 1 - tail])
    difference = (after - before) / scale
    verdict = _verdict(guard, low=float(low), high=float(high))
    beyond = _harm(guard.direction, difference) > guard.margin
    return Comparison(
        benchmark=scores.benchmark,
        figure=guard.figure,
        label=guard.label,
        direction=guard.direction,
        margin=guard.margin,
        parent=float(before),
        candidate=float(after),
        difference=float(difference),
        low=float(low),
        high=float(high),
        verdict=verdict,
        counts_against=verdict is Verdict.HELD or (verdict is Verdict.UNCLEAR and bool(beyond)),
        num_cases=len(parent.values),
    )


def _harm(direction: Direction, change: float) -> float:
    """How far a change goes the wrong way; negative for an improvement."""
    if direction is Direction.HIGHER_IS_BETTER:
        return -change
    return change if direction is Direction.LOWER_IS_BETTER else abs(change)


def _verdict(guard: Guard, *, low: float, high: float) -> Verdict:
    harms = (_harm(guard.direction, low), _harm(guard.direction, high))
    least, most = min(harms), max(harms)
    if guard.direction is Direction.SHOULD_NOT_DRIFT and low <= 0 <= high:
        least = 0.0
    if least > guard.margin:
        return Verdict.HELD
    return Verdict.UNCLEAR if most > guard.margin else Verdict.PASSES


def _resampled_counts(num_cases: int, policy: Policy) -> NDArray[np.float64]:
    """How often each resample draws each case: resamples x cases, the same draws for both versions."""
    rng = np.random.default_rng(policy.seed)
    return rng.multinomial(num_cases, [1 / num_cases] * num_cases, size=policy.num_resamples).astype(
        np.float64
    )


def _means(scores: CaseScores, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted mean in every resample; 0 where a resample holds no case that counts."""
    values, weights = np.asarray(scores.values), np.asarray(scores.weights)
    total = counts @ weights
    sums: NDArray[np.float64] = counts @ (values * weights)
    means: NDArray[np.float64] = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return means


def _sentence(comparisons: Sequence[Comparison]) -> str:
    against = [c for c in comparisons if c.counts_against]
    several = len({c.benchmark for c in comparisons}) > 1
    if against:
        against.sort(key=lambda c: _harm(c.direction, c.difference) / c.margin, reverse=True)
        named, others = against[:NAMED_IN_SENTENCE], against[NAMED_IN_SENTENCE:]
        text = "Held. " + _capitalised("; ".join(_change(c, several=several) for c in named))
        if others:
            labels = ", ".join(_lower_first(c.label) + _place(c, several) for c in others)
            text += f"; and {len(others)} more: {labels}"
        return text + "." + _omission(comparisons, against)
    text = "Passed. Nothing that the gate guards got worse by more than its margin"
    better = sorted((c for c in comparisons if c.improved), key=lambda c: abs(c.difference), reverse=True)[:2]
    if better:
        text += "; " + "; ".join(_change(c, several=several) for c in better)
    unclear = [c for c in comparisons if c.verdict is Verdict.UNCLEAR]
    if unclear:
        names = ", ".join(f"{_lower_first(c.label)}{_place(c, several)}" for c in unclear)
        text += f". Unclear, with the best estimate within the margin: {names}"
    return text + "."


def _omission(comparisons: Sequence[Comparison], against: Sequence[Comparison]) -> str:
    """The failure that reward hides: fewer lesions named, so texts are shorter while answers look better."""
    lost = {c.benchmark for c in against if c.figure == "lesion_recall"}
    shorter = {c.benchmark for c in comparisons if c.figure == "num_characters" and c.high < 0}
    if not lost & shorter:
        return ""
    gained = any(
        c.benchmark in lost and c.figure in ("exact_answer", "finding_precision") and c.improved
        for c in comparisons
    )
    return " Answers improved, but it stopped naming lesions." if gained else " It stopped naming lesions."


def _change(comparison: Comparison, *, several: bool) -> str:
    place = _place(comparison, several)
    size, low, high = _as_sizes(comparison)
    if comparison.direction is Direction.SHOULD_NOT_DRIFT:
        way = "shorter" if comparison.difference < 0 else "longer"
        text = f"texts became {size:.0%} {way} ({low:.0%} to {high:.0%}){place}"
        limit = f", beyond the margin of {comparison.margin:.0%}"
    else:
        way = "fell" if comparison.difference < 0 else "rose"
        text = f"{_lower_first(comparison.label)} {way} by {size:.3f} ({low:.3f} to {high:.3f}){place}"
        limit = f", more than the margin of {comparison.margin:g}"
    if not comparison.counts_against:
        return text
    return (
        text
        + limit
        + ("" if comparison.verdict is Verdict.HELD else ", though the interval reaches within it")
    )


def _as_sizes(comparison: Comparison) -> tuple[float, float, float]:
    """The change and its interval seen in the change's own direction, the smaller bound first."""
    sign = -1 if comparison.difference < 0 else 1
    low, high = sorted((sign * comparison.low, sign * comparison.high))
    return abs(comparison.difference), low, high


def _place(comparison: Comparison, several: bool) -> str:
    return f" on {comparison.benchmark}" if several else ""


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
