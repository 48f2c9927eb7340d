"""How far readers agree on every rating and on the votes, beyond what chance gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec

import numpy as np

from deepmedix_review.reviews.models import Assignment
from deepmedix_review.reviews.results.columns import Chosen, Numbers, distinct
from deepmedix_review.reviews.results.figures import (
    TOO_FEW_CASES,
    Cell,
    Figure,
    Table,
    estimated,
    missing,
    rounded,
    written,
    written_interval,
)
from deepmedix_review.reviews.results.intervals import ALL_ALIKE
from deepmedix_review.reviews.results.pairs import pairs_figure
from deepmedix_review.reviews.results.plots import interval_plot
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import Ratings, Readings, as_slots, as_table
from rl_feedback.agreement import Estimate, gwet_ac1, icc, krippendorff_alpha
from rl_feedback.counting import counted

P = ParamSpec("P")
COMPARED = "of items that 2 readers or more rated"
ALPHA = f"Krippendorff's alpha (Krippendorff 2011), ordinal, {COMPARED}; interval by 1,000 bootstrap draws"
AC1 = f"Gwet's AC1 (Gwet 2008), n {COMPARED}; interval by its analytic standard error"
ON_ITEMS = {"2,1": "that every reader rated", "1,1": "with as many ratings as most have"}


@dataclass(frozen=True)
class _Compared:
    """What an estimate of one criterion rests on: items with two ratings or more, and their cases."""

    criterion: RatedCriterion
    found: Estimate
    num_cases: int
    num_items: int
    num_ratings: int


def agreement_figures(
    readings: Readings, rated: Sequence[RatedCriterion], names: Mapping[int, str]
) -> tuple[Figure, ...]:
    """`names` are the readers'. Nothing here asks the database."""
    first = readings.of(Assignment.Kind.FIRST)
    scales = [one for one in rated if one.is_scale]
    return (
        _scales(readings, first, scales),
        _intraclass(readings, first, scales),
        _choices(readings, first, [one for one in rated if not one.is_scale]),
        pairs_figure(readings, first, rated, names),
    )


def _scales(readings: Readings, first: Chosen, rated: Sequence[RatedCriterion]) -> Figure:
    rows = []
    for one in rated:
        ratings = one.ratings.only(first)
        table = as_slots(ratings)
        found = _of_several(table, krippendorff_alpha, table, "ordinal")
        rows.append(_compared(readings, one, ratings, found))
    return _by_criterion("alpha", "Agreement on the scales", ALPHA, "alpha", rows, marks=(0.667, 0.8))


def _choices(readings: Readings, first: Chosen, rated: Sequence[RatedCriterion]) -> Figure:
    rows = []
    for one in rated:
        ratings = one.ratings.only(first)
        table = as_slots(ratings)
        found = _of_several(table, gwet_ac1, table, categories=one.values)
        rows.append(_compared(readings, one, ratings, found))
    return _by_criterion("ac1", "Agreement on verdicts, votes and choices", AC1, "AC1", rows)


def _intraclass(readings: Readings, first: Chosen, rated: Sequence[RatedCriterion]) -> Figure:
    """ICC(2,1) where every reader rated every item, else ICC(1,1) over items with as many ratings as most."""
    rows = []
    forms = set()
    for one in rated:
        ratings = one.in_points().only(first)
        table = as_table(readings, ratings)
        form, fewest = "2,1", max(2, len(table))
        if table.size == 0 or np.isnan(table).any():
            form, slots = "1,1", as_slots(ratings)
            fewest = 2 if len(slots) < 2 else _most_common_count(slots)
            table = slots[:fewest, (~np.isnan(slots)).sum(axis=0) >= fewest]
        forms.add(form)
        rows.append(_compared(readings, one, ratings, _of_several(table, icc, table.T, form), fewest=fewest))
    told = " and ".join(f"ICC({form}) of single ratings on items {ON_ITEMS[form]}" for form in sorted(forms))
    method = f"{told or 'ICC'} (Shrout and Fleiss 1979), interval by McGraw and Wong 1996"
    return _by_criterion(
        "icc", "Intraclass correlation of the scales", method, "ICC", rows, marks=(0.5, 0.75)
    )


def _most_common_count(slots: Numbers) -> int:
    counts = (~np.isnan(slots)).sum(axis=0)
    counts = counts[counts >= 2]
    return int(np.bincount(counts).argmax()) if len(counts) else 2


def _compared(
    readings: Readings, one: RatedCriterion, ratings: Ratings, found: Estimate, *, fewest: int = 2
) -> _Compared:
    """`fewest` ratings of an item are compared, and where it is more than 2 no more than these."""
    items, place = distinct(ratings.item)
    counts = np.bincount(place, minlength=len(items))
    is_compared = counts >= fewest
    cases, _ = distinct(readings.case[ratings.reading[is_compared[place]]])
    num_items = int(is_compared.sum())
    num_ratings = int(counts[is_compared].sum()) if fewest == 2 else fewest * num_items
    if found.interval is not None and len(cases) < TOO_FEW_CASES and found.interval[0] == found.interval[1]:
        found = replace(found, interval=None, note=ALL_ALIKE)
    return _Compared(one, found, len(cases), num_items, num_ratings)


def _by_criterion(
    key: str,
    title: str,
    method: str,
    unit: str,
    rows: Sequence[_Compared],
    marks: Sequence[float] = (),
) -> Figure:
    columns = ("criterion", "value", "low", "high", "cases", "items", "ratings", "note")
    if not rows:
        return missing(
            key=key, title=title, method=method, note="This reader study asks nothing of the kind."
        )
    cells: list[tuple[Cell, ...]] = []
    for row in rows:
        low, high = row.found.interval or (None, None)
        edges = map(rounded, (row.found.value, low, high))
        cells.append(
            (row.criterion.name, *edges, row.num_cases, row.num_items, row.num_ratings, row.found.note)
        )
    plot = interval_plot(
        [(row.criterion.name, row.found.value, row.found.interval) for row in rows],
        low=-0.2 if all((row.found.value or 0) > -0.2 for row in rows) else -1.0,
        high=1.0,
        marks=(0.0, *marks),
        unit=unit,
        said=f"{title}: "
        + ", ".join(f"{row.criterion.name} {written(row.found.value) or 'none'}" for row in rows),
    )
    num_ratings = sum(row.num_ratings for row in rows)
    lead, best = rows[0].criterion, rows[0].found
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(num_ratings, 'rating')} of {counted(len(rows), 'criterion', 'criteria')}",
        value=f"{lead.name} {written(best.value)}" if best.value is not None else "",
        interval=written_interval(best),
        note=best.note,
        plot=plot if any(row.found.value is not None for row in rows) else None,
    )


def _of_several(
    table: Numbers, statistic: Callable[P, Estimate], *numbers: P.args, **settings: P.kwargs
) -> Estimate:
    """The estimate, where any item of the table was rated twice."""
    if not table.size or (~np.isnan(table)).sum(axis=0).max() < 2:
        return Estimate(value=None, note="It needs items that 2 readers rated.")
    return estimated(statistic, *numbers, **settings)
