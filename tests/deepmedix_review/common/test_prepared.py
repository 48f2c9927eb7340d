"""Statements of every click are planned once a connection, and are Django's in all else."""

import psycopg
import pytest
from django.db import DataError, connection

from deepmedix_review.common.prepared import prepared_cursor

pytestmark = pytest.mark.django_db

TWICE = "SELECT 2 * %s::bigint"


def num_prepared(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", [statement])
        [number] = cursor.fetchone()
    return int(number)


def test_a_statement_is_prepared_once_whatever_its_values() -> None:
    for value in (1, 2, 3, 4):
        with prepared_cursor() as cursor:
            cursor.execute(TWICE, [value])
            assert cursor.fetchone() == (2 * value,)
    assert num_prepared("SELECT 2 * $1::bigint") == 1


def test_what_django_asks_otherwise_is_not_prepared() -> None:
    for value in (1, 2, 3):
        with prepared_cursor() as cursor:
            cursor.execute(TWICE, [value])
        with connection.cursor() as cursor:
            cursor.execute("SELECT 3 * %s", [value])
    assert num_prepared("SELECT 3 *%") == 0


def test_queries_are_counted_and_errors_are_djangos(django_assert_num_queries) -> None:
    with django_assert_num_queries(1), prepared_cursor() as cursor:
        cursor.execute(TWICE, [5])
    with pytest.raises(DataError), prepared_cursor() as cursor:
        cursor.execute("SELECT 1 / %s::bigint", [0])


@pytest.mark.django_db(transaction=True)
def test_a_request_after_postgresql_dropped_the_connection_gets_a_new_one() -> None:
    with prepared_cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [dropped] = cursor.fetchone()
    parameters = connection.get_connection_params()
    where = {name: parameters[name] for name in ("host", "user", "dbname")}
    with psycopg.connect(**where, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [dropped])
    # As Django does at the start of each request.
    connection.close_if_unusable_or_obsolete()
    with prepared_cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (dropped,)
