"""The signed readings of a reader study as columns of numbers, read from the database in one pass each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, RegionAnnotation, Vote

Numbers = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]
Chosen = npt.NDArray[np.bool_]

KINDS = tuple(Assignment.Kind.values)
ROLES = tuple(Case.Role.values)
VERDICTS = tuple(RegionAnnotation.Verdict.values)
SIDES = tuple(Vote.Side.values)
VOTES = tuple(Vote.Kind.values)
HARMS = ("none", "mild", "severe")
POINTS = ("relevance", "correctness", "completeness")

# A reading counts once signed, until a signed amendment takes its place, while its study is in use.
READINGS = """
FROM reviews_reading reading
JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id
JOIN reviews_case ON reviews_case.id = assignment.case_id
JOIN studies_study study ON study.id = reviews_case.study_id AND study.state = 'ready'
WHERE reviews_case.reader_study_id = %(reader_study)s AND reading.signed_at IS NOT NULL
  AND NOT EXISTS (
    SELECT FROM reviews_reading later WHERE later.amends_id = reading.id AND later.signed_at IS NOT NULL)
"""

# An amendment is made in seconds; the case took what its first reading took.
ACTIVE_SECONDS = """CASE WHEN reading.amends_id IS NULL THEN reading.active_seconds ELSE (
    SELECT original.active_seconds FROM reviews_reading original
    WHERE original.assignment_id = assignment.id AND original.amends_id IS NULL
    ORDER BY original.id LIMIT 1) END"""


@dataclass(frozen=True)
class Readings:
    """One row a reading, in the order of their keys. `completion_b` is 0 where one completion was shown;
    `kind` and `role` are places in KINDS and ROLES; `signed_at` is in seconds since 1970."""

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
    signed_at: Numbers

    def __len__(self) -> int:
        return len(self.key)

    def of(self, kind: Assignment.Kind, *roles: Case.Role) -> Chosen:
        """Which readings are of this kind, on cases of these roles (by default on data)."""
        wanted = [ROLES.index(role) for role in roles or (Case.Role.DATA,)]
        return np.asarray((self.kind == KINDS.index(kind)) & np.isin(self.role, wanted))


@dataclass(frozen=True)
class Ratings:
    """What was said, one row a rating: the place of its reading in `Readings`, the item, the value."""

    reading: Keys
    item: Keys
    value: Numbers

    def only(self, readings: Chosen) -> "Ratings":
        """Those of the chosen readings."""
        chosen = readings[self.reading]
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
    columns = read_columns(
        f"""SELECT reading.id AS c0, assignment.id AS c1, COALESCE(assignment.repeat_of_id, 0) AS c2,
        assignment.case_id AS c3, assignment.reader_id AS c4, {_place("assignment.kind", KINDS)} AS c5,
        {_place("reviews_case.role", ROLES)} AS c6, reading.completion_a_id AS c7,
        COALESCE(reading.completion_b_id, 0) AS c8, {ACTIVE_SECONDS} AS c9,
        EXTRACT(EPOCH FROM reading.signed_at) * 1000 AS c10 {READINGS}""",
        {"reader_study": reader_study.pk},
        num_columns=11,
    )
    columns = columns[:, np.argsort(columns[0])]
    key, assignment, repeat_of, case, reader, kind, role, completion_a, completion_b = columns[:9]
    return Readings(
        key,
        assignment,
        repeat_of,
        case,
        reader,
        kind,
        role,
        completion_a,
        completion_b,
        seconds=columns[9].astype(np.float64),
        signed_at=columns[10] / 1000,
    )


def load_said(reader_study: ReaderStudy, readings: Readings) -> Said:
    """Everything that has a column of its own, each table read once."""
    load = partial(_ratings, reader_study, readings)
    answers = load("reviews_answerrating", "completion_id", (*POINTS, _place("harm", HARMS)))
    votes = load("reviews_vote", _place("kind", VOTES), (_place("side", SIDES),))[0]
    by_kind = {
        kind: Ratings(votes.reading[of_kind], readings.case[votes.reading[of_kind]], votes.value[of_kind])
        for place, kind in enumerate(VOTES)
        for of_kind in (votes.item == place,)
    }
    return Said(
        plausibility=load("reviews_steprating", "step_id", ("plausibility",))[0],
        verdicts=load("reviews_regionannotation", "region_id", (_place("verdict", VERDICTS),))[0],
        answers=dict(zip((*POINTS, "harm"), answers, strict=True)),
        votes=by_kind,
    )


def load_criterion(
    reader_study: ReaderStudy, readings: Readings, criterion: int, values: Sequence[str | int]
) -> Ratings:
    """Places in `values`; the item is the step, region, completion or case that was asked about."""
    found = _ratings(
        reader_study,
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
    readers, row = np.unique(readings.reader[ratings.reading], return_inverse=True)
    items, column = np.unique(ratings.item, return_inverse=True)
    table = np.full((len(readers), len(items)), np.nan)
    table[row, column] = ratings.value
    return table


def as_slots(ratings: Ratings) -> Numbers:
    """Slots x items: the ratings of each item one below the other, whoever gave them. It stays small where
    hundreds of readers share the items."""
    order = np.argsort(ratings.item, kind="stable")
    _, first, counts = np.unique(ratings.item[order], return_index=True, return_counts=True)
    table = np.full((int(counts.max(initial=0)), len(counts)), np.nan)
    column = np.repeat(np.arange(len(counts)), counts)
    table[np.arange(len(order)) - np.repeat(first, counts), column] = ratings.value[order]
    return table


def reader_names(readings: Readings) -> dict[int, str]:
    """Pseudonyms by key."""
    found = User.objects.filter(pk__in=np.unique(readings.reader).tolist())
    return dict(found.values_list("pk", "pseudonym"))


def _ratings(
    reader_study: ReaderStudy,
    readings: Readings,
    table: str,
    item: str,
    values: Sequence[str],
    where: str = "",
    params: Mapping[str, Any] | None = None,
) -> tuple[Ratings, ...]:
    """For each of the columns what was said in it; what was left out is -1 on its way."""
    said = ", ".join(f"COALESCE({value}, -1) AS c{place}" for place, value in enumerate(values, start=2))
    columns = read_columns(
        f"""SELECT said.reading_id AS c0, {item} AS c1, {said} FROM {table} said
        WHERE said.reading_id IN (SELECT reading.id {READINGS}) {where}""",
        {"reader_study": reader_study.pk, **(params or {})},
        num_columns=2 + len(values),
    )
    # Signed between two queries: the next look counts it.
    columns = columns[:, np.isin(columns[0], readings.key)]
    place = np.searchsorted(readings.key, columns[0])
    return tuple(
        Ratings(place[given], columns[1][given], value[given].astype(np.float64))
        for value in columns[2:]
        for given in (value >= 0,)
    )


def _place(column: str, values: Sequence[str]) -> str:
    """SQL for the place of a column's value among known words, NULL for any other."""
    cases = " ".join(f"WHEN '{value}' THEN {place}" for place, value in enumerate(values))
    return f"CASE {column} {cases} END"


def read_columns(query: str, params: Mapping[str, Any], *, num_columns: int) -> Keys:
    """Columns c0, c1 … of a query of whole numbers, none of them null, as an array of columns x rows.

    Each column comes as one binary array: a million rows take a third of a second, and no object is made
    for any of them (PostgreSQL's `array_send`: dimensions, flags, type, length and lower bound, 4 bytes
    each; then for each element its length, 4 bytes, and its 8 bytes).
    """
    sent = ", ".join(f"array_send(array_agg(c{place}::bigint))" for place in range(num_columns))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sent} FROM ({query}) AS rows", params)
        columns = cursor.fetchone()
    if columns[0] is None:
        return np.empty((num_columns, 0), dtype=np.int64)
    element = np.dtype([("length", ">i4"), ("value", ">i8")])
    return np.stack(
        [np.frombuffer(column, element, offset=20)["value"].astype(np.int64) for column in columns]
    )
