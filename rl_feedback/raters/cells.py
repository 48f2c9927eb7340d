"""Who said what of which item, as columns of places: what every model of readers starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

# A settled item (adjudicated, or of known truth) counts as much as this many typical readers.
SETTLED_READERS = 4

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]
Names = Sequence[Any] | npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Cells:
    """One row for each item and reader who said something of it; a repeat falls into the same row.

    `counts[n, k]` tells how often that reader gave answer k to that item.
    """

    item: Integers
    reader: Integers
    counts: Integers

    @property
    def num_said(self) -> Integers:
        return np.asarray(self.counts.sum(axis=1))


def named(values: Names, called: str) -> tuple[tuple[Any, ...], Integers]:
    """The distinct names in order, and the place of each value among them. Raises ValueError when empty."""
    array = np.asarray(values)
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(f"There are no {called}: a model of readers needs one entry for each of them.")
    names, places = np.unique(array, return_inverse=True)
    return tuple(names.tolist()), places.astype(np.int64)


def require_equally_long(**columns: Names) -> None:
    if len({len(column) for column in columns.values()}) > 1:
        told = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise ValueError(f"The columns name one word of a reader each and must be equally long: {told}.")


def cells_of(item: Integers, reader: Integers, answer: Integers, *, num_answers: int) -> Cells:
    """Rows in the order of items, then readers."""
    num_readers = int(reader.max()) + 1
    keys, place = np.unique(item * num_readers + reader, return_inverse=True)
    counts = np.bincount(place * num_answers + answer, minlength=len(keys) * num_answers)
    return Cells(keys // num_readers, keys % num_readers, counts.reshape(len(keys), num_answers))


def known_cells(item: Integers, answer: Integers, *, reader: int, num_answers: int) -> Cells:
    """Each known answer as so many words of one more, typical reader."""
    counts = np.zeros((len(item), num_answers), dtype=np.int64)
    counts[np.arange(len(item)), answer] = SETTLED_READERS
    return Cells(item, np.full(len(item), reader, dtype=np.int64), counts)


def joined(one: Cells, other: Cells) -> Cells:
    return Cells(
        np.concatenate([one.item, other.item]),
        np.concatenate([one.reader, other.reader]),
        np.concatenate([one.counts, other.counts]),
    )


def only(cells: Cells, chosen: Truths) -> Cells:
    return Cells(cells.item[chosen], cells.reader[chosen], cells.counts[chosen])


@dataclass(frozen=True, eq=False)
class ReaderCounts:
    """By reader: words said, items judged, and items judged more than once."""

    said: Integers
    items: Integers
    repeated: Integers


def counts_by_reader(cells: Cells, num_readers: int) -> ReaderCounts:
    number = cells.num_said
    return ReaderCounts(
        said=sums_of(cells.reader, number.astype(np.float64), num_readers).astype(np.int64),
        items=np.bincount(cells.reader, minlength=num_readers),
        repeated=np.bincount(cells.reader[number > 1], minlength=num_readers),
    )


def groups_of_readers(item: Integers, reader: Integers, *, linked_items: Truths | None = None) -> Integers:
    """The number of each reader's group: readers of one group are joined by items that they share.

    `linked_items` (gold, settled) join every reader who judged one of them.
    """
    num_readers, num_items = int(reader.max()) + 1, int(item.max()) + 1
    node = num_readers + item
    if linked_items is not None:
        node = np.where(linked_items[item], num_readers + num_items, node)
    size = num_readers + num_items + 1
    graph = scipy.sparse.csr_matrix((np.ones(len(item)), (reader, node)), shape=(size, size))
    _, label = scipy.sparse.csgraph.connected_components(graph, directed=False)
    return np.unique(label[:num_readers], return_inverse=True)[1].astype(np.int64)


def sums_of(place: Integers, weight: Floats, many: int) -> Floats:
    """The sum of the weights at each of `many` places."""
    return np.bincount(place, weight, minlength=many).astype(np.float64, copy=False)
