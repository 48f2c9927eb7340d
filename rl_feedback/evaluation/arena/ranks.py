"""Between which ranks a model surely lies."""

from __future__ import annotations

import numpy as np
import scipy

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
    are judged together, by the largest studentised difference of the draws (M. Mogstad, J. P. Romano, A. M.
    Shaikh and D. Wilhelm (2024), Inference for ranks, Rev Econ Stud 91, 476-518), without draws by
    Bonferroni's bound on a normal distribution.
    """
    many = len(strength)
    difference = strength[None, :] - strength[:, None]
    variance = covariance.diagonal()[None, :] + covariance.diagonal()[:, None] - 2 * covariance
    spread = np.sqrt(np.maximum(variance, 1e-18))
    np.fill_diagonal(spread, np.inf)
    if many == 1:
        return np.ones((1, 2), dtype=np.int64)
    if draws is None or len(draws) < 2:
        reach = np.full(many, scipy.stats.norm.isf((1 - confidence) / (2 * (many - 1))))
    else:
        reach = np.empty(many)
        for place in range(many):
            drawn = draws - draws[:, [place]]
            apart = np.abs((drawn - difference[place]) / spread[place])
            reach[place] = np.quantile(apart.max(axis=1), confidence)
    studentised = difference / spread
    stronger = (studentised > reach[:, None]).sum(axis=1)
    weaker = (studentised < -reach[:, None]).sum(axis=1)
    return np.column_stack([1 + stronger, many - weaker]).astype(np.int64)
