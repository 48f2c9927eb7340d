"""Decides whether a candidate may serve: nothing that the gate guards may have got worse than its parent.

Both versions answer the same held-out cases, so each figure is compared case by case: a paired bootstrap
gives the interval of the difference. The method is non-inferiority with a margin per figure (Piaggio et al.,
JAMA 2012, the CONSORT extension for non-inferiority trials).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_feedback.gate_policy import (
    POLICY,
    CaseScores,
    Comparison,
    Direction,
    Guard,
    Policy,
    Verdict,
    harm,
)
from rl_feedback.gate_sentence import deciding_sentence

__all__ = [
    "POLICY",
    "BenchmarkScores",
    "CaseScores",
    "Comparison",
    "Direction",
    "GateOutcome",
    "Guard",
    "Policy",
    "Verdict",
    "compare_figure",
    "decide",
]


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


def decide(
    benchmarks: Sequence[BenchmarkScores], *, policy: Policy = POLICY, parent: str = "its parent"
) -> GateOutcome:
    """Compare every guarded figure on every benchmark and say which decided; `parent` is its name there.

    Raises ValueError when a guarded figure is missing or the versions were not measured on the same cases: a
    gate that cannot look must not open.
    """
    if not benchmarks:
        raise ValueError("The gate has nothing to compare: give it at least one benchmark.")
    comparisons = tuple(
        compare_figure(scores, guard=guard, policy=policy) for scores in benchmarks for guard in policy.guards
    )
    passed = not any(comparison.counts_against for comparison in comparisons)
    return GateOutcome(passed, deciding_sentence(comparisons, parent=parent), policy, comparisons)


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
    beyond = harm(guard.direction, difference) > guard.margin
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


def _verdict(guard: Guard, *, low: float, high: float) -> Verdict:
    harms = (harm(guard.direction, low), harm(guard.direction, high))
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
