"""Which readers say one thing whatever they are shown: their words carry nothing, however well they fit."""

from __future__ import annotations

import numpy as np

from rl_feedback.raters.cells import Cells, Truths, sums_of

# So improbable must it be that a reader says one thing by chance, answering as the others do.
CHANCE = 0.01
# Of fewer items nobody is said to say one thing only.
FEWEST = 6


def is_by_chance(number: int, share_of_others: float) -> bool:
    """Whether as many words may all be the same by chance, the others saying this in such a share of theirs.

    >>> is_by_chance(5, 0.1), is_by_chance(6, 0.5), is_by_chance(7, 0.5)
    (True, True, False)
    """
    return number < FEWEST or bool(share_of_others**number >= CHANCE)


def smoothed_share(number: int, total: int) -> float:
    """Of few words no share is certain: two more are added, one of them this one.

    >>> smoothed_share(0, 1) == 1 / 3
    True
    """
    return (number + 1) / (total + 2)


def unvarying_readers(said: Cells, *, num_readers: int) -> Truths:
    """By reader: whether every word of many items is the same one, which the others often don't say.

    Each item counts once. Where the others too say nothing else, or nobody varies, nobody is told by them.
    """
    own = np.stack(
        [
            sums_of(said.reader, (said.counts[:, one] > 0).astype(np.float64), num_readers)
            for one in range(said.counts.shape[1])
        ],
        axis=1,
    )
    found = np.zeros(num_readers, dtype=np.bool_)
    for reader, counts in enumerate(own):
        if np.count_nonzero(counts) != 1:
            continue
        value = int(counts.argmax())
        others = own.sum(axis=0) - counts
        if others.sum() == 0 or others[value] == others.sum():
            continue
        share = smoothed_share(int(others[value]), int(others.sum()))
        found[reader] = not is_by_chance(int(counts[value]), share)
    return np.zeros_like(found) if found.all() else found
