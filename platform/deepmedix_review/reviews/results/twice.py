"""Who says of a hidden repeat something else than before, as often as somebody who guesses."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from deepmedix_review.reviews.models import AnswerRating, Assignment, Reading, StepRating
from rl_feedback.agreement import cohen_kappa

# Of fewer items that were rated twice nobody is said to guess, nor where fewer of them were first rated
# other than the usual: a single mark that moved would decide.
FEWEST_ITEMS, FEWEST_UNUSUAL = 10, 3
# Below this agreement is called slight at best (Landis and Koch, Biometrics 33:159, 1977).
SLIGHT = 0.2
_Pair = tuple[int, int]
_READER = "reading__assignment__reader__pseudonym"
_POINTS = ("relevance", "correctness", "completeness")
_FIRST = Coalesce("reading__assignment__repeat_of", "reading__assignment")


@dataclass(frozen=True)
class Twice:
    """Of the items that a reader rated twice: how many the same, and Cohen's kappa beyond chance."""

    num_items: int
    num_same: int
    kappa: float


def at_chance(readings: QuerySet[Reading]) -> Mapping[str, Twice]:
    """By reader, of the marks from 1 to 5. Kappa has quadratic weights: it is low, and its 95 % interval
    holds 0."""
    keys = readings.order_by().values("pk")
    pairs: dict[str, list[_Pair]] = defaultdict(list)
    for more in (
        _pairs(StepRating, keys, "step", "plausibility"),
        _pairs(AnswerRating, keys, "completion", *_POINTS),
    ):
        for reader, own in more.items():
            pairs[reader].extend(own)
    found = {reader: _twice(own) for reader, own in pairs.items()}
    return {reader: twice for reader, twice in found.items() if twice is not None}


def _pairs(model: Any, keys: Any, item: str, *fields: str) -> dict[str, list[_Pair]]:
    """By reader what was said of each item in a first reading and in its repeat."""
    repeats = Q(reading__assignment__kind=Assignment.Kind.REPEAT)
    repeated = Q(reading__assignment__repeat__isnull=False)
    rows = model.objects.filter(repeats | repeated, reading__in=keys).order_by("reading")
    said: dict[tuple[str, int, int, str], dict[bool, int]] = defaultdict(dict)
    for reader, first, kind, what, *values in rows.values_list(
        _READER, _FIRST, "reading__assignment__kind", item, *fields
    ):
        for field, value in zip(fields, values, strict=True):
            if value is not None:
                said[reader, first, what, field][kind == Assignment.Kind.REPEAT] = value
    pairs: dict[str, list[_Pair]] = defaultdict(list)
    for (reader, *_), both in said.items():
        if len(both) == 2:
            pairs[reader].append((both[False], both[True]))
    return pairs


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
