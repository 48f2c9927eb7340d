"""Do readers agree more than their own mix of ratings would by chance: Krippendorff's alpha."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Estimate, Floats, Integers, Numbers, check_confidence, percentiles
from rl_feedback.agreement.tally import Tally, tally_of

# Draws are weighed together as far as they fit into so many cells of draws x patterns, 8 MB.
_MOST_CELLS = 1_000_000
# From so many items on, how often each pattern is drawn is as good as normal.
_FEWEST_NORMAL = 10_000


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
    ratings: Numbers | Tally, level: str, *, confidence: float = 0.95, num_draws: int = 1000, seed: int = 0
) -> KrippendorffAlpha:
    """Krippendorff's alpha of `ratings`, readers x items with NaN for gaps, or the tally of such a table: 1
    is perfect agreement, 0 what chance gives, below 0 systematic disagreement.

    `level` is "nominal", "ordinal", "interval" or "ratio". The interval is a percentile bootstrap over items
    (`num_draws` draws from `seed`; 0 draws: none; from 10,000 items on the draws are normal ones of the same
    mean and covariance). Where all ratings are equal there is no disagreement to expect, and the value is
    None.

    Source: K. Krippendorff, Computing Krippendorff's alpha-reliability (2011), its section D; the ordinal
    metric is taken as the squared difference of mid-ranks, which equals the sum over ranks there. Its example
    of 4 observers and 12 units gives .743, .815, .849 and .797 at the four levels.

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
    tally = tally_of(ratings, fewest=2)
    if metric is Level.RATIO and tally.categories[0] < 0:
        raise ValueError("Ratings at ratio level count from zero up; below zero use the interval level.")
    units = _Units(tally, metric)
    value = units.alpha()
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
        self.level = level
        self.times = tally.num_items_of_pattern
        self.size = tally.sizes()
        self.counts = scipy.sparse.csr_array(
            (tally.count, (tally.pattern, tally.category)), shape=(tally.num_patterns, len(tally.categories))
        )
        self.distances = _ratio_distances(tally.categories) if level is Level.RATIO else None
        self.positions = (tally.categories - tally.categories.mean())[None]
        self.within = None if level is Level.ORDINAL else self._within(self.positions)

    def alphas(self, num_items: Numbers) -> Floats:
        """Alpha of each row of `num_items`, draws x patterns: how often each pattern occurs in that draw. NaN
        where a draw is without variation."""
        times = np.asarray(num_items, dtype=np.float64)
        marginals = np.asarray(times @ self.counts)
        total = marginals.sum(axis=1)
        positions, within = self.positions, self.within
        if within is None:
            positions = np.cumsum(marginals, axis=1) - marginals / 2 - total[:, None] / 2
            within = self._within(positions)
        observed = (within * times / (self.size - 1)).sum(axis=1)
        varied = np.count_nonzero(marginals, axis=1) > 1
        ratio = np.full(len(times), np.nan)
        np.divide((total - 1) * observed, self._expected(marginals, positions), out=ratio, where=varied)
        return 1 - ratio

    def alpha(self) -> float | None:
        """Of the ratings as they are; None without variation."""
        value = float(self.alphas(self.times[None])[0])
        return None if np.isnan(value) else value

    def bootstrap(self, num_draws: int, seed: int) -> list[float]:
        """Alpha of items drawn anew; a draw without variation is left out."""
        rng = np.random.default_rng(seed)
        together = max(1, _MOST_CELLS // len(self.times))
        values: list[float] = []
        for start in range(0, num_draws, together):
            size = min(together, num_draws - start)
            values += self.alphas(_draws(self.times, size, rng)).tolist()
        return [value for value in values if not np.isnan(value)]

    def _within(self, positions: Floats) -> Floats:
        """Squared distances summed over ordered pairs of ratings of an item: rows of positions x patterns."""
        if self.level is Level.NOMINAL:
            return np.asarray(self.size**2 - self.counts.power(2).sum(axis=1))[None]
        if self.distances is not None:
            return np.asarray(self.counts.multiply(self.counts @ self.distances).sum(axis=1))[None]
        of_pattern = self.counts.T
        return np.asarray(2 * (self.size * (positions**2 @ of_pattern) - (positions @ of_pattern) ** 2))

    def _expected(self, marginals: Floats, positions: Floats) -> Floats:
        total = marginals.sum(axis=1)
        if self.level is Level.NOMINAL:
            return np.asarray(total**2 - (marginals**2).sum(axis=1))
        if self.distances is not None:
            return np.asarray((marginals @ self.distances * marginals).sum(axis=1))
        squares, sums = (marginals * positions**2).sum(axis=1), (marginals * positions).sum(axis=1)
        return np.asarray(2 * (total * squares - sums**2))


def _draws(times: Integers, num_draws: int, rng: np.random.Generator) -> Floats:
    """Draws x patterns: how often each pattern occurs among as many items, drawn with replacement.

    It is multinomial. Of many items the numbers are drawn from the normal distribution with its mean and its
    covariance, N diag(p) - N p p', which takes a tenth of the time: what is made of them sums over items."""
    total = times.sum()
    if total < _FEWEST_NORMAL:
        return np.asarray(rng.multinomial(total, times / total, size=num_draws), dtype=np.float64)
    drawn = rng.standard_normal((num_draws, len(times)))
    drawn *= np.sqrt(times)
    drawn -= drawn.sum(axis=1, keepdims=True) * (times / total)
    drawn += times
    return drawn


def _ratio_distances(values: Floats) -> Floats:
    difference = np.subtract.outer(values, values)
    total = np.add.outer(values, values)
    total[total == 0] = 1
    return np.asarray((difference / total) ** 2)
