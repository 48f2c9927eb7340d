"""Do readers agree more than their own mix of ratings would by chance: Krippendorff's alpha."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from rl_feedback.agreement.estimate import Estimate, Floats, Integers, Numbers, check_confidence, percentiles
from rl_feedback.agreement.tally import Tally, sums_by, tally_ratings


class Level(StrEnum):
    """What the distance between two ratings means."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


@dataclass(frozen=True, kw_only=True)
class KrippendorffAlpha(Estimate):
    """`num_items` and `num_ratings` count what could be paired: items with two ratings or more."""

    level: str
    num_readers: int
    num_items: int
    num_ratings: int
    num_draws: int
    seed: int


def krippendorff_alpha(
    ratings: Numbers, level: str, *, confidence: float = 0.95, num_draws: int = 1000, seed: int = 0
) -> KrippendorffAlpha:
    """Krippendorff's alpha of `ratings`, readers x items with NaN for gaps: 1 is perfect agreement, 0 what
    chance gives, below 0 systematic disagreement.

    `level` is "nominal", "ordinal", "interval" or "ratio". The interval is a percentile bootstrap over items
    (`num_draws` draws from `seed`; 0 draws: none). Where all ratings are equal there is no disagreement to
    expect, and the value is None.

    Source: K. Krippendorff, Computing Krippendorff's alpha-reliability (2011), section D and its metrics; the
    ordinal metric is taken as the squared difference of mid-ranks, which equals the sum over ranks there.
    Its example of 4 observers and 12 units gives .743, .815, .849 and .797 at the four levels.

    >>> gap = float("nan")
    >>> observers = [
    ...     [1, 2, 3, 3, 2, 1, 4, 1, 2, gap, gap, gap],
    ...     [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gap, 3],
    ...     [gap, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, gap],
    ...     [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gap],
    ... ]
    >>> round(krippendorff_alpha(observers, "ordinal").value, 3)
    0.815
    """
    try:
        metric = Level(level)
    except ValueError:
        raise ValueError(f"level is one of {', '.join(Level)}; this is {level!r}.") from None
    check_confidence(confidence)
    tally = tally_ratings(ratings, fewest=2)
    if metric is Level.RATIO and tally.categories[0] < 0:
        raise ValueError("Ratings at ratio level count from zero up; below zero use the interval level.")
    units = _Units(tally, metric)
    value = units.alpha(tally.num_items_of_pattern)
    interval, note = None, ""
    if value is None:
        note = "Every rating is the same: without variation, agreement beyond chance can't be told."
    elif tally.num_items > 1 and num_draws > 0:
        interval = percentiles(units.bootstrap(num_draws, seed), confidence)
    return KrippendorffAlpha(
        value=value,
        interval=interval,
        confidence=confidence,
        note=note,
        level=metric.value,
        num_readers=tally.num_readers,
        num_items=tally.num_items,
        num_ratings=tally.num_ratings,
        num_draws=num_draws,
        seed=seed,
    )


class _Units:
    """The disagreement within every pattern of ratings, ready to be weighed anew for each draw."""

    def __init__(self, tally: Tally, level: Level) -> None:
        self.tally, self.level = tally, level
        self.size = tally.sizes()
        self.distances = _ratio_distances(tally.categories) if level is Level.RATIO else None
        self.positions = tally.categories - tally.categories.mean()
        self.within = None if level is Level.ORDINAL else self._within(self.positions)

    def alpha(self, num_items: Integers) -> float | None:
        """Alpha when pattern p occurs `num_items[p]` times; None without variation."""
        tally = self.tally
        marginals = sums_by(tally.category, tally.count * num_items[tally.pattern], len(tally.categories))
        if np.count_nonzero(marginals) < 2:
            return None
        positions, within = self.positions, self.within
        if within is None:
            positions = np.cumsum(marginals) - marginals / 2 - marginals.sum() / 2
            within = self._within(positions)
        observed = float(within @ (num_items / (self.size - 1)))
        return 1 - float(marginals.sum() - 1) * observed / self._expected(marginals, positions)

    def bootstrap(self, num_draws: int, seed: int) -> list[float]:
        """Alpha of items drawn anew; a draw without variation is left out."""
        rng = np.random.default_rng(seed)
        times = self.tally.num_items_of_pattern
        shares = times / times.sum()
        drawn = (self.alpha(rng.multinomial(times.sum(), shares)) for _ in range(num_draws))
        return [value for value in drawn if value is not None]

    def _within(self, positions: Floats) -> Floats:
        """Sum of squared distances over ordered pairs of ratings of one item, by pattern."""
        tally, many = self.tally, self.tally.num_patterns
        if self.level is Level.NOMINAL:
            return self.size**2 - sums_by(tally.pattern, tally.count**2, many)
        if self.distances is not None:
            table = tally.table()
            return np.asarray((table @ self.distances * table).sum(axis=1))
        placed = tally.count * positions[tally.category]
        sums = sums_by(tally.pattern, placed, many)
        squares = sums_by(tally.pattern, placed * positions[tally.category], many)
        return 2 * (self.size * squares - sums**2)

    def _expected(self, marginals: Floats, positions: Floats) -> float:
        total = marginals.sum()
        if self.level is Level.NOMINAL:
            return float(total**2 - marginals @ marginals)
        if self.distances is not None:
            return float(marginals @ self.distances @ marginals)
        return float(2 * (total * (marginals @ positions**2) - (marginals @ positions) ** 2))


def _ratio_distances(values: Floats) -> Floats:
    difference = np.subtract.outer(values, values)
    total = np.add.outer(values, values)
    total[total == 0] = 1
    return np.asarray((difference / total) ** 2)
