"""The signed readings of a reader study as columns of numbers, read from the database in one pass each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
HARMS = ("none", "mild", "severe")

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


def load_readings(reader_study: ReaderStudy) -> Readings:
    table = _copied(
        f"""SELECT reading.id, assignment.id, COALESCE(assignment.repeat_of_id, 0), assignment.case_id,
        assignment.reader_id, {_place("assignment.kind", KINDS)}, {_place("reviews_case.role", ROLES)},
        reading.completion_a_id, COALESCE(reading.completion_b_id, 0), reading.active_seconds,
        EXTRACT(EPOCH FROM reading.signed_at) {READINGS} ORDER BY reading.id""",
        reader_study,
        num_columns=11,
    )
    keys = table[:, :9].astype(np.int64)
    key, assignment, repeat_of, case, reader, kind, role, completion_a, completion_b = keys.T
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
        seconds=table[:, 9],
        signed_at=table[:, 10],
    )


def load_plausibility(reader_study: ReaderStudy, readings: Readings) -> Ratings:
    return _ratings(readings, "reviews_steprating", "step_id", "plausibility", reader_study)


def load_answer_rating(reader_study: ReaderStudy, readings: Readings, column: str) -> Ratings:
    """`column` is relevance, correctness, completeness or harm, which is 0, 1 or 2."""
    value = _place("harm", HARMS) if column == "harm" else column
    return _ratings(readings, "reviews_answerrating", "completion_id", value, reader_study)


def load_verdicts(reader_study: ReaderStudy, readings: Readings) -> Ratings:
    return _ratings(
        readings, "reviews_regionannotation", "region_id", _place("verdict", VERDICTS), reader_study
    )


def load_votes(reader_study: ReaderStudy, readings: Readings, kind: Vote.Kind) -> Ratings:
    """Places in SIDES; the item is the case."""
    found = _ratings(
        readings, "reviews_vote", "0", _place("side", SIDES), reader_study, f"AND said.kind = '{kind.value}'"
    )
    return Ratings(found.reading, readings.case[found.reading], found.value)


def load_criterion(
    reader_study: ReaderStudy, readings: Readings, criterion: int, values: Sequence[str | int]
) -> Ratings:
    """Places in `values`; the item is the step, region, completion or case that was asked about."""
    known = ", ".join("%({})s".format(f"value{place}") for place in range(len(values)))
    found = _ratings(
        readings,
        "reviews_criterionrating",
        "COALESCE(region_id, step_id, completion_id, 0)",
        f"array_position(ARRAY[{known}]::text[], said.value #>> '{{}}') - 1" if values else "NULL",
        reader_study,
        "AND said.criterion_id = %(criterion)s",
        {"criterion": criterion} | {f"value{place}": str(value) for place, value in enumerate(values)},
    )
    of_case = found.item == 0
    return Ratings(found.reading, np.where(of_case, readings.case[found.reading], found.item), found.value)


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
    readings: Readings,
    table: str,
    item: str,
    value: str,
    reader_study: ReaderStudy,
    where: str = "",
    params: Mapping[str, Any] | None = None,
) -> Ratings:
    rows = _copied(
        f"""SELECT said.reading_id, {item}, {value} FROM {table} said
        WHERE said.reading_id IN (SELECT reading.id {READINGS}) AND ({value}) IS NOT NULL {where}
        ORDER BY said.reading_id""",
        reader_study,
        num_columns=3,
        params=params,
    )
    key = rows[:, 0].astype(np.int64)
    place = np.searchsorted(readings.key, key)
    # Signed between the two queries: the next look counts it.
    known = (
        (place < len(readings)) & (readings.key[np.minimum(place, max(0, len(readings) - 1))] == key)
        if len(readings)
        else np.zeros(len(key), dtype=bool)
    )
    return Ratings(place[known], rows[known, 1].astype(np.int64), rows[known, 2])


def _place(column: str, values: Sequence[str]) -> str:
    """SQL for the place of a column's value among known words, NULL for any other."""
    cases = " ".join(f"WHEN '{value}' THEN {place}" for place, value in enumerate(values))
    return f"CASE {column} {cases} END"


def _copied(
    query: str, reader_study: ReaderStudy, *, num_columns: int, params: Mapping[str, Any] | None = None
) -> Numbers:
    """The rows of a query of numbers, by COPY: a million rows take a second and no Python objects."""
    parts = []
    with connection.cursor() as cursor:
        statement = f"COPY ({query}) TO STDOUT (FORMAT csv, DELIMITER ' ', NULL 'nan')"
        with cursor.copy(statement, {"reader_study": reader_study.pk, **(params or {})}) as copy:
            parts = [bytes(part) for part in copy]
    return np.fromstring(b"".join(parts).decode(), sep=" ").reshape(-1, num_columns)
