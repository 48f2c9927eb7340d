"""Do two readers agree beyond chance, with or without credit for near misses: Cohen's kappa."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Estimate, Floats, Numbers, check_confidence, table_of
from rl_feedback.agreement.weights import agreement_weights


@dataclass(frozen=True, kw_only=True)
class CohenKappa(Estimate):
    """Kappa of `num_items` items that two readers rated; `observed` and `chance` agreement lie in 0..1."""

    observed: float
    chance: float
    standard_error: float | None
    weights: str
    num_categories: int
    num_items: int


def cohen_kappa(
    confusion: Numbers, weights: str | Numbers | None = None, *, confidence: float = 0.95
) -> CohenKappa:
    """Cohen's kappa of a square table of counts: rows one reader's categories, columns the other's.

    `weights` is None (equality alone), "linear" or "quadratic" (by the distance of places), or a matrix of
    agreement with 1 on the diagonal. The interval is normal, on the large-sample standard error, cut at
    -1 and 1. Where both readers used one and the same category only, the value is None.

    Sources: J. Cohen, Weighted kappa (1968), Psychol Bull 70, 213-220: its table of 200 patients gives kappa
    .492, and weighted kappa .348 with weights of disagreement 1, 3 and 6. Standard error: J. L. Fleiss, J.
    Cohen and B. S. Everitt (1969), Psychol Bull 72, 323-327. The 100 pregnancies that two abstractors classed
    (`cont3x3abstractors` of K. L. Gwet's package irrCAC) give .79641 and standard error .05891; with
    quadratic weights .89216 and .03535.

    >>> round(cohen_kappa([[88, 14, 18], [10, 40, 10], [2, 6, 12]]).value, 3)
    0.492
    """
    check_confidence(confidence)
    table = _checked(confusion)
    many, total = len(table), table.sum()
    name, matrix = agreement_weights("identity" if weights is None else weights, np.arange(float(many)))
    shares = table / total
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed = float((matrix * shares).sum())
    chance = float(rows @ matrix @ columns)
    value = standard_error = interval = None
    note = "Both readers used one category only: chance agreement is certain, and kappa is 0 / 0."
    if chance < 1 - 1e-12:
        value, note = (observed - chance) / (1 - chance), ""
        expected = np.add.outer(matrix @ columns, rows @ matrix)
        spread = (shares * (matrix - expected * (1 - value)) ** 2).sum()
        variance = (spread - (value - chance * (1 - value)) ** 2) / (total * (1 - chance) ** 2)
        standard_error = float(np.sqrt(max(0.0, variance)))
        reach = float(scipy.stats.norm.ppf((1 + confidence) / 2)) * standard_error
        interval = (max(-1.0, value - reach), min(1.0, value + reach))
    return CohenKappa(
        value=value,
        interval=interval,
        confidence=confidence,
        note=note,
        observed=observed,
        chance=chance,
        standard_error=standard_error,
        weights=name,
        num_categories=many,
        num_items=int(total),
    )


def _checked(confusion: Numbers) -> Floats:
    table = table_of(confusion, called="confusion", shape="categories x categories")
    if table.shape[0] != table.shape[1]:
        raise ValueError(
            f"The table must be square, the same categories for both readers; it is"
            f" {table.shape[0]} x {table.shape[1]}: add a row or column of zeros for an unused category."
        )
    if np.isnan(table).any() or (table < 0).any() or (table != np.rint(table)).any():
        raise ValueError("The table holds counts of items: whole numbers from 0 up, not shares.")
    if table.sum() < 1:
        raise ValueError("The table is empty: no item was rated by both readers.")
    return table
