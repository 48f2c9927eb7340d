"""Do readers put items in the same order: Kendall's coefficient of concordance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from rl_feedback.agreement.estimate import (
    Estimate,
    Floats,
    Numbers,
    check_confidence,
    percentiles,
    table_of,
)


@dataclass(frozen=True, kw_only=True)
class KendallW(Estimate):
    """`chi_square` with `num_items` - 1 degrees of freedom tests that the readers' orders are unrelated."""

    chi_square: float | None
    p: float | None
    num_readers: int
    num_items: int
    num_draws: int
    seed: int


def kendall_w(ranks: Numbers, *, confidence: float = 0.95, num_draws: int = 1000, seed: int = 0) -> KendallW:
    """Kendall's W of `ranks`, readers x items: 1 when all order the items alike, 0 when orders cancel out.

    Each reader's row is ranked anew, so scores may be given in place of ranks; equal ones share the mean rank
    and W is corrected for ties. The interval is a percentile bootstrap over items (`num_draws` draws from
    `seed`; 0 draws: none), the p value by chi-square, fair from 7 items on. Where every reader calls all
    items equal the value is None.

    Source: M. G. Kendall, Rank Correlation Methods (1948), chapter on the problem of m rankings. Corrected
    for ties, the 12 birds of J. H. Zar, Biostatistical Analysis (2010), example 20.5, give W .924; the 10
    items in 3 tied rankings of NAG's routine G08DAF give W .8277, chi-square 22.35 and p .0078.

    >>> kendall_w([[1, 2, 3, 4], [1, 2, 3, 4], [1, 3, 2, 4]], num_draws=0).value
    0.9111111111111111
    """
    check_confidence(confidence)
    table = table_of(ranks, called="ranks", shape="readers x items")
    num_readers, num_items = table.shape
    if np.isnan(table).any():
        raise ValueError("Every reader must have ranked every item: leave out items or readers with a gap.")
    if num_readers < 2 or num_items < 2:
        raise ValueError(
            f"Concordance needs at least 2 readers (rows) and 2 items (columns); these are {num_readers} and"
            f" {num_items}."
        )
    value = _concordance(table)
    interval, note = None, ""
    if value is None:
        note = "Every reader calls all items equal: there is no order to agree on."
    elif num_draws > 0:
        rng = np.random.default_rng(seed)
        drawn = (_concordance(table[:, rng.integers(num_items, size=num_items)]) for _ in range(num_draws))
        interval = percentiles([w for w in drawn if w is not None], confidence)
    chi_square = None if value is None else num_readers * (num_items - 1) * value
    return KendallW(
        value=value,
        interval=interval,
        confidence=confidence,
        note=note,
        chi_square=chi_square,
        p=None if chi_square is None else float(scipy.stats.chi2.sf(chi_square, num_items - 1)),
        num_readers=num_readers,
        num_items=num_items,
        num_draws=num_draws,
        seed=seed,
    )


def _concordance(scores: Floats) -> float | None:
    num_readers, num_items = scores.shape
    ranks: Floats = scipy.stats.rankdata(scores, axis=1)
    # The sum of squares of a reader's ranks shrinks with ties exactly as the usual correction says.
    spread_of_readers = float((ranks**2).sum() - num_readers * num_items * ((num_items + 1) / 2) ** 2)
    if spread_of_readers == 0:
        return None
    sums = ranks.sum(axis=0)
    spread_of_sums = float(((sums - sums.mean()) ** 2).sum())
    return float(spread_of_sums / (num_readers * spread_of_readers))
