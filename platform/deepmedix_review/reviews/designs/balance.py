"""Chooses among pairs of readers and cases at random, so that none has more of the chosen than another.

Every balance of a design is of this kind: which readings show the second completion on side A, which ask a
first read, which are repeated, which come early. A choice with all row and column sums between bounds is an
integral flow, which exists wherever the even share itself is within the bounds (Cox, J. Am. Stat. Assoc.
82:520, 1987, on controlled rounding); random switches then make it a random one with the same sums.
"""

import math
import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)

# A reader and a case.
Pair = tuple[str, int]
# After this many tries per pair the choice no longer shows in which order the flow was found.
SWITCHES_PER_PAIR = 6


@dataclass(frozen=True)
class Before:
    """What a reader or case has already: so many chosen among so many."""

    num_chosen: int = 0
    num: int = 0


@dataclass(frozen=True)
class Bounds:
    low: int
    high: int


def choose_share(
    pairs: Sequence[Pair],
    share: float,
    *,
    rng: random.Random,
    rows: Mapping[str, Before] | None = None,
    columns: Mapping[int, Before] | None = None,
) -> list[bool]:
    """For each pair whether it is chosen: within one of `share` per row, per column and over all.

    `rows` and `columns` count with what they have already. Where both can't be kept, columns give way.
    """
    row_bounds = _bounds_of_share([row for row, _ in pairs], share, rows or {})
    column_bounds = _bounds_of_share([column for _, column in pairs], share, columns or {})
    num_before = Before(
        sum(before.num_chosen for before in (rows or {}).values()),
        sum(before.num for before in (rows or {}).values()),
    )
    wanted = share * (num_before.num + len(pairs)) - num_before.num_chosen
    total = min(len(pairs), max(0, math.floor(wanted + rng.random())))
    return choose(pairs, rows=row_bounds, columns=column_bounds, total=total, rng=rng)


def choose(
    pairs: Sequence[Pair],
    *,
    rows: Mapping[str, Bounds],
    columns: Mapping[int, Bounds],
    total: int,
    rng: random.Random,
) -> list[bool]:
    """A random choice within the bounds; where there is none, first the total and then columns give way."""
    if not pairs:
        return []
    for slack in range(len(pairs) + 1):
        wider = {
            column: Bounds(max(0, bounds.low - slack), bounds.high + slack)
            for column, bounds in columns.items()
        }
        for totals in (Bounds(total, total), Bounds(0, len(pairs))):
            found = _flow(pairs, rows=rows, columns=wider, total=totals, rng=rng)
            if found is not None:
                return _switched(pairs, found, rng=rng)
    raise ValueError("The bounds of the rows contradict each other.")


def colour_evenly(pairs: Sequence[Pair], num_colours: int, *, rng: random.Random) -> list[int]:
    """A colour 0, 1 … for each pair: every row and every column has each colour equally often, within one."""
    colours = [0] * len(pairs)
    left = list(range(len(pairs)))
    for colour in range(num_colours, 1, -1):
        chosen = choose_share([pairs[index] for index in left], 1 / colour, rng=rng)
        for index, is_chosen in zip(left, chosen, strict=True):
            if is_chosen:
                colours[index] = colour - 1
        left = [index for index, is_chosen in zip(left, chosen, strict=True) if not is_chosen]
    # Which colour the first choice has must not tell: the sums of the last ones are the roundest.
    names = rng.sample(range(num_colours), num_colours)
    return [names[colour] for colour in colours]


def _bounds_of_share(
    names: Sequence[Name], share: float, before: Mapping[Name, Before]
) -> dict[Name, Bounds]:
    counts: dict[Name, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    bounds = {}
    for name, count in counts.items():
        had = before.get(name, Before())
        # Rounded first: 0.1 * 30 is a little more than 3.
        wanted = round(share * (had.num + count), 9)
        low, high = math.floor(wanted) - had.num_chosen, math.ceil(wanted) - had.num_chosen
        bounds[name] = Bounds(min(max(low, 0), count), min(max(high, 0), count))
    return bounds


def _flow(
    pairs: Sequence[Pair],
    *,
    rows: Mapping[str, Bounds],
    columns: Mapping[int, Bounds],
    total: Bounds,
    rng: random.Random,
) -> list[bool] | None:
    """A choice within the bounds, None where there is none: a maximum flow with lower bounds."""
    # Here, for it takes 0.4 s to import and only a draw needs it.
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    row_names, column_names = _shuffled(rows, rng), _shuffled(columns, rng)
    row_node = {name: number for number, name in enumerate(row_names)}
    column_node = {name: len(row_node) + number for number, name in enumerate(column_names)}
    start, end, source, sink = (len(row_node) + len(column_node) + number for number in range(4))
    edges: list[tuple[int, int, Bounds]] = [(end, start, total)]
    edges += [(start, row_node[name], rows[name]) for name in row_names]
    edges += [(column_node[name], end, columns[name]) for name in column_names]
    spare = dict.fromkeys(range(sink + 1), 0)
    capacities: dict[tuple[int, int], int] = {}
    for tail, head, bounds in edges:
        capacities[tail, head] = bounds.high - bounds.low
        spare[head] += bounds.low
        spare[tail] -= bounds.low
    for row, column in pairs:
        capacities[row_node[row], column_node[column]] = 1
    for number, amount in spare.items():
        if amount > 0:
            capacities[source, number] = amount
        elif amount < 0:
            capacities[number, sink] = -amount
    ends = np.array(list(capacities), dtype=np.int32).T
    amounts = np.array(list(capacities.values()), dtype=np.int32)
    graph = csr_array((amounts, (ends[0], ends[1])), shape=(sink + 1, sink + 1))
    flow = maximum_flow(graph, source, sink)
    if flow.flow_value < sum(amount for amount in spare.values() if amount > 0):
        return None
    through = flow.flow.todok()
    return [through.get((row_node[row], column_node[column]), 0) > 0 for row, column in pairs]


def _switched(pairs: Sequence[Pair], chosen: list[bool], *, rng: random.Random) -> list[bool]:
    """Two chosen pairs exchange their columns wherever both crossed pairs are free: all sums stay."""
    index_of = {pair: index for index, pair in enumerate(pairs)}
    inside = [index for index, is_chosen in enumerate(chosen) if is_chosen]
    if len(inside) < 2:
        return chosen
    for _ in range(SWITCHES_PER_PAIR * len(pairs)):
        first, second = rng.randrange(len(inside)), rng.randrange(len(inside))
        (row, column), (other_row, other_column) = pairs[inside[first]], pairs[inside[second]]
        crossed = index_of.get((row, other_column)), index_of.get((other_row, column))
        if None in crossed or any(chosen[index] for index in crossed if index is not None):
            continue
        chosen[inside[first]] = chosen[inside[second]] = False
        inside[first], inside[second] = (index for index in crossed if index is not None)
        chosen[inside[first]] = chosen[inside[second]] = True
    return chosen


def _shuffled(names: Mapping[Name, Bounds], rng: random.Random) -> list[Name]:
    return rng.sample(list(names), len(names))
