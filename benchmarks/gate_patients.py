"""How often the gate holds by sealed patients: a retrain as good as its parent, and one that lost findings.

Each patient has one film with one, two or three findings that readers confirmed (in shares .5, .3, .2). The
parent says eight in ten of them, each by itself. A candidate that is as good draws a share of the findings
anew; one that is worse says fewer of those that its parent says. The gate's own comparison decides, so the
interval, the margin and the number of patients are those of the newest policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.report import Figure, Peer
from rl_feedback.gate import POLICY, BenchmarkScores, CaseScores, Suite, compare_figure

SIZES = (30, 60, 120, 300)
CHANGED = (0.1, 0.3, 0.5)
# Of the findings that the parent says, those that the candidate no longer does.
LOST = (0.1, 0.2, 0.3, 0.5)
RECALL = 0.8
NUM_DRAWS = 1000
SEED = 7
FIGURE = "confirmed_said"


def share_held(
    num_patients: int,
    *,
    changed: float = 0.0,
    lost: float = 0.0,
    num_draws: int = NUM_DRAWS,
    seed: int = SEED,
) -> float:
    """Of `num_draws` candidates."""
    rng = np.random.default_rng(seed)
    guard = next(one for one in POLICY.of(Suite.PATIENTS) if one.figure == FIGURE)
    policy = replace(POLICY, guards=(guard,), num_resamples=500)
    names = tuple(f"P{number}" for number in range(num_patients))
    num_held = 0
    for _ in range(num_draws):
        numbers = rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2], size=num_patients)
        patient = np.repeat(np.arange(num_patients), numbers)
        before = rng.random(len(patient)) < RECALL
        anew = rng.random(len(patient)) < changed
        after = np.where(anew, rng.random(len(patient)) < RECALL, before)
        after = after & (rng.random(len(patient)) >= lost)
        both = [
            CaseScores(
                tuple((np.bincount(patient, said, num_patients) / numbers).tolist()),
                tuple(numbers.astype(float).tolist()),
            )
            for said in (before, after)
        ]
        scores = BenchmarkScores(
            "sealed patients", {FIGURE: both[0]}, {FIGURE: both[1]}, Suite.PATIENTS, names
        )
        num_held += compare_figure(scores, guard=guard, policy=policy).counts_against
    return num_held / num_draws


def run() -> list[Figure]:
    return [*_chances(), *_catches()]


def _chances() -> Iterator[Figure]:
    for num_patients in SIZES:
        for changed in CHANGED:
            yield Figure(
                f"held though as good, {num_patients} patients, {changed:.0%} of the findings drawn anew",
                share_held(num_patients, changed=changed),
                "share",
                Peer("1 in 20, what a test of 95 % allows", 0.05),
                NUM_DRAWS,
            )


def _catches() -> Iterator[Figure]:
    for num_patients in SIZES:
        for lost in LOST:
            yield Figure(
                f"held, {num_patients} patients, {lost:.0%} of what the parent says lost",
                share_held(num_patients, lost=lost),
                "share",
                Peer("4 in 5, what a trial is planned for", 0.8),
                NUM_DRAWS,
            )
