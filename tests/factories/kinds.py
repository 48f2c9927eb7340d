"""Drawn films by their truth alone, without a picture, and what a model says that misses some of them."""

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from inference.phantom_truth import Finding, PhantomTruth, ideal_reasoning
from inference.regions import Box
from rl_feedback.phantom_figures import PhantomScore, score_phantom

# As many as the gate has of each site unless an operator says otherwise.
NUM_FILMS = 200
REGION = Box(60, 30, 90, 60)
# Of every ten films two show each of these, and one in twenty films shows a pneumothorax.
COMMON = ("effusion", "consolidation", "nodule", "cavity", "cardiomegaly")


def findings(number: int) -> Iterator[Finding]:
    side = ("right", "left")[number // 10 % 2]
    kind = COMMON[number % 5]
    yield Finding(kind, None if kind == "cardiomegaly" else side, REGION)
    if number % 20 == 19:
        yield Finding("pneumothorax", side, REGION)


TRUTHS = tuple(
    PhantomTruth(tuple(findings(number)), Box(40, 50, 70, 90), REGION, REGION, 112, 112)
    for number in range(NUM_FILMS)
)


def read(missed: Collection[int]) -> list[PhantomScore]:
    """Every film as it is, but for what is missed on the films of these numbers."""
    scores = []
    for number, truth in enumerate(TRUTHS):
        said = replace(truth, findings=()) if number in missed else truth
        scores.append(score_phantom(ideal_reasoning(said), truth))
    return scores


def films_with(kind: str) -> list[int]:
    return [n for n, truth in enumerate(TRUTHS) if kind in {finding.kind for finding in truth.findings}]


def drawn(kind: str, share: float, seed: int) -> set[int]:
    films = films_with(kind)
    chosen = np.random.default_rng(seed).choice(films, round(share * len(films)), replace=False)
    return set(map(int, chosen))
