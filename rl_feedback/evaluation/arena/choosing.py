"""Which pairs to judge next: those whose battle tells most, and some at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Floats
from rl_feedback.evaluation.arena.newton import information_of, strengths_of

# Each model is believed to have tied this many battles with an imagined mean one: before the first battle
# every pair then tells the same.
_PRIOR = 1.0


@dataclass(frozen=True)
class Next:
    """Places of two models. `gain` is what one battle is expected to add to what is known of all strengths,
    in natural units of information; `is_random` where chance chose the pair."""

    left: int
    right: int
    gain: float
    is_random: bool


def expected_gains(won: Floats) -> Floats:
    """For each pair of models the expected gain of one more battle (models x models, 0 on the diagonal).

    With the strengths as they stand a battle has information p (1 - p) on their difference, whose variance is
    v: it adds log(1 + p (1 - p) v) / 2 to the logarithm of the determinant (D-optimal design, D. V. Lindley
    (1956), Ann Math Stat 27, 986-1005, for a normal posterior). Pairs that met seldom and models of like
    strength come first.

    >>> gains = expected_gains([[0, 20, 1], [20, 0, 0], [1, 0, 0]])
    >>> bool(gains[1, 2] > gains[0, 1])
    True
    """
    strength, covariance = _posterior(np.asarray(won, dtype=np.float64))
    return _gains(strength, covariance)


def next_battles(
    won: Floats, num_open: Floats, *, number: int, random_share: float = 0.2, seed: int = 0
) -> tuple[Next, ...]:
    """The pairs of the next `number` battles, in order; fewer where fewer are open. `num_open[i, j]`: cases
    on which i and j haven't met yet. Each choice takes the ones before it as judged.

    `random_share` of the battles are drawn from all open ones alike, so that a wrong first impression is
    found out. The same battles so far and the same seed give the same choice.
    """
    if not 0 <= random_share <= 1:
        raise ValueError(f"The random share lies between 0 and 1; this is {random_share}.")
    rng = np.random.default_rng(seed)
    strength, covariance = _posterior(np.asarray(won, dtype=np.float64))
    left = np.triu(np.asarray(num_open, dtype=np.float64), 1)
    chosen: list[Next] = []
    while len(chosen) < number and left.any():
        gains = np.triu(_gains(strength, covariance), 1)
        is_random = bool(rng.random() < random_share)
        if is_random:
            place = int(rng.choice(left.size, p=(left / left.sum()).ravel()))
        else:
            place = int(np.argmax(np.where(left > 0, gains, -1.0)))
        one, other = divmod(place, len(left))
        chosen.append(Next(one, other, float(gains[one, other]), is_random))
        left[one, other] -= 1
        _learn(strength, covariance, one, other)
    return tuple(chosen)


def _posterior(won: Floats) -> tuple[Floats, Floats]:
    strength = strengths_of(won[None], prior=_PRIOR)[0]
    chance = scipy.special.expit(strength[:, None] - strength[None, :])
    information = information_of(((won + won.T) * chance * (1 - chance))[None])[0]
    against = scipy.special.expit(strength)
    return strength, np.linalg.inv(information + np.diag(_PRIOR * against * (1 - against)))


def _gains(strength: Floats, covariance: Floats) -> Floats:
    chance = scipy.special.expit(strength[:, None] - strength[None, :])
    own = covariance.diagonal()
    apart = own[:, None] + own[None, :] - 2 * covariance
    gains: Floats = np.log1p(chance * (1 - chance) * np.maximum(apart, 0.0)) / 2
    return gains


def _learn(strength: Floats, covariance: Floats, one: int, other: int) -> None:
    """One more battle of the two, whatever its end (Sherman and Morrison (1950), Ann Math Stat 21, 124)."""
    chance = float(scipy.special.expit(strength[one] - strength[other]))
    told = chance * (1 - chance)
    towards = covariance[:, one] - covariance[:, other]
    apart = towards[one] - towards[other]
    covariance -= told / (1 + told * apart) * np.outer(towards, towards)


def seed_of(seed: int, parts: Sequence[int]) -> int:
    """A seed for each round of a run, the same whenever that round comes."""
    return int(np.random.SeedSequence([seed, *parts]).generate_state(1)[0])
