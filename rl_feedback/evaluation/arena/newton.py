"""How strong each model must be so that the battles came out as they did: Newton's method on win matrices."""

from __future__ import annotations

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Floats, Integers

_MOST_STEPS = 200
_LONGEST_STEP = 1.0


class CannotRank(ValueError):
    """These battles don't tell how strong every model is; the message names the models and the ways out."""


def strengths_of(
    won: Floats, *, prior: float = 0.0, start: Floats | None = None, tolerance: float = 1e-9
) -> Floats:
    """Of win matrices (draws x models x models; `won[d, i, j]`: how often i beat j, ties as half) the
    maximum-likelihood strengths (draws x models), of mean 0, in natural logarithms of odds.

    `prior` is a number of battles that each model tied with an imagined one of strength 0. Newton's steps are
    cut at 1, so that a far start does not overshoot. Raises CannotRank where they don't settle, which only
    matrices do that aren't strongly connected (L. R. Ford (1957), Am Math Mon 64, 28-33).
    """
    many = won.shape[-1]
    games = won + won.transpose(0, 2, 1)
    beta = np.zeros(won.shape[:2]) if start is None else np.broadcast_to(start, won.shape[:2]).copy()
    for _ in range(_MOST_STEPS):
        chance = scipy.special.expit(beta[:, :, None] - beta[:, None, :])
        slope = (won - games * chance).sum(axis=2)
        information = information_of(games * chance * (1 - chance))
        if prior:
            against = scipy.special.expit(beta)
            slope += prior * (0.5 - against)
            information[:, range(many), range(many)] += prior * against * (1 - against)
        step = np.linalg.solve(anchored(information, prior=prior), slope[:, :, None])[:, :, 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        beta += step * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-300))
        if longest.max(initial=0.0) < tolerance:
            centred: Floats = beta - beta.mean(axis=1, keepdims=True)
            return centred
    raise CannotRank("The strengths don't settle: some model is all but never beaten. Set a prior.")


def information_of(weight: Floats) -> Floats:
    """The Fisher information of strengths, from what each pair's battles weigh (draws x models x models)."""
    information = -weight
    places = np.arange(weight.shape[-1])
    information[:, places, places] += weight.sum(axis=2)
    return information


def anchored(information: Floats, *, prior: float) -> Floats:
    """Without a prior strengths are known up to a common shift; this leaves that one at 0 and changes nothing
    else."""
    if prior:
        return information
    many = information.shape[-1]
    scale = np.trace(information, axis1=-2, axis2=-1) / many**2
    result: Floats = information + np.maximum(scale, 1e-12)[..., None, None]
    return result


def groups_of(won: Floats) -> Integers:
    """For each model the number of its group: within a group each model can be reached from each other by
    wins or ties (Ford's condition). One group: the strengths exist."""
    _, group = scipy.sparse.csgraph.connected_components(
        scipy.sparse.csr_matrix(won > 0), directed=True, connection="strong"
    )
    return np.asarray(group, dtype=np.int64)
