"""Whole columns come out of the database as they are, and keys are found whether they lie close or far."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmedix_review.reviews.results.columns import (
    ROWS_READ_FOR_ONE,
    distinct,
    distinct_rows,
    in_order,
    near,
    places_of,
    read_columns,
)

CLOSE = np.array([3, 4, 6, 7, 9])
FAR = np.array([3, 400, 999])


@pytest.mark.django_db
def test_columns_come_as_they_are_and_may_be_empty() -> None:
    extremes = "(VALUES (-1, 2::bigint), (9223372036854775807, 0)) AS rows(a, b)"
    found = read_columns(
        f"SELECT a AS c0, b AS c1 FROM {extremes} WHERE b <> %(not)s", {"not": 5}, num_columns=2
    )
    assert found.tolist() == [[-1, 9223372036854775807], [2, 0]]
    none = read_columns("SELECT 1 AS c0, 2 AS c1, 3 AS c2 WHERE false", num_columns=3)
    assert none.shape == (3, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(("keys", "num_read"), [(CLOSE, 7), (FAR, 3), (CLOSE[:0], 0)])
def test_wanted_rows_are_found_and_those_between_are_left_out(keys: np.ndarray, num_read: int) -> None:
    rows = "generate_series(1, 1000) AS rows(n)"
    [read] = read_columns(f"SELECT n AS c0 FROM {rows} WHERE {near('n', keys)}", num_columns=1)
    assert len(read) == num_read
    is_wanted, place = places_of(read, keys)
    assert read[is_wanted].tolist() == keys.tolist()
    assert place.tolist() == list(range(len(keys)))


@given(st.lists(st.integers(1, 60)) | st.lists(st.integers(-(2**40), 2**40)))
def test_distinct_keys_and_their_places_are_those_of_sorting(keys: list[int]) -> None:
    found, place = distinct(np.array(keys, dtype=np.int64))
    expected = np.unique(np.array(keys, dtype=np.int64), return_inverse=True)
    assert found.tolist() == expected[0].tolist()
    assert place.tolist() == expected[1].tolist()


@given(st.lists(st.integers(1, 60)) | st.lists(st.integers(-(2**40), 2**40)))
def test_keys_are_put_in_order_as_a_stable_sort_would(keys: list[int]) -> None:
    found = in_order(np.array(keys, dtype=np.int64))
    assert found.tolist() == np.argsort(np.array(keys, dtype=np.int64), kind="stable").tolist()


@given(
    st.sets(st.integers(1, 60)) | st.sets(st.integers(-(2**40), 2**40)),
    st.lists(st.integers(-5, 70) | st.integers(-(2**40), 2**40)),
)
def test_what_is_wanted_is_found_whatever_lies_around_the_keys(keys: set[int], others: list[int]) -> None:
    known = np.array(sorted(keys), dtype=np.int64)
    wanted = np.array([*others, *keys], dtype=np.int64)
    found, place = places_of(wanted, known)
    assert found.tolist() == [one in keys for one in wanted.tolist()]
    assert known[place].tolist() == wanted[found].tolist()


def test_few_rows_are_read_in_vain() -> None:
    keys = np.arange(0, 10 * ROWS_READ_FOR_ONE, ROWS_READ_FOR_ONE)
    assert "BETWEEN 0 AND 36" in near("n", keys)
    assert "ANY" in near("n", np.append(keys, 10_000))


@pytest.mark.parametrize("far", [1, 10**12])
def test_distinct_rows_come_with_the_place_of_each_row(far: int) -> None:
    columns = np.random.default_rng(0).integers(0, 3, size=(4, 50)) * far
    rows, place = distinct_rows(columns)
    assert np.array_equal(rows[:, place], columns)
    assert len(set(map(tuple, rows.T.tolist()))) == rows.shape[1]
    assert distinct_rows(columns[:, :0])[0].shape == (4, 0)
