"""The signed readings of a reader study and all that was said in them, as columns of numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, RegionAnnotation, Vote
from deepmedix_review.reviews.results.columns import (
    Chosen,
    Keys,
    Numbers,
    distinct,
    in_order,
    near,
    place_in,
    places_of,
    read_columns,
)

KINDS = tuple(Assignment.Kind.values)
ROLES = tuple(Case.Role.values)
VERDICTS = tuple(RegionAnnotation.Verdict.values)
SIDES = tuple(Vote.Side.values)
VOTES = tuple(Vote.Kind.values)
HARMS = ("none", "mild", "severe")
POINTS = ("relevance", "correctness", "completeness")

WITH_CASES = """
FROM reviews_reading reading
JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id
JOIN reviews_case ON reviews_case.id = assignment.case_id
"""
# A reading counts once signed, until a signed amendment takes its place, while its study is in use.
READINGS = f"""
{WITH_CASES}
JOIN studies_study study ON study.id = reviews_case.study_id AND study.state = 'ready'
WHERE reviews_case.reader_study_id = %(reader_study)s AND reading.signed_at IS NOT NULL
  AND NOT EXISTS (
    SELECT FROM reviews_reading later WHERE later.amends_id = reading.id AND later.signed_at IS NOT NULL)
"""

# An amendment is made in seconds; the case took what its first reading took.
FIRST_SECONDS = """
SELECT assignment_id AS c0, active_seconds AS c1 FROM reviews_reading
WHERE assignment_id = ANY(%(assignments)s) AND amends_id IS NULL
"""

COLUMNS = {
    "key": "reading.id",
    "assignment": "assignment.id",
    "repeat_of": "COALESCE(assignment.repeat_of_id, 0)",
    "case": "assignment.case_id",
    "reader": "assignment.reader_id",
    "completion_a": "reading.completion_a_id",
    "completion_b": "COALESCE(reading.completion_b_id, 0)",
    "signed_at": "1000000 * date_part('epoch', reading.signed_at)",
    "reader_study": "reviews_case.reader_study_id",
    # Small numbers travel as one: from the left the seconds, 3 bits each of kind and role, and two that are 0
    # or 1.
    "facts": f"(reading.active_seconds::bigint << 8) | ({place_in('assignment.kind', KINDS)} << 5)"
    f" | ({place_in('reviews_case.role', ROLES)} << 2)"
    " | (reading.asks_first_read::int << 1) | (reading.amends_id IS NOT NULL)::int",
}

# The reading's key and up to 4 values travel as one number, 0 for what was left out: with a number less in
# each row PostgreSQL needs a quarter less time. A criterion has 20 options at most.
BITS_OF_A_VALUE = 6


@dataclass(frozen=True)
class Readings:
    """One row a reading, in the order of their keys. `completion_b` is 0 where one completion was shown;
    `kind` and `role` are places in KINDS and ROLES; `signed_at` is in microseconds since 1970. The seconds of
    an amendment are those of the reading that it amends."""

    key: Keys
    assignment: Keys
    repeat_of: Keys
    case: Keys
    reader: Keys
    kind: Keys
    role: Keys
    completion_a: Keys
    completion_b: Keys
    seconds: Numbers
    signed_at: Keys
    reader_study: Keys
    asks_first_read: Keys

    def __len__(self) -> int:
        return len(self.key)

    def only(self, chosen: Chosen) -> "Readings":
        return (
            self
            if chosen.all()
            else Readings(**{name: column[chosen] for name, column in vars(self).items()})
        )

    def of(self, kind: Assignment.Kind, *roles: Case.Role) -> Chosen:
        """Which readings are of this kind, on cases of these roles (by default on data)."""
        return np.asarray((self.kind == KINDS.index(kind)) & self.of_roles(*roles or (Case.Role.DATA,)))

    def of_roles(self, *roles: Case.Role) -> Chosen:
        """Which readings are of cases of these roles."""
        return np.asarray(np.isin(self.role, [ROLES.index(role) for role in roles]))


@dataclass(frozen=True)
class Ratings:
    """What was said, one row a rating: the place of its reading in `Readings`, the item, the value."""

    reading: Keys
    item: Keys
    value: Numbers

    def only(self, readings: Chosen) -> "Ratings":
        """Those of the chosen readings."""
        if readings.all():
            return self
        return self.only_rows(readings[self.reading])

    def only_rows(self, chosen: Chosen) -> "Ratings":
        return Ratings(self.reading[chosen], self.item[chosen], self.value[chosen])


@dataclass(frozen=True)
class Said:
    """All ratings that have a column of their own. `answers` by criterion, harm as a place in HARMS; `votes`
    by kind, with the case as item."""

    plausibility: Ratings
    verdicts: Ratings
    answers: Mapping[str, Ratings]
    votes: Mapping[str, Ratings]


def load_readings(reader_study: ReaderStudy) -> Readings:
    """All that count."""
    return _readings(READINGS, {"reader_study": reader_study.pk})


def load_these(keys: Keys) -> Readings:
    """The signed ones of these ascending keys, whatever study they are of."""
    found = _readings(f"{WITH_CASES} WHERE {near('reading.id', keys)} AND reading.signed_at IS NOT NULL")
    return found.only(np.isin(found.key, keys))


def _readings(source: str, params: Mapping[str, Any] | None = None) -> Readings:
    columns = ", ".join(f"{column} AS c{place}" for place, column in enumerate(COLUMNS.values()))
    read = read_columns(f"SELECT {columns} {source}", params, num_columns=len(COLUMNS))
    by_name = dict(zip(COLUMNS, read[:, in_order(read[0])], strict=True))
    facts = by_name.pop("facts")
    seconds = (facts >> 8).astype(np.float64)
    amended = np.flatnonzero(facts & 1)
    if len(amended):
        took = dict(
            read_columns(
                FIRST_SECONDS, {"assignments": by_name["assignment"][amended].tolist()}, num_columns=2
            ).T.tolist()
        )
        seconds[amended] = [took[assignment] for assignment in by_name["assignment"][amended].tolist()]
    return Readings(
        seconds=seconds,
        kind=facts >> 5 & 7,
        role=facts >> 2 & 7,
        asks_first_read=facts >> 1 & 1,
        **by_name,
    )


def load_said(readings: Readings) -> Said:
    """Everything that has a column of its own, each table read once."""
    load = partial(_ratings, readings)
    answers = load("reviews_answerrating", "completion_id", (*POINTS, place_in("harm", HARMS)))
    votes = load("reviews_vote", place_in("kind", VOTES), (place_in("side", SIDES),))[0]
    by_kind = {
        kind: Ratings(votes.reading[of_kind], readings.case[votes.reading[of_kind]], votes.value[of_kind])
        for place, kind in enumerate(VOTES)
        for of_kind in (votes.item == place,)
    }
    return Said(
        plausibility=load("reviews_steprating", "step_id", ("plausibility",))[0],
        verdicts=load("reviews_regionannotation", "region_id", (place_in("verdict", VERDICTS),))[0],
        answers=dict(zip((*POINTS, "harm"), answers, strict=True)),
        votes=by_kind,
    )


def load_criterion(readings: Readings, criterion: int, values: Sequence[str | int]) -> Ratings:
    """Places in `values`; the item is the step, region, completion or case that was asked about."""
    found = _ratings(
        readings,
        "reviews_criterionrating",
        "COALESCE(region_id, step_id, completion_id, 0)",
        ("array_position(%(values)s::text[], said.value #>> '{}') - 1",),
        "AND said.criterion_id = %(criterion)s",
        {"criterion": criterion, "values": [str(value) for value in values]},
    )[0]
    item = np.where(found.item == 0, readings.case[found.reading], found.item)
    return Ratings(found.reading, item, found.value)


def as_table(readings: Readings, ratings: Ratings) -> Numbers:
    """Readers x items, NaN for gaps. Where a reader rated an item twice the later reading counts."""
    readers, row = distinct(readings.reader[ratings.reading])
    items, column = distinct(ratings.item)
    table = np.full((len(readers), len(items)), np.nan)
    table[row, column] = ratings.value
    return table


def as_slots(ratings: Ratings) -> Numbers:
    """Slots x items: the ratings of each item one below the other, whoever gave them. It stays small where
    hundreds of readers share the items."""
    items, place = distinct(ratings.item)
    order = in_order(place)
    counts = np.bincount(place, minlength=len(items))
    table = np.full((int(counts.max(initial=0)), len(counts)), np.nan)
    first = np.cumsum(counts) - counts
    column = place[order]
    table[np.arange(len(order)) - first[column], column] = ratings.value[order]
    return table


def reader_names(readings: Readings) -> dict[int, str]:
    return pseudonyms(distinct(readings.reader)[0].tolist())


def pseudonyms(readers: Sequence[int]) -> dict[int, str]:
    """By key."""
    return dict(User.objects.filter(pk__in=readers).values_list("pk", "pseudonym"))


def _ratings(
    readings: Readings,
    table: str,
    item: str,
    values: Sequence[str],
    where: str = "",
    params: Mapping[str, Any] | None = None,
) -> tuple[Ratings, ...]:
    """For each of the columns what was said in it."""
    shifts = [BITS_OF_A_VALUE * place for place in range(len(values) + 1)]
    packed = " | ".join(
        (
            f"(said.reading_id << {shifts[-1]})",
            *(
                f"((COALESCE({value}, -1) + 1)::bigint << {shift})"
                for value, shift in zip(values, shifts, strict=False)
            ),
        )
    )
    said, items = read_columns(
        f"SELECT {packed} AS c0, {item} AS c1 FROM {table} said "
        f"WHERE {near('said.reading_id', readings.key)} {where}",
        params,
        num_columns=2,
    )
    # What was signed between two queries, the next look counts.
    found, place = places_of(said >> shifts[-1], readings.key)
    said, items = said[found], items[found]
    ratings = []
    for shift in shifts[:-1]:
        value = (said >> shift) & ((1 << BITS_OF_A_VALUE) - 1)
        given = value > 0
        ratings.append(Ratings(place[given], items[given], value[given] - 1.0))
    return tuple(ratings)
