"""The signed readings of a reader study and all that was said in them, as columns of numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from django.db import connection

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

# Each table by itself: put together here, by looking the keys up, they take half of the time of a join.
READINGS = {
    "key": "id",
    "assignment": "assignment_id",
    "completion_a": "completion_a_id",
    "completion_b": "COALESCE(completion_b_id, 0)",
    "signed_at": "1000000 * date_part('epoch', signed_at)",
    # Small numbers travel as one: from the left the seconds, and two that are 0 or 1.
    "facts": "(active_seconds::bigint << 2) | (asks_first_read::int << 1) | (amends_id IS NOT NULL)::int",
}
ASSIGNMENTS = {
    "key": "id",
    "repeat_of": "COALESCE(repeat_of_id, 0)",
    "case": "case_id",
    "reader": "reader_id",
    "kind": place_in("kind", KINDS),
}
CASES = {"key": "id", "reader_study": "reader_study_id", "role": place_in("role", ROLES)}
IN_USE = "study_id IN (SELECT id FROM studies_study WHERE state = 'ready')"

# An amendment is made in seconds; the case took what its first reading took.
AMENDED = """
SELECT amendment.id AS c0, amendment.amends_id AS c1, original.active_seconds AS c2
FROM reviews_reading amendment
JOIN reviews_reading original
  ON original.assignment_id = amendment.assignment_id AND original.amends_id IS NULL
