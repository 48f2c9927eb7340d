"""Decides whether a candidate may serve: nothing that the gate guards may have got worse than its parent.

Both versions answer the same held-out cases, so each figure is compared case by case: a paired bootstrap
gives the interval of the difference. The method is non-inferiority with a margin per figure (Piaggio et al.,
JAMA 2012, the CONSORT extension for non-inferiority trials).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rl_feedback.counting import counted
from rl_feedback.gate.built_in import POLICY
from rl_feedback.gate.policy import (
    GAINED_ON,
    CaseScores,
    Comparison,
    Direction,
    Guard,
    Policy,
    Suite,
    Verdict,
    harm,
)
from rl_feedback.gate.sentence import deciding_sentence, unchanged_sentence

Numbers = NDArray[np.float64]
# What rests on readers' words, which there may not be.
_MAY_LACK = frozenset((Suite.STEPS, Suite.PATIENTS))


@dataclass(frozen=True)
class GateOutcome:
    """`sentence` names the figures that decided; `comparisons` carries every figure with its parameters;
    `absent` says of a suite that the policy guards why it could not be measured. `unchanged`: it passed by
    writing what its parent writes."""

    passed: bool
    sentence: str
    policy: Policy
    comparisons: tuple[Comparison, ...]
    absent: Mapping[Suite, str] = field(default_factory=dict)
    unchanged: bool = False


@dataclass(frozen=True)
class BenchmarkScores:
    """Both versions on one benchmark: figure name to its scores over the same cases in the same order.
    `patients` names the patient of each case where one may have several; empty where each has one."""

    benchmark: str
    parent: Mapping[str, CaseScores]
    candidate: Mapping[str, CaseScores]
    suite: Suite = Suite.SEALED
    patients: tuple[str, ...] = ()


@dataclass(frozen=True)
class TwinScores:
    """Both versions on a sealed benchmark, and on twins of its films that nobody can have seen before."""

    sealed: BenchmarkScores
    twins: BenchmarkScores


def decide(
    benchmarks: Sequence[BenchmarkScores],
    *,
    twins: Sequence[TwinScores] = (),
    policy: Policy = POLICY,
    parent: str = "its parent",
    absent: Mapping[Suite, str] = MappingProxyType({}),
    writes_the_same: bool = False,
) -> GateOutcome:
    """Compare every guarded figure on every benchmark and say which decided; `parent` is its name there.
    `absent` names suites that can't be measured, with the reason: only the steps' and the sealed patients'
    may be.
    `writes_the_same`: on every film the candidate's text is its parent's, word for word.

    Raises ValueError when a guarded figure or suite is missing or the versions were not measured on the same
    cases: a gate that cannot look must not open.
    """
    if not benchmarks:
        raise ValueError("The gate has nothing to compare: give it at least one benchmark.")
    measured = {scores.suite for scores in benchmarks} | ({Suite.TWINS} if twins else set())
    may_lack = set(absent) & _MAY_LACK
    missing = [suite for suite in Suite if policy.of(suite) and suite not in measured | may_lack]
    if missing:
        raise ValueError(
            f"Policy {policy.number} guards figures on the {' and the '.join(missing)}, which were not "
            "measured: evaluate both versions on them."
        )
    comparisons = (
        *(
            compare_figure(scores, guard=guard, policy=policy)
            for scores in benchmarks
            for guard in policy.of(scores.suite)
            if not _shows_none(scores, guard)
        ),
        *(
            compare_gap(both, guard=guard, policy=policy)
            for both in twins
            for guard in policy.of(Suite.TWINS)
        ),
    )
    gained = not policy.required_gains or any(
        c.improved and c.figure in policy.required_gains for c in comparisons if c.suite in GAINED_ON
    )
    passed = gained and not any(comparison.counts_against for comparison in comparisons)
    unchanged = passed and writes_the_same
    sentence = (
        unchanged_sentence(parent=parent, policy=policy)
        if unchanged
        else deciding_sentence(comparisons, parent=parent, policy=policy, lacks_gain=not gained)
    )
    lacked: dict[Suite, str] = {suite: absent[suite] for suite in may_lack - measured if policy.of(suite)}
    return GateOutcome(passed, sentence, policy, comparisons, lacked, unchanged)


def compare_figure(scores: BenchmarkScores, *, guard: Guard, policy: Policy) -> Comparison:
    """The difference of one figure with its paired bootstrap interval, and the verdict on it."""
    parent, candidate = _both(scores, guard.figure)
    if guard.fewest and parent.weights != candidate.weights:
        raise ValueError(f"{scores.benchmark}: {guard.label} was counted on other findings for each version.")
    draws = _resampled_cases(scores, len(parent.values), policy)
    before, after = _mean(parent), _mean(candidate)
    differences = _means(candidate, draws) - _means(parent, draws)
    scale = max(before, 1e-9) if guard.direction is Direction.SHOULD_NOT_DRIFT else 1.0
    return _judged(
        guard,
        policy,
        benchmark=scores.benchmark,
        before=before,
        after=after,
        difference=(after - before) / scale,
        differences=differences / scale,
        num_cases=len(parent.values),
        num_findings=int(sum(parent.weights)) if guard.fewest else None,
        num_patients=_num_patients(scores, parent, candidate) if scores.patients else None,
    )


def compare_gap(both: TwinScores, *, guard: Guard, policy: Policy) -> Comparison:
    """How much better a version is on sealed films than on their twins, the candidate's gap less its
    parent's: what was learned is good on both, what was learned by heart is good on the sealed films alone.

    Sealed films and twins are other patients, so they are resampled apart.
    """
    gaps: list[float] = []
    drawn: list[Numbers] = []
    sizes = []
    for version in (0, 1):
        sealed, twins = (_both(scores, guard.figure)[version] for scores in (both.sealed, both.twins))
        gaps.append(_mean(sealed) - _mean(twins))
        sealed_draws = _resampled_counts(len(sealed.values), policy)
        twin_draws = _resampled_counts(len(twins.values), policy, stream=1)
        drawn.append(_means(sealed, sealed_draws) - _means(twins, twin_draws))
        sizes.append(len(twins.values))
    return _judged(
        guard,
        policy,
        benchmark=both.twins.benchmark,
        before=gaps[0],
        after=gaps[1],
        difference=gaps[1] - gaps[0],
        differences=drawn[1] - drawn[0],
        num_cases=sizes[0],
    )


def _shows_none(scores: BenchmarkScores, guard: Guard) -> bool:
    """Whether no film has what the figure is of, such as a finding of the one kind that is guarded: then
    there is nothing to compare."""
    needs_some = guard.fewest > 0 or guard.suite is Suite.PATIENTS
    return needs_some and not any(any(one.weights) for one in _both(scores, guard.figure))


def _both(scores: BenchmarkScores, figure: str) -> tuple[CaseScores, CaseScores]:
    try:
        parent, candidate = scores.parent[figure], scores.candidate[figure]
    except KeyError:
        raise ValueError(
            f"{scores.benchmark} lacks the guarded figure {figure}: evaluate both again."
        ) from None
    if len(parent.values) != len(candidate.values) or not parent.values:
        raise ValueError(
            f"{scores.benchmark} has {len(parent.values)} cases of the parent and {len(candidate.values)} "
            "of the candidate: the gate compares the same cases, so evaluate both again."
        )
    return parent, candidate


def _judged(
    guard: Guard,
    policy: Policy,
    *,
    benchmark: str,
    before: float,
    after: float,
    difference: float,
    differences: Numbers,
    num_cases: int,
    num_findings: int | None = None,
    num_patients: int | None = None,
) -> Comparison:
    tail = (1 - policy.confidence) / 2
    low, high = (float(bound) for bound in np.quantile(differences, [tail, 1 - tail]))
    verdict = _verdict(guard, low=low, high=high)
    note = ""
    if num_findings is not None and num_findings < guard.fewest:
        verdict = Verdict.TOO_FEW
        note = f"{counted(num_findings, 'finding')}, {guard.fewest} needed"
    if num_patients is not None and num_patients < guard.fewest_patients:
        verdict = Verdict.TOO_FEW
        note = f"{counted(num_patients, 'patient')}, {guard.fewest_patients} needed"
    if guard.only_shown:
        verdict, note = Verdict.SHOWN, ""
    # 2 films of 200 are no more than a margin of .01, though 1 - .99 is in floating point.
    is_beyond = round(harm(guard.direction, difference), 9) > guard.margin and not guard.only_for_sure
    is_asked = guard.limit is not None and before <= guard.limit
    is_past = verdict.tells and guard.limit is not None and is_asked and after > guard.limit
    if guard.limit is not None and not is_asked:
        note = _unasked(guard.limit)
    return Comparison(
        benchmark=benchmark,
        figure=guard.figure,
        label=guard.label,
        direction=guard.direction,
        margin=guard.margin,
        parent=before,
        candidate=after,
        difference=difference,
        low=low,
        high=high,
        verdict=verdict,
        counts_against=verdict is Verdict.HELD or (verdict is Verdict.UNCLEAR and is_beyond) or is_past,
        num_cases=num_cases,
        suite=guard.suite,
        limit=guard.limit if is_asked else None,
        is_past_limit=is_past,
        note=note,
        num_findings=num_findings,
        num_patients=num_patients,
    )


def _unasked(limit: float) -> str:
    return f"Its limit of {limit:g} is not applied, as the parent is past it too; its margin is."


def _verdict(guard: Guard, *, low: float, high: float) -> Verdict:
    harms = (harm(guard.direction, low), harm(guard.direction, high))
    least, most = min(harms), max(harms)
    if guard.direction is Direction.SHOULD_NOT_DRIFT and low <= 0 <= high:
        least = 0.0
    if least > guard.margin:
        return Verdict.HELD
    return Verdict.UNCLEAR if most > guard.margin else Verdict.PASSES


def _resampled_cases(scores: BenchmarkScores, num_cases: int, policy: Policy) -> Numbers:
    """Whole patients are drawn, with all their cases: two films of one patient are not independent."""
    if not scores.patients:
        return _resampled_counts(num_cases, policy)
    if len(scores.patients) != num_cases:
        raise ValueError(f"{scores.benchmark} names {len(scores.patients)} patients for {num_cases} cases.")
    names, place = np.unique(scores.patients, return_inverse=True)
    return _resampled_counts(len(names), policy)[:, place]


def _num_patients(scores: BenchmarkScores, *both: CaseScores) -> int:
    """Of whom a case counts in the figure."""
    return len(
        {
            patient
            for one in both
            for patient, weight in zip(scores.patients, one.weights, strict=True)
            if weight
        }
    )


def _resampled_counts(num_cases: int, policy: Policy, *, stream: int = 0) -> Numbers:
    """How often each resample draws each case: resamples x cases, the same draws for both versions."""
    rng = np.random.default_rng([policy.seed, stream] if stream else policy.seed)
    return rng.multinomial(num_cases, [1 / num_cases] * num_cases, size=policy.num_resamples).astype(
        np.float64
    )


def _mean(scores: CaseScores) -> float:
    return float(_means(scores, np.ones((1, len(scores.values))))[0])


def _means(scores: CaseScores, counts: Numbers) -> Numbers:
    """The weighted mean in every resample; 0 where a resample holds no case that counts."""
    values, weights = np.asarray(scores.values), np.asarray(scores.weights)
    total = counts @ weights
    sums: Numbers = counts @ (values * weights)
    means: Numbers = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return means
