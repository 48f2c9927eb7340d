"""Between which ranks a model surely lies."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from rl_feedback.agreement.estimate import Floats, Integers


def ranks_of(strength: Floats) -> Integers:
    """1 for the strongest; equals share the better rank."""
    # Differences of rounding are no differences.
    ahead = strength[None, :] - strength[:, None] > 1e-9
    return np.asarray(1 + ahead.sum(axis=1), dtype=np.int64)


def rank_intervals(
    strength: Floats, covariance: Floats, *, draws: Floats | None, confidence: float
) -> Integers:
    """Best and worst rank of each model (models x 2): 1 and the number of those that are surely stronger, and
    the number of models less those that are surely weaker.

    Each interval holds for its model at `confidence` whatever the others are: the differences from all others
    are judged together, by the largest studentised difference of the draws, and again without those that
    were found, until no more are (M. Mogstad, J. P. Romano, A. M. Shaikh and D. Wilhelm (2024), Inference for
    ranks, Rev Econ Stud 91, 476-518, with the steps of J. P. Romano and M. Wolf (2005), Econometrica 73,
    1237-1282). Without draws by Holm's bound on a normal distribution.
    """
    many = len(strength)
    if many == 1:
        return np.ones((1, 2), dtype=np.int64)
    difference = strength[None, :] - strength[:, None]
    variance = covariance.diagonal()[None, :] + covariance.diagonal()[:, None] - 2 * covariance
    spread = np.sqrt(np.maximum(variance, 1e-18))
    np.fill_diagonal(spread, np.inf)
    studentised = difference / spread
    is_found = np.zeros((many, many), dtype=bool)
    for place in range(many):
        apart = None
        if draws is not None and len(draws) >= 2:
            apart = np.abs((draws - draws[:, [place]] - difference[place]) / spread[place])
        is_found[place] = _found(np.abs(studentised[place]), apart, own=place, confidence=confidence)
    stronger = (is_found & (studentised > 0)).sum(axis=1)
    weaker = (is_found & (studentised < 0)).sum(axis=1)
    return np.column_stack([1 + stronger, many - weaker]).astype(np.int64)


def _found(studentised: Floats, apart: Floats | None, *, own: int, confidence: float) -> NDArray[np.bool_]:
    """Which of the other models surely differ from the one at `own`: `studentised` differences against the
    largest of their errors in the draws (`apart`, draws x models)."""
    is_open = np.arange(len(studentised)) != own
    while is_open.any():
        if apart is None:
            reach = scipy.stats.norm.isf((1 - confidence) / (2 * is_open.sum()))
        else:
            reach = np.quantile(apart[:, is_open].max(axis=1), confidence)
        is_new = is_open & (studentised > reach)
        if not is_new.any():
            break
        is_open &= ~is_new
    is_open[own] = True
    found: NDArray[np.bool_] = ~is_open
    return found
