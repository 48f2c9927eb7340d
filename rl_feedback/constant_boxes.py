"""Finds models whose regions do not depend on the film: one box for the same thing, whoever is filmed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from rl_feedback.gate.policy import CaseScores

# What is pointed at, and the region's edges as shares of the image's sides.
PlacedBox = tuple[str, float, float, float, float]

# Two regions are in one place when no edge differs by more: 2 pixels of a film of 112.
SAME_PLACE = 2 / 112


def constant_box_scores(films: Sequence[Sequence[PlacedBox]]) -> CaseScores:
    """Of each film's regions, the mean share of other films whose region of the same thing lies in the same
    place; each film weighs by its regions that have others to be compared with.

    1 for a model that draws one box everywhere. Patients differ, but not without end: some share is chance.

    >>> constant_box_scores([[("heart", 0.3, 0.4, 0.7, 0.8)], [("heart", 0.3, 0.4, 0.7, 0.8)]]).values
    (1.0, 1.0)
    """
    placed: dict[str, list[tuple[int, tuple[float, ...]]]] = defaultdict(list)
    for film, boxes in enumerate(films):
        for subject, *edges in boxes:
            placed[subject].append((film, tuple(edges)))
    sums, counts = np.zeros(len(films)), np.zeros(len(films))
    for rows in placed.values():
        owners = np.array([film for film, _ in rows])
        places = np.array([box for _, box in rows])
        for film in np.unique(owners):
            others = places[owners != film]
            if not len(others):
                continue
            own = places[owners == film]
            apart = np.abs(own[:, None, :] - others[None, :, :]).max(axis=2)
            sums[film] += float((apart <= SAME_PLACE).mean(axis=1).sum())
            counts[film] += len(own)
    shares = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    return CaseScores(tuple(map(float, shares)), tuple(map(float, counts)))
