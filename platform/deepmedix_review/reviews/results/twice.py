"""Who says of a hidden repeat something else than before, as often as somebody who guesses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from deepmedix_review.reviews.models import Assignment
from deepmedix_review.reviews.results.columns import Chosen, Keys, Numbers, distinct, in_order, places_of
from deepmedix_review.reviews.results.readings import KINDS, Ratings, Readings
from rl_feedback.agreement import cohen_kappa

# Of fewer items that were rated twice nobody is said to guess, nor where fewer of them were first rated
# other than the usual: a single mark that moved would decide.
FEWEST_ITEMS, FEWEST_UNUSUAL = 10, 3
# Below this agreement is called slight at best (Landis and Koch, Biometrics 33:159, 1977).
SLIGHT = 0.2


@dataclass(frozen=True)
class Twice:
    """Of the items that a reader rated twice: how many the same, and Cohen's kappa beyond chance."""

    num_items: int
    num_same: int
    kappa: float


def at_chance(readings: Readings, marks: Iterable[Ratings]) -> Mapping[int, Twice]:
    """By reader, of the marks from 1 to 5. Kappa has quadratic weights: it is low, and its 95 % interval
    holds 0."""
    pairs = read_twice(readings, readings.kind == KINDS.index(Assignment.Kind.REPEAT))
    readers, of_pair = distinct(readings.reader[pairs[:, 1]])
    confusions = np.zeros(len(readers) * 25)
    for some in marks:
        pair, first, again = said_twice(some, pairs)
        cell = (of_pair[pair] * 5 + first.astype(np.int64) - 1) * 5 + again.astype(np.int64) - 1
        confusions += np.bincount(cell, minlength=len(confusions))
    found = zip(readers.tolist(), map(_twice, confusions.reshape(-1, 5, 5)), strict=True)
    return {reader: twice for reader, twice in found if twice is not None}


def read_twice(readings: Readings, repeats: Chosen) -> Keys:
    """Places of a first reading and of its repeat, one row for each of these repeats whose first is there."""
    again = np.flatnonzero(repeats)
    by_assignment = in_order(readings.assignment)
    is_signed, place = places_of(readings.repeat_of[again], readings.assignment[by_assignment])
    return np.column_stack([by_assignment[place], again[is_signed]])


def said_twice(ratings: Ratings, pairs: Keys) -> tuple[Keys, Numbers, Numbers]:
    """Of each item that was rated in both readings of a pair (`read_twice`): the row of that pair, and the
    values given first and again."""
    span = 1 + int(ratings.item.max(initial=0))
    said = []
    for readings in pairs.T:
        pair = np.full(1 + max(readings.max(initial=0), ratings.reading.max(initial=0)), -1)
        pair[readings] = np.arange(len(readings))
        of_rating = pair[ratings.reading]
        chosen = np.flatnonzero(of_rating >= 0)
        said.append((of_rating[chosen] * span + ratings.item[chosen], ratings.value[chosen]))
    (first, value), (again, value_again) = said
    both, place, place_again = np.intersect1d(first, again, assume_unique=True, return_indices=True)
    return both // span, value[place], value_again[place_again]


def _twice(confusion: Numbers) -> Twice | None:
    """None where the marks agree beyond chance, or are too few to tell."""
    num_items = int(confusion.sum())
    num_usual = confusion.sum(axis=1).max()
    if num_items < FEWEST_ITEMS or num_items - num_usual < FEWEST_UNUSUAL:
        return None
    found = cohen_kappa(confusion, "quadratic")
    if found.value is None or found.interval is None or found.value >= SLIGHT or found.interval[0] > 0:
        return None
    return Twice(num_items, int(np.trace(confusion)), found.value)
