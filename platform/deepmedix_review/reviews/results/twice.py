"""Who says of a hidden repeat something else than before, as often as somebody who guesses."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepmedix_review.reviews.models import Assignment
from deepmedix_review.reviews.results.readings import KINDS, Ratings, Readings
from rl_feedback.agreement import cohen_kappa

# Of fewer items that were rated twice nobody is said to guess, nor where fewer of them were first rated
# other than the usual: a single mark that moved would decide.
FEWEST_ITEMS, FEWEST_UNUSUAL = 10, 3
# Below this agreement is called slight at best (Landis and Koch, Biometrics 33:159, 1977).
SLIGHT = 0.2
_Pair = tuple[int, int]


@dataclass(frozen=True)
class Twice:
    """Of the items that a reader rated twice: how many the same, and Cohen's kappa beyond chance."""

    num_items: int
    num_same: int
    kappa: float


def at_chance(readings: Readings, marks: Iterable[Ratings]) -> Mapping[int, Twice]:
    """By reader, of the marks from 1 to 5. Kappa has quadratic weights: it is low, and its 95 % interval
    holds 0."""
    pairs: dict[int, list[_Pair]] = defaultdict(list)
    for some in marks:
        _add_pairs(readings, some, pairs)
    found = {reader: _twice(own) for reader, own in pairs.items()}
    return {reader: twice for reader, twice in found.items() if twice is not None}


def _add_pairs(readings: Readings, marks: Ratings, pairs: dict[int, list[_Pair]]) -> None:
    """What was said of each item in a first reading and in its repeat."""
    is_repeat = readings.kind == KINDS.index(Assignment.Kind.REPEAT)
    first = np.where(is_repeat, readings.repeat_of, readings.assignment)
    both = (is_repeat | np.isin(readings.assignment, readings.repeat_of[is_repeat]))[marks.reading]
    said: dict[tuple[int, int, int], dict[bool, int]] = defaultdict(dict)
    at = marks.reading[both]
    for reader, case, again, item, value in zip(
        readings.reader[at].tolist(),
        first[at].tolist(),
        is_repeat[at].tolist(),
        marks.item[both].tolist(),
        marks.value[both].tolist(),
        strict=True,
    ):
        said[reader, case, item][again] = int(value)
    for (reader, *_), words in said.items():
        if len(words) == 2:
            pairs[reader].append((words[False], words[True]))


def _twice(pairs: Sequence[_Pair]) -> Twice | None:
    """None where the marks agree beyond chance, or are too few to tell."""
    confusion = np.zeros((5, 5))
    for first, again in pairs:
        confusion[first - 1, again - 1] += 1
    num_usual = confusion.sum(axis=1).max()
    if len(pairs) < FEWEST_ITEMS or len(pairs) - num_usual < FEWEST_UNUSUAL:
        return None
    found = cohen_kappa(confusion, "quadratic")
    if found.value is None or found.interval is None or found.value >= SLIGHT or found.interval[0] > 0:
        return None
    return Twice(len(pairs), int(np.trace(confusion)), found.value)
