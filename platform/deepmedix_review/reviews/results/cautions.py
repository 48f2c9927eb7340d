"""Which readers to look at before they are believed: who says one thing, guesses, overlooks or hurries."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from deepmedix_review.reviews.designs.haste import Haste
from deepmedix_review.reviews.models import Assignment, Case, Reading, RegionAnnotation, StepRating
from deepmedix_review.reviews.results.columns import Chosen, distinct
from deepmedix_review.reviews.results.haste import hasty
from deepmedix_review.reviews.results.readings import (
    KINDS,
    POINTS,
    SIDES,
    VERDICTS,
    Ratings,
    Readings,
    Said,
    load_these,
    reader_names,
)
from deepmedix_review.reviews.results.reliability import SEEN_THROUGH
from deepmedix_review.reviews.results.shown import Shown
from deepmedix_review.reviews.results.twice import at_chance
from rl_feedback.raters.sameness import is_by_chance, smoothed_share

_Counts = Mapping[int, Counter[str]]
# Of plausibility and the points of answers, by their number.
_MARKS = ("0", "1", "2", "3", "4", "5")


@dataclass(frozen=True)
class Caution:
    """`says` are sentences without their subject: "gave 4 and nothing else, 21 times"."""

    reader: str
    says: tuple[str, ...]


@dataclass(frozen=True)
class Habits:
    """By reader what the database is asked for: pseudonyms; how many alterations of controls were seen
    through, of how many shown; who reads too fast."""

    names: Mapping[int, str]
    controls: Mapping[int, tuple[int, int]]
    hasty: Mapping[int, Haste]


def cautions_on(readings: QuerySet[Reading]) -> tuple[Caution, ...]:
    """Of the readers of these readings, controls and repeats among them; the queries don't grow with them."""
    these = load_these(np.sort(np.array(readings.order_by().values_list("pk", flat=True), dtype=np.int64)))
    return cautions_of(these, Said(these), load_habits(these, Shown(these)))


def load_habits(readings: Readings, shown: Shown) -> Habits:
    """Of the readers of what was loaded: of data, controls and repeats."""
    return Habits(
        names=reader_names(readings),
        controls=_controls(readings),
        hasty=hasty(readings.only(_counting(readings)), shown),
    )


def _counting(readings: Readings) -> Chosen:
    """Who settles what others dispute answers that alone, of few cases, and needs less time than a whole
    reading."""
    return np.asarray(
        readings.of_roles(Case.Role.DATA, Case.Role.CONTROL)
        & (readings.kind != KINDS.index(Assignment.Kind.ADJUDICATION))
    )


def cautions_of(readings: Readings, said: Said, habits: Habits) -> tuple[Caution, ...]:
    """Of the readers of what was loaded. Nothing here asks the database for what `said` has loaded."""
    counts = _counting(readings)

    def counted(ratings: Iterable[Ratings], words: Sequence[str]) -> _Counts:
        return _counted(readings, (some.only(counts) for some in ratings), words)

    points = (said.plausibility, *(said.answers[name] for name in POINTS))
    says: dict[int, list[str]] = defaultdict(list)
    for found, sentence in (
        (counted(points, _MARKS), "gave the rating {} and nothing else, {} times"),
        (counted([said.verdicts], VERDICTS), "said “{}” of all {} regions"),
    ):
        for reader, value, number in _only_one(found):
            says[reader].append(sentence.format(value, number))
    for reader, side, number in _only_one_side(counted(said.votes.values(), SIDES)):
        says[reader].append(f"voted {number} times for output {side.upper()}, on one side always")
    for reader, (seen, number) in habits.controls.items():
        if number >= 2 and seen * 2 < number:
            says[reader].append(f"saw through {seen} of {number} alterations of control cases")
    for reader, again in at_chance(readings, [some.only(counts) for some in points]).items():
        says[reader].append(
            f"rated hidden repeats no more alike than by chance: {again.num_same} of {again.num_items} marks "
            f"the same, kappa {again.kappa:.2f}"
        )
    for reader, haste in habits.hasty.items():
        says[reader].append(str(haste))
    return tuple(
        Caution(habits.names[reader], tuple(says[reader]))
        for reader in sorted(says, key=lambda key: habits.names[key])
    )


def _counted(readings: Readings, ratings: Iterable[Ratings], words: Sequence[str]) -> _Counts:
    """By reader how often each value was given, of all these together; a value is a place in `words`."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for some in ratings:
        readers, place = distinct(readings.reader[some.reading])
        number = np.bincount(
            place * len(words) + some.value.astype(np.int64), minlength=len(readers) * len(words)
        )
        for reader, of_reader in zip(readers.tolist(), number.reshape(-1, len(words)).tolist(), strict=True):
            counts[reader].update(
                {word: times for word, times in zip(words, of_reader, strict=True) if times}
            )
    return counts


def _only_one(counts: _Counts) -> Iterable[tuple[int, str, int]]:
    """Who says one thing alone, more often than who answers like the others would by chance."""
    total: Counter[str] = Counter()
    for own in counts.values():
        total.update(own)
    for reader, own in counts.items():
        others = total - own
        if len(own) != 1 or not others:
            continue
        [(value, number)] = own.items()
        if not is_by_chance(number, smoothed_share(others[value], others.total())):
            yield reader, value, number


def _only_one_side(counts: _Counts) -> Iterable[tuple[int, str, int]]:
    """Sides are drawn by lot, so who looks at the outputs votes for either half the time."""
    for reader, own in counts.items():
        decided = {side: own[side] for side in ("a", "b") if own[side]}
        if len(decided) == 1:
            [(side, number)] = decided.items()
            if not is_by_chance(number, 0.5):
                yield reader, side, number


def _controls(readings: Readings) -> Mapping[int, tuple[int, int]]:
    """By reader: how many alterations were seen through, of how many shown."""
    keys = readings.key[readings.of(Assignment.Kind.FIRST, Case.Role.CONTROL)].tolist()
    rows = list(
        Reading.objects.filter(pk__in=keys)
        .order_by()
        .values_list("pk", "assignment__reader", "assignment__case__known_answer")
    )
    low = set(
        StepRating.objects.filter(reading__in=keys, plausibility__lte=SEEN_THROUGH).values_list(
            "reading", "step__uid"
        )
    )
    refused = set(
        RegionAnnotation.objects.filter(reading__in=keys)
        .exclude(verdict=RegionAnnotation.Verdict.FITS)
        .values_list("reading", "region__uid")
    )
    found: dict[int, tuple[int, int]] = {}
    for key, reader, known in rows:
        for what in (known or {}).get("alterations", []):
            is_seen = (key, UUID(what["step"])) in low or bool(
                what.get("region") and (key, UUID(what["region"])) in refused
            )
            seen, number = found.get(reader, (0, 0))
            found[reader] = (seen + is_seen, number + 1)
    return found
