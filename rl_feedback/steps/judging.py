"""Decides whether a step scorer may be used: it must know more than how long a step is, and where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rl_feedback.counting import counted

Numbers = NDArray[np.float64]
NUM_DRAWS = 2000
NUM_BINS = 5


@dataclass(frozen=True)
class CalibrationBin:
    """Steps that were scored alike: their mean score, their mean rating, and how many they are."""

    score: float
    rating: float
    num_steps: int


@dataclass(frozen=True)
class Judgement:
    """Squared errors on steps of held-out readers and patients, and how much each baseline's exceeds the
    scorer's, with a 95 % interval by bootstrap over patients. `may_be_used` asks both to lie above 0."""

    error: float
    baseline_errors: dict[str, float]
    gains: dict[str, tuple[float, float, float]]
    calibration: tuple[CalibrationBin, ...]
    num_steps: int
    num_cases: int
    may_be_used: bool
    sentence: str


def judge(
    *,
    scores: Sequence[float],
    ratings: Sequence[float],
    weights: Sequence[float],
    cases: Sequence[str],
    baselines: Mapping[str, Sequence[float]],
    seed: int = 7,
) -> Judgement:
    """On held-out steps. `baselines`: by name what each says of the same steps; see `straight_line`."""
    y, w = np.asarray(ratings, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    missed = (y - np.asarray(scores, dtype=np.float64)) ** 2
    names, case = np.unique(np.asarray(cases), return_inverse=True)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=NUM_DRAWS)
    by_draw = draws[:, case] * w
    baseline_errors, gains = {}, {}
    for name, said in baselines.items():
        baseline_missed = (y - np.asarray(said, dtype=np.float64)) ** 2
        baseline_errors[name] = float(np.average(baseline_missed, weights=w))
        drawn = (by_draw @ (baseline_missed - missed)) / by_draw.sum(axis=1)
        low, high = np.percentile(drawn, [2.5, 97.5])
        gain = float(np.average(baseline_missed - missed, weights=w))
        gains[name] = (gain, float(low), float(high))
    beaten = {name: low > 0 for name, (_, low, _) in gains.items()}
    return Judgement(
        error=float(np.average(missed, weights=w)),
        baseline_errors=baseline_errors,
        gains=gains,
        calibration=_calibration(np.asarray(scores, dtype=np.float64), y, w),
        num_steps=len(y),
        num_cases=len(names),
        may_be_used=all(beaten.values()),
        sentence=_sentence(beaten, num_steps=len(y), num_cases=len(names)),
    )


def straight_line(
    learned_x: Sequence[float] | Numbers, learned_y: Sequence[float] | Numbers, x: Sequence[float] | Numbers
) -> list[float]:
    """What one number of a step (its length, its place) tells by its best straight line, in [0, 1]."""
    line = np.polyfit(learned_x, learned_y, 1) if np.ptp(learned_x) else [0.0, float(np.mean(learned_y))]
    said: list[float] = np.clip(np.polyval(line, np.asarray(x, dtype=np.float64)), 0, 1).tolist()
    return said


def _calibration(scores: Numbers, ratings: Numbers, weights: Numbers) -> tuple[CalibrationBin, ...]:
    """Fifths of the steps by their score."""
    order = np.argsort(scores, kind="stable")
    return tuple(
        CalibrationBin(
            float(np.average(scores[part], weights=weights[part])),
            float(np.average(ratings[part], weights=weights[part])),
            len(part),
        )
        for part in np.array_split(order, NUM_BINS)
        if len(part)
    )


def _sentence(beaten: dict[str, bool], *, num_steps: int, num_cases: int) -> str:
    measured = f"on {counted(num_steps, 'held-out step')} of {counted(num_cases, 'patient')}"
    lost = [name for name, is_beaten in beaten.items() if not is_beaten]
    if lost:
        return (
            f"Not used: {measured} it does not measurably beat {' and '.join(lost)} alone. "
            "More rated steps may change that."
        )
    return f"Used: {measured} it beats {' and '.join(beaten)} alone."
