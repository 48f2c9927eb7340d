"""Readers whose severity, sharpness and favoured side are known, and what they say."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
STEPS = np.array([-1.6, -0.6, 0.3, 1.2])
MARGIN = 0.35


@dataclass(frozen=True, eq=False)
class SimulatedRatings:
    """`severity` sums to 0: only differences can be seen."""

    quality: Floats
    discrimination: Floats
    severity: Floats
    items: list[int]
    readers: list[int]
    ratings: list[int]


@dataclass(frozen=True, eq=False)
class SimulatedVotes:
    """`better` is the difference of qualities of each pair, outputs 2 p and 2 p + 1."""

    better: Floats
    precision: Floats
    towards_a: Floats
    on_a: list[int]
    on_b: list[int]
    readers: list[int]
    votes: list[str]


def simulate_ratings(
    *,
    num_readers: int,
    num_items: int,
    readers_per_item: int,
    seed: int,
    omega: float = 0.0,
    repeat_share: float = 0.0,
) -> SimulatedRatings:
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=num_items)
    discrimination = 1.8 * np.exp(0.4 * rng.normal(size=num_readers))
    severity = 0.6 * rng.normal(size=num_readers)
    severity -= severity.mean()
    items, readers, ratings = [], [], []
    for item in range(num_items):
        for reader in rng.choice(num_readers, readers_per_item, replace=False).tolist():
            opinion = quality[item] + omega * rng.normal()
            for _ in range(1 + (rng.random() < repeat_share)):
                seen = opinion - severity[reader] + rng.logistic() / discrimination[reader]
                items.append(item)
                readers.append(reader)
                ratings.append(1 + int((seen > STEPS).sum()))
    return SimulatedRatings(quality, discrimination, severity, items, readers, ratings)


def simulate_votes(
    *,
    num_readers: int,
    num_pairs: int,
    readers_per_pair: int,
    seed: int,
    omega: float = 0.0,
    repeat_share: float = 0.0,
) -> SimulatedVotes:
    rng = np.random.default_rng(seed)
    precision = 1.6 * np.exp(0.4 * rng.normal(size=num_readers))
    towards_a = 0.4 * rng.normal(size=num_readers)
    quality = rng.normal(size=(num_pairs, 2))
    better = quality[:, 0] - quality[:, 1]
    on_a, on_b, readers, votes = [], [], [], []
    for pair in range(num_pairs):
        for reader in rng.choice(num_readers, readers_per_pair, replace=False).tolist():
            opinion = better[pair] + omega * rng.normal()
            for _ in range(1 + (rng.random() < repeat_share)):
                sides = (2 * pair, 2 * pair + 1)
                straight = rng.random() < 0.5
                noise = rng.logistic() / precision[reader]
                seen = (opinion if straight else -opinion) + towards_a[reader] + noise
                on_a.append(sides[0] if straight else sides[1])
                on_b.append(sides[1] if straight else sides[0])
                readers.append(reader)
                votes.append("a" if seen > MARGIN else "b" if seen < -MARGIN else "tie")
    return SimulatedVotes(better, precision, towards_a, on_a, on_b, readers, votes)