WHERE amendment.id = ANY(%(amendments)s)
"""

# Of an item up to 4 values travel with the reading and the item as one number, 0 for what was left out: with
# a number less in each row PostgreSQL needs a third less time. A criterion has 20 options at most.
BITS_OF_A_VALUE = 5
BITS_OF_A_NUMBER = 63


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
        rows = np.flatnonzero(chosen)
        return Ratings(self.reading[rows], self.item[rows], self.value[rows])


class Said:
    """All ratings that have a column of their own, each table read once, when it is first asked for."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    @cached_property
    def plausibility(self) -> Ratings:
        return self._ratings("reviews_steprating", "step_id", ("plausibility",))[0]

    @cached_property
    def verdicts(self) -> Ratings:
        verdict = place_in("verdict", VERDICTS)
        return self._ratings("reviews_regionannotation", "region_id", (verdict,))[0]

    @cached_property
    def answers(self) -> Mapping[str, Ratings]:
        """By criterion, harm as a place in HARMS."""
        columns = (*POINTS, place_in("harm", HARMS))
        found = self._ratings("reviews_answerrating", "completion_id", columns)
        return dict(zip((*POINTS, "harm"), found, strict=True))

    @cached_property
    def votes(self) -> Mapping[str, Ratings]:
        """By kind, with the case as item."""
        side, of_kind = place_in("side", SIDES), place_in("kind", VOTES)
        found = self._ratings("reviews_vote", of_kind, (side,))[0]
        votes = replace(found, item=self._readings.case[found.reading])
        return {kind: votes.only_rows(found.item == place) for place, kind in enumerate(VOTES)}

    def of_criterion(self, criterion: int, values: Sequence[str | int]) -> Ratings:
        """Places in `values`; the item is the step, region, completion or case that was asked about."""
        found = self._ratings(
            "reviews_criterionrating",
            "COALESCE(region_id, step_id, completion_id, 0)",
            ("array_position(%(values)s::text[], said.value #>> '{}') - 1",),
            "AND said.criterion_id = %(criterion)s",
            {"criterion": criterion, "values": [str(value) for value in values]},
        )[0]
        item = np.where(found.item == 0, self._readings.case[found.reading], found.item)
        return replace(found, item=item)

    @cached_property
    def _largest_item(self) -> int:
        """What is rated has no key above this."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT GREATEST((SELECT max(id) FROM reasoning_region), (SELECT max(id) FROM "
                "reasoning_reasoningstep), (SELECT max(id) FROM reasoning_completion), 0)"
            )
            return int(cursor.fetchone()[0])

    def _ratings(
        self,
        table: str,
        item: str,
        values: Sequence[str],
        where: str = "",
        params: Mapping[str, Any] | None = None,
    ) -> tuple[Ratings, ...]:
        """For each of the columns what was said in it."""
        readings = self._readings
        if not len(readings):
            return tuple(_NO_RATINGS for _ in values)
        first = int(readings.key[0])
        shifts = [BITS_OF_A_VALUE * place for place in range(len(values) + 1)]
        # Added up, for each step between is a call of a function for each row.
        packed = " + ".join(
            (
                f"((said.reading_id - {first}) << {shifts[-1]})",
                *(
                    f"(COALESCE({value} + 1, 0){f' << {shift}' if shift else ''})"
                    for value, shift in zip(values, shifts, strict=False)
                ),
            )
        )
        num_bits = (int(readings.key[-1]) - first).bit_length() + shifts[-1]
        source = f"FROM {table} said WHERE {near('said.reading_id', readings.key)} {where}"
        if num_bits + self._largest_item.bit_length() <= BITS_OF_A_NUMBER:
            query = f"SELECT (({item})::bigint << {num_bits}) + {packed} AS c0 {source}"
            [both] = read_columns(query, params, num_columns=1)
            said, items = both & ((1 << num_bits) - 1), both >> num_bits
        else:
            said, items = read_columns(f"SELECT {packed} AS c0, {item} AS c1 {source}", params, num_columns=2)
        # What was signed between two queries, the next look counts.
        found, place = places_of((said >> shifts[-1]) + first, readings.key)
        if not found.all():
            said, items = said[found], items[found]
        ratings = []
        for shift in shifts[:-1]:
            value = (said >> shift) & ((1 << BITS_OF_A_VALUE) - 1)
            given = value > 0
            if given.all():
                # Columns side by side keep the same arrays: who needs their items looks them up once.
                ratings.append(Ratings(place, items, value - 1.0))
                continue
            ratings.append(Ratings(place[given], items[given], value[given] - 1.0))
        return tuple(ratings)


_NO_RATINGS = Ratings(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def load_readings(reader_study: ReaderStudy) -> Readings:
    """All that count: a reading does once signed, until a signed amendment takes its place, while its study
    is in use."""
    cases = _table("reviews_case", CASES, f"reader_study_id = {int(reader_study.pk)} AND {IN_USE}")
    assignments = _table("reviews_assignment", ASSIGNMENTS, near("case_id", cases["key"]))
    signed = _table(
        "reviews_reading", READINGS, f"{near('assignment_id', assignments['key'])} AND signed_at IS NOT NULL"
    )
    readings, is_amended = _joined(signed, assignments, cases)
    return readings.only(~is_amended)


def load_these(keys: Keys) -> Readings:
    """The signed ones of these ascending keys, whatever study they are of."""
    signed = _table("reviews_reading", READINGS, f"{near('id', keys)} AND signed_at IS NOT NULL")
    wanted = np.isin(signed["key"], keys)
    signed = {name: column[wanted] for name, column in signed.items()}
    assignments = _table("reviews_assignment", ASSIGNMENTS, near("id", distinct(signed["assignment"])[0]))
    cases = _table("reviews_case", CASES, near("id", distinct(assignments["case"])[0]))
    return _joined(signed, assignments, cases)[0]


def _table(table: str, columns: Mapping[str, str], where: str) -> dict[str, Keys]:
    """These columns of the rows of a table, in the order of their keys."""
    listed = ", ".join(f"{column} AS c{place}" for place, column in enumerate(columns.values()))
    read = read_columns(f"SELECT {listed} FROM {table} WHERE {where}", num_columns=len(columns))
    order = in_order(read[0])
    return dict(zip(columns, read[:, order], strict=True))


def _joined(
    signed: Mapping[str, Keys], assignments: Mapping[str, Keys], cases: Mapping[str, Keys]
) -> tuple[Readings, Chosen]:
    """The signed readings of these assignments of these cases, and which of them another of them amends."""
    of_case, case = places_of(assignments["case"], cases["key"])
    assigned = {name: column[of_case] for name, column in assignments.items()}
    found, place = places_of(signed["assignment"], assigned["key"])
    columns = {name: column[found] for name, column in signed.items()}
    case = case[place]
    facts = columns.pop("facts")
    seconds = (facts >> 2).astype(np.float64)
    is_amended = np.zeros(len(facts), dtype=np.bool_)
    amendments = np.flatnonzero(facts & 1)
    if len(amendments):
        keys = columns["key"]
        rows = read_columns(AMENDED, {"amendments": keys[amendments].tolist()}, num_columns=3)
        is_amended = np.isin(keys, rows[1])
        took = dict(zip(rows[0].tolist(), rows[2].tolist(), strict=True))
        seconds[amendments] = [took[key] for key in keys[amendments].tolist()]
    readings = Readings(
        seconds=seconds,
        asks_first_read=facts >> 1 & 1,
        repeat_of=assigned["repeat_of"][place],
        case=assigned["case"][place],
        reader=assigned["reader"][place],
        kind=assigned["kind"][place],
        reader_study=cases["reader_study"][case],
        role=cases["role"][case],
        **columns,
    )
    return readings, is_amended


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
