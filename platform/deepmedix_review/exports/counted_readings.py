"""Counts what the readings of an export are: for its description, whatever its formats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from deepmedix_review.exports.scope import CHOSEN, IN_USE, Scope
from deepmedix_review.reviews.models import Assignment

_FIRST = f"a.kind = '{Assignment.Kind.FIRST}'"


@dataclass(frozen=True)
class CountedReadings:
    """Of some cases. `num_first_reads` of the readings began on the film alone, `num_of_two` showed two
    outputs; `most_by_one` are of the reader with most."""

    num_readings: int
    num_readers: int
    num_cases: int
    num_studies: int
    num_patients: int
    num_repeats: int
    num_adjudications: int
    num_amendments: int
    num_first_reads: int
    num_of_two: int
    first_signed: datetime | None
    last_signed: datetime | None
    most_by_one: int


def count_readings(scope: Scope, roles: Sequence[str]) -> CountedReadings:
    original = "r.amends_id IS NULL"
    statement = f"""
    SELECT count(*), count(DISTINCT a.reader_id), count(DISTINCT c.id), count(DISTINCT s.id),
        count(DISTINCT s.patient_pseudonym),
        count(*) FILTER (WHERE {original} AND a.kind = '{Assignment.Kind.REPEAT}'),
        count(*) FILTER (WHERE {original} AND a.kind = '{Assignment.Kind.ADJUDICATION}'),
        count(*) FILTER (WHERE NOT {original}),
        count(*) FILTER (WHERE r.asks_first_read), count(*) FILTER (WHERE r.completion_b_id IS NOT NULL),
        min(r.signed_at), max(r.signed_at),
        coalesce((SELECT max(num) FROM (
            SELECT count(*) AS num {CHOSEN} {IN_USE} GROUP BY a.reader_id) AS by_reader), 0)
    {CHOSEN} {IN_USE}"""
    with connection.cursor() as cursor:
        cursor.execute(statement, scope.values(roles))
        return CountedReadings(*(cursor.fetchone() or ()))


def readers_per_case(scope: Scope, roles: Sequence[str]) -> Mapping[int, int]:
    """By how many readers gave a case its first reading, the number of cases."""
    statement = f"""
    SELECT num, count(*) FROM (
        SELECT count(DISTINCT a.reader_id) AS num {CHOSEN} {IN_USE} AND {_FIRST} GROUP BY c.id) AS by_case
    GROUP BY num ORDER BY num"""
    with connection.cursor() as cursor:
        cursor.execute(statement, scope.values(roles))
        return dict(cursor.fetchall())
