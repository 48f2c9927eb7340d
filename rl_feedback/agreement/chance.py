"""Do several readers agree beyond chance on a category: Gwet's AC1 and AC2, and Fleiss' kappa."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Estimate, Floats, Numbers, check_confidence, table_of
from rl_feedback.agreement.tally import Tally, tally_of
from rl_feedback.agreement.weights import agreement_weights

_MOST_CATEGORIES = 1000


@dataclass(frozen=True, kw_only=True)
class ChanceCorrected(Estimate):
    """A chance-corrected coefficient: (observed - chance) / (1 - chance), both in 0..1.

    `num_items` counts items with a rating, `num_pairable_items` those with two or more, on which the observed
    agreement rests. `num_readers` is the most ratings that an item could have.
    """

    observed: float
    chance: float | None
    standard_error: float | None
    weights: str
    categories: tuple[float, ...]
    num_readers: int
    num_items: int
    num_pairable_items: int
    num_ratings: int


def gwet_ac1(
    ratings: Numbers | Tally, *, categories: Numbers | None = None, confidence: float = 0.95
) -> ChanceCorrected:
    """Gwet's AC1 of `ratings`, readers x items with NaN for gaps, or the tally of such a table: agreement on
    unordered categories that stays meaningful where one category is rare, as findings on films are.

    `categories` lists every category a reader could choose (a tally knows its own); without it those that
    were chosen, which makes chance look larger than it was when some were never chosen. With one category
    only the value is None. The interval is Student's t with n - 1 degrees of freedom on Gwet's variance, cut
    at -1 and 1.

    Source: K. L. Gwet, Computing inter-rater reliability and its variance in the presence of high agreement
    (2008), Br J Math Stat Psychol 61, 29-48; with gaps: Handbook of Inter-Rater Reliability, 4th ed. (2014).
    The 4 raters and 12 units that his package irrCAC brings (`cac.raw4raters`) give AC1 .77544, standard
    error .14295, interval .46081 to 1.

    >>> gap = float("nan")
    >>> ac1 = gwet_ac1([
    ...     [1, 2, 3, 3, 2, 1, 4, 1, 2, gap, gap, gap],
    ...     [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gap, gap],
    ...     [gap, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 3],
    ...     [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gap],
    ... ])
    >>> round(ac1.value, 5), round(ac1.standard_error, 5)
    (0.77544, 0.14295)
    """
    return _of_ratings(ratings, "identity", categories, confidence)


def gwet_ac2(
    ratings: Numbers | Tally,
    weights: str | Numbers,
    *,
    categories: Numbers | None = None,
    confidence: float = 0.95,
) -> ChanceCorrected:
    """Gwet's AC2 of `ratings`, as in `gwet_ac1`: AC1 with partial credit for near misses.

    `weights` is "linear" or "quadratic" (by the categories' values), "ordinal" (by their order), "identity"
    (AC1), or a symmetric matrix of agreement, categories ascending, 1 on the diagonal. For the rest see
    `gwet_ac1`.

    Source: Gwet, Handbook of Inter-Rater Reliability, 4th ed. (2014), chapter 3 on weights. The 4 raters of
    irrCAC give .914 with quadratic weights (standard error .10396) and .85874 with linear ones.

    >>> near = [[1, 2, 3, 3], [1, 2, 3, 2], [1, 3, 3, 3]]
    >>> gwet_ac2(near, "quadratic").value > gwet_ac1(near).value
    True
    """
    return _of_ratings(ratings, weights, categories, confidence)


def fleiss_kappa(counts: Numbers, *, confidence: float = 0.95) -> ChanceCorrected:
    """Fleiss' kappa of `counts`, items x categories: how many readers gave each category to each item.

    Items may have different numbers of ratings, those without any are left out. Where all ratings lie in one
    category the value is None. The interval is Student's t with n - 1 degrees of freedom on Gwet's variance,
    which holds away from kappa 0 too (Fleiss' own of 1971 does not), cut at -1 and 1.

    Source: J. L. Fleiss, Measuring nominal scale agreement among many raters (1971), Psychol Bull 76,
    378-382; its 30 patients, each diagnosed by 6 psychiatrists, give .430. Variance: Gwet, Handbook (2014).

    >>> round(fleiss_kappa([[3, 0], [0, 3], [2, 1], [3, 0]]).value, 3)
    0.625
    """
    check_confidence(confidence)
    table = table_of(counts, called="counts", shape="items x categories")
    if np.isnan(table).any() or (table < 0).any() or (table != np.rint(table)).any():
        raise ValueError("counts are whole numbers of readers, 0 where no reader gave the category.")
    table = table[table.sum(axis=1) > 0]
    if not (table.sum(axis=1) >= 2).any():
        raise ValueError("No item has 2 ratings, so nothing can be compared. Rows are items.")
    return _corrected(
        table,
        np.ones(len(table)),
        np.eye(table.shape[1]),
        chance=_chance_of_fleiss,
        weights_name="identity",
        categories=tuple(float(place) for place in range(table.shape[1])),
        num_readers=int(table.sum(axis=1).max()),
        confidence=confidence,
        undefined="Every rating lies in one category: chance agreement is certain, and kappa is 0 / 0.",
    )


# Of the shares of each category (q) and the weights (q x q): the chance agreement, and what each category
# adds to it for an item that was given this category.
_Chance = Callable[[Floats, Floats], tuple[float, Floats]]


def _chance_of_gwet(shares: Floats, weights: Floats) -> tuple[float, Floats]:
    many = len(shares)
    if many == 1:
        return 1.0, np.ones(1)
    scale = weights.sum() / (many * (many - 1))
    return float(scale * (shares @ (1 - shares))), scale * (1 - shares)


def _chance_of_fleiss(shares: Floats, weights: Floats) -> tuple[float, Floats]:
    return float(shares @ weights @ shares), (weights @ shares + shares @ weights) / 2


def _of_ratings(
    ratings: Numbers | Tally, weights: str | Numbers, categories: Numbers | None, confidence: float
) -> ChanceCorrected:
    check_confidence(confidence)
    tally = tally_of(ratings, categories=categories)
    if len(tally.categories) > _MOST_CATEGORIES:
        raise ValueError(
            f"These ratings take {len(tally.categories)} values: for measurements use icc or"
            " krippendorff_alpha at interval level."
        )
    if not (tally.sizes() >= 2).any():
        raise ValueError("No item has 2 ratings: let two readers read the same items.")
    name, matrix = agreement_weights(weights, tally.categories)
    return _corrected(
        tally.table(),
        tally.num_items_of_pattern.astype(np.float64),
        matrix,
        chance=_chance_of_gwet,
        weights_name=name,
        categories=tuple(tally.categories.tolist()),
        num_readers=tally.num_readers,
        confidence=confidence,
        undefined=(
            "Only one category was used, so chance can't be told: list all that readers could choose from"
            " (categories=…)."
        ),
    )


def _corrected(
    counts: Floats,
    times: Floats,
    weights: Floats,
    *,
    chance: _Chance,
    weights_name: str,
    categories: tuple[float, ...],
    num_readers: int,
    confidence: float,
    undefined: str,
) -> ChanceCorrected:
    """Row p of `counts` occurs `times[p]` times. Gwet, Handbook (2014), with gaps."""
    sizes = counts.sum(axis=1)
    pairable = sizes >= 2
    num_items, num_pairable = times.sum(), times[pairable].sum()
    pairs = np.where(pairable, sizes * (sizes - 1), 1)
    agreeing = np.where(pairable, (counts * (counts @ weights - 1)).sum(axis=1) / pairs, 0)
    observed = float(times @ agreeing / num_pairable)
    shares = times @ (counts / sizes[:, None]) / num_items
    by_chance, of_category = chance(shares, weights)
    value = standard_error = interval = None
    note = undefined
    if by_chance < 1 - 1e-12:
        value, note = (observed - by_chance) / (1 - by_chance), ""
        of_item = num_items / num_pairable * (agreeing - by_chance * pairable) / (1 - by_chance)
        chance_of_item = counts @ of_category / sizes
        of_item -= 2 * (1 - value) * (chance_of_item - by_chance) / (1 - by_chance)
        if num_items > 1:
            squares = float(times @ (of_item - value) ** 2)
            standard_error = float(np.sqrt(squares / (num_items * (num_items - 1))))
            reach = float(scipy.stats.t.ppf((1 + confidence) / 2, num_items - 1)) * standard_error
            interval = (max(-1.0, value - reach), min(1.0, value + reach))
        else:
            note = "One item only: how sure this is can't be told."
    return ChanceCorrected(
        value=value,
        interval=interval,
        confidence=confidence,
        note=note,
        observed=observed,
        chance=by_chance if value is not None else None,
        standard_error=standard_error,
        weights=weights_name,
        categories=categories,
        num_readers=num_readers,
        num_items=int(num_items),
        num_pairable_items=int(num_pairable),
        num_ratings=int(times @ sizes),
    )
