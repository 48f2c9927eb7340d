"""What is said of an item in the end: a mean, how sure that is, and on how many readers it rests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy

from rl_feedback.raters.cells import Floats, Integers, Truths

# Two answers of one reader vary by this much around a quality when the discrimination is 1 (logistic).
LOGISTIC_VARIANCE = np.pi**2 / 3


@dataclass(frozen=True)
class Label:
    """`mean` lies in 0..1; `variance` is that of the mean's posterior. `num_effective_readers` says as how
    many readers of mean precision those count who judged the item. `is_disputed`: they contradict each
    other, and no mean stands for them. `is_settled`: an adjudication or a known truth decided."""

    mean: float
    variance: float
    num_readers: int
    num_effective_readers: float
    is_disputed: bool
    is_settled: bool


@dataclass(frozen=True, eq=False)
class Labels:
    """One label an item, as columns; `labels[item]` gives one of them. Arrays are read-only."""

    items: tuple[Any, ...]
    mean: Floats
    variance: Floats
    num_readers: Integers
    num_effective_readers: Floats
    is_disputed: Truths
    is_settled: Truths

    def __post_init__(self) -> None:
        for name in ("mean", "variance", "num_readers", "num_effective_readers", "is_disputed", "is_settled"):
            getattr(self, name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __contains__(self, item: object) -> bool:
        return item in self._places

    def __getitem__(self, item: Any) -> Label:
        return self.at(self.place_of(item))

    def place_of(self, item: Any) -> int:
        return self._places[item]

    def at(self, at: int) -> Label:
        return Label(
            mean=float(self.mean[at]),
            variance=float(self.variance[at]),
            num_readers=int(self.num_readers[at]),
            num_effective_readers=float(self.num_effective_readers[at]),
            is_disputed=bool(self.is_disputed[at]),
            is_settled=bool(self.is_settled[at]),
        )

    @cached_property
    def _places(self) -> dict[Any, int]:
        return {item: place for place, item in enumerate(self.items)}


def precision_of(log_a: Floats, omega: float | None, num_said: Integers | int = 1) -> Floats:
    """How precisely a reader's words, `num_said` of them on one item, tell its quality.

    A reader's repeats share one lasting opinion (variance omega squared), so they count less than readers.
    """
    return np.asarray(1 / ((omega or 0.0) ** 2 + LOGISTIC_VARIANCE * np.exp(-2 * log_a) / num_said))


def normal_interval(mean: float, sd: float, confidence: float) -> tuple[float, float]:
    reach = float(scipy.stats.norm.ppf((1 + confidence) / 2)) * sd
    return mean - reach, mean + reach
