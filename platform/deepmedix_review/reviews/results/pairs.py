"""How far every two readers agree with each other on the scale that the reader study asks first."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from deepmedix_review.reviews.results.columns import Keys, distinct
from deepmedix_review.reviews.results.figures import (
    TOO_FEW_CASES,
    Cell,
    Figure,
    Table,
    estimated,
    missing,
    rounded,
)
from deepmedix_review.reviews.results.maps import matrix_plot
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import Ratings, Readings, as_table
from rl_feedback.agreement import cohen_kappa
from rl_feedback.counting import counted

# A matrix of more readers than this can't be read; the most diligent ones stand in it.
MOST_IN_MATRIX = 12


def pairs_figure(readings: Readings, rated: Sequence[RatedCriterion], names: Mapping[int, str]) -> Figure:
    """`names` are the readers'. Nothing here asks the database."""
    title, key = "Agreement of every two readers", "pairs"
    method = "Cohen's kappa, quadratic weights (Cohen 1968), on the items that both rated"
    scale = next((one for one in rated if one.is_scale), None)
    columns = ("reader", "other reader", "kappa", "low", "high", "items", "cases", "in the range")
    if scale is None:
        return missing(key=key, title=title, method=method, note="This reader study asks no scale.")
    ratings = scale.first
    table = as_table(readings, ratings)
    keys = np.unique(readings.reader[ratings.reading])
    if len(keys) < 2:
        return missing(
            key=key,
            title=title,
            method=method,
            note=f"It needs 2 readers with ratings; there {_is(len(keys))}.",
        )
    most = np.argsort(-(~np.isnan(table)).sum(axis=1), kind="stable")[:MOST_IN_MATRIX]
    most = np.sort(most)
    shown = [names[int(keys[row])] for row in most]
    values: list[list[float | None]] = [[None] * len(most) for _ in most]
    rows: list[tuple[Cell, ...]] = []
    told: list[float] = []
    weak: dict[tuple[int, int], str] = {}
    low, size = min(scale.values), len(scale.values)
    # A pair of readers has each item in the cell of its two marks; items that either left out lie beyond.
    marks = np.where(np.isnan(table[most]), size * size, table[most] - low).astype(np.int64)
    _, case = distinct(_case_of_items(readings, ratings))
    for i, j in combinations(range(len(most)), 2):
        cells = np.minimum(marks[i] * size + marks[j], size * size)
        confusion = np.bincount(cells, minlength=size * size)[: size * size].reshape(size, size)
        found = estimated(cohen_kappa, confusion, "quadratic")
        values[i][j] = values[j][i] = found.value
        edges = found.interval or (None, None)
        num_cases = int(np.count_nonzero(np.bincount(case[cells < size * size])))
        why_not = _why_not(found.value, num_cases)
        if why_not:
            weak[i, j] = why_not
        if found.value is not None and not why_not:
            told.append(found.value)
        rows.append(
            (
                shown[i],
                shown[j],
                rounded(found.value),
                rounded(edges[0]),
                rounded(edges[1]),
                int(confusion.sum()),
                num_cases,
                f"no: {why_not}" if why_not else "yes",
            )
        )
    known = [row[2] for row in rows if isinstance(row[2], float)]
    num_pairs = counted(len(known), "pair")
    if len(told) < len(known):
        num_pairs = f"{len(told)} of {num_pairs}"
    said = f"{title} on {scale.name}: {num_pairs}" + (
        f", from {min(told):.2f} to {max(told):.2f}" if told else ""
    )
    left_out, apart = len(keys) - len(most), sum(not row[5] for row in rows)
    notes = (
        _says_too_few(len(known) - len(told), of=len(known)),
        f"{counted(apart, 'pair')} of readers rated nothing in common (–)." if apart else "",
        f"{counted(left_out, 'reader')} with fewer ratings left out." if left_out else "",
    )
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(rows)),
        method=method,
        n=f"{num_pairs} of {counted(len(most), 'reader')}, {scale.name.lower()}",
        value=f"kappa {min(told):.2f} to {max(told):.2f}" if told else "",
        note=" ".join(filter(None, notes)),
        plot=matrix_plot(shown, values, said=said, weak=weak),
    )


def _case_of_items(readings: Readings, ratings: Ratings) -> Keys:
    """In the order of the columns of their table."""
    items, column = distinct(ratings.item)
    case = np.zeros(len(items), dtype=np.int64)
    case[column] = readings.case[ratings.reading]
    return case


def _why_not(kappa: float | None, num_cases: int) -> str:
    """Why a pair is not in the range that is told; empty where it is."""
    if not num_cases:
        return "no case in common"
    if num_cases < TOO_FEW_CASES:
        return f"{counted(num_cases, 'case')} in common, fewer than {TOO_FEW_CASES}"
    return "no kappa: all marks are the same" if kappa is None else ""


def _says_too_few(number: int, *, of: int) -> str:
    """What the range leaves out: a kappa of a few cases lies anywhere, whatever its readers think."""
    if not number:
        return ""
    if number == of:
        return (
            f"No range is told: no 2 readers have rated {TOO_FEW_CASES} cases or more in common. Each pair "
            "stands in brackets, and in the table with its cases."
        )
    pairs = "1 pair of readers has" if number == 1 else f"{number} pairs of readers have"
    return (
        f"{pairs} fewer than {TOO_FEW_CASES} cases in common: in brackets, left out of the range, and in the "
        "table with their number."
    )


def _is(number: int) -> str:
    return "is 1" if number == 1 else f"are {number or 'none'}"
