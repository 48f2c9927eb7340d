"""Gathers what the measures of an evaluation need of each sample into one table of counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from rl_feedback.evaluation.statistics import Scored, ValueOf, mean_at

Floats = npt.NDArray[np.float64]


class Columns:
    """A table of counts that grows to the right, and the measures that read it."""

    def __init__(self, start: Scored | None = None) -> None:
        self._blocks: list[Floats] = [] if start is None else [start.counts]
        self._width = 0 if start is None else start.counts.shape[1]
        self.measures: dict[str, ValueOf] = {} if start is None else dict(start.measures)
        self._wholes: dict[str, int] = {} if start is None else dict(start.wholes)

    def take(self, rows: npt.ArrayLike) -> slice:
        block = np.asarray(rows, dtype=np.float64)
        self._blocks.append(block)
        first = self._width
        self._width += block.shape[1]
        return slice(first, self._width)

    def share(self, name: str, rows: Iterable[tuple[float, float]], *, of_findings: bool = False) -> None:
        place = self.take(list(rows))
        if of_findings:
            self._wholes[name] = place.start + 1
        self.measures[name] = mean_at(place.start, place.start + 1)

    def mean(self, name: str, values: Iterable[float]) -> None:
        """What is no number counts not at all."""
        numbers = np.fromiter(values, dtype=np.float64)
        is_there = ~np.isnan(numbers)
        self.share(name, zip(np.where(is_there, numbers, 0.0), is_there.astype(float), strict=True))

    def scored(self) -> Scored:
        return Scored(np.hstack(self._blocks), self.measures, self._wholes)


def read_at(place: slice, value_of: Callable[[Floats], Floats]) -> ValueOf:
    return lambda sums: value_of(sums[..., place])
