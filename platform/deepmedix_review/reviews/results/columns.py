"""Reads whole columns of numbers out of the database, without an object for any of their rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
from django.db import connection

Numbers = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]
Chosen = npt.NDArray[np.bool_]

# Keys are close where at most so many rows are read for each that is wanted.
ROWS_READ_FOR_ONE = 4


def read_columns(query: str, params: Mapping[str, Any] | None = None, *, num_columns: int) -> Keys:
    """Columns c0, c1 … of a query of whole numbers, none of them null, as an array of columns x rows.

    Each column comes as one value, its numbers one behind the other in 8 bytes each. Measured on 600,000 rows
    of 3 columns: 113 ms of PostgreSQL's time, against 133 ms for `array_send(array_agg(…))`, and two thirds
    of the bytes.
    """
    sent = ", ".join(f"string_agg(int8send(c{place}::bigint), '')" for place in range(num_columns))
    with connection.cursor() as cursor:
        statement = cursor.mogrify(
            f"COPY (SELECT {sent} FROM ({query}) AS rows) TO STDOUT (FORMAT binary)", params
        )
        with cursor.copy(statement) as copy:
            copy.set_types(["bytea"] * num_columns)
            columns = copy.read_row()
            while copy.read():
                pass
    numbers = [np.frombuffer(column or b"", ">i8") for column in columns]
    read = np.empty((num_columns, len(numbers[0])), dtype=np.int64)
    for place, column in enumerate(numbers):
        read[place] = column
    return read


def near(column: str, keys: Keys) -> str:
    """SQL that holds for each of these ascending keys; where they lie close together, for those between them
    too, which spares the database a look-up for every row: the caller leaves these out (`places_of`)."""
    if not len(keys):
        return "false"
    first, last = int(keys[0]), int(keys[-1])
    if last - first < ROWS_READ_FOR_ONE * len(keys):
        return f"{column} BETWEEN {first} AND {last}"
    return f"{column} = ANY('{{{','.join(map(str, keys.tolist()))}}}'::bigint[])"


def places_of(wanted: Keys, keys: Keys) -> tuple[Chosen, Keys]:
    """Which of the wanted are among these ascending keys, and the places of those that are. Where the keys
    lie close together they are looked up in a table, which takes a quarter of the time of a search."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.bool_), np.empty(0, dtype=np.int64)
    first, last = int(keys[0]), int(keys[-1])
    if last - first == len(keys) - 1:
        place = wanted - first
        found = (place >= 0) & (place < len(keys))
        return found, place if found.all() else place[found]
    if last - first >= ROWS_READ_FOR_ONE * len(keys):
        place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
        found = keys[place] == wanted
        return found, place[found]
    # The last place of the table is for all that lies outside.
    table = np.full(last - first + 2, -1, dtype=np.int64)
    table[keys - first] = np.arange(len(keys))
    is_within = (wanted >= first) & (wanted <= last)
    place = table[np.where(is_within, wanted - first, len(table) - 1)]
    found = place >= 0
    return found, place[found]


def in_order(keys: Keys) -> Keys:
    """The places of the keys in ascending order, those of like keys in the order in which they stand: a
    stable `np.argsort`, by counting where they lie close together, which takes a quarter of the time."""
    if not len(keys):
        return keys
    offsets = keys - keys.min()
    span = int(offsets.max()) + 1
    if span > ROWS_READ_FOR_ONE * len(keys):
        return np.asarray(np.argsort(keys, kind="stable"))
    # Compressed sparse columns are what counting makes of them: of each key the rows in which it stands.
    rows = np.arange(len(keys), dtype=np.int32)
    table = scipy.sparse.coo_array((rows, (rows, offsets)), shape=(len(keys), span))
    return np.asarray(table.tocsc().indices, dtype=np.int64)


def distinct(keys: Keys) -> tuple[Keys, Keys]:
    """The distinct keys, ascending, and the place of each key among them: `np.unique`, by counting where they
    lie close together, which takes a quarter of the time."""
    if not len(keys):
        return keys, keys
    least = keys.min()
    offsets = keys - least
    span = int(offsets.max()) + 1
    if span > ROWS_READ_FOR_ONE * len(keys):
        found, places = np.unique(keys, return_inverse=True)
        return found, places
    is_there = np.zeros(span, dtype=np.bool_)
    is_there[offsets] = True
    found = np.flatnonzero(is_there) + least
    # Without a gap between them the distance from the least is the place.
    return found, offsets if len(found) == span else (np.cumsum(is_there) - 1)[offsets]


def distinct_rows(columns: Keys) -> tuple[Keys, Keys]:
    """The distinct rows of columns x rows, again as columns x rows, and the place of each row among them."""
    place = np.zeros(columns.shape[1], dtype=np.int64)
    for column in columns:
        values, of_value = distinct(column)
        _, place = distinct(place * len(values) + of_value)
    first = np.empty(int(place.max(initial=-1)) + 1, dtype=np.int64)
    first[place] = np.arange(len(place))
    return columns[:, first], place


def place_in(column: str, words: Sequence[str]) -> str:
    """SQL for the place of a column's value among known words, NULL for any other."""
    cases = " ".join(f"WHEN '{word}' THEN {place}" for place, word in enumerate(words))
    return f"CASE {column} {cases} END"
