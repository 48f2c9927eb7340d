"""How far readers agree on every rating and on the votes, beyond what chance gives."""

from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec

import numpy as np

from deepmedix_review.reviews.models import Assignment
from deepmedix_review.reviews.results.columns import Chosen, Numbers
from deepmedix_review.reviews.results.figures import (
    Cell,
    Figure,
    Table,
    estimated,
    missing,
    rounded,
    written,
    written_interval,
)
from deepmedix_review.reviews.results.pairs import pairs_figure
from deepmedix_review.reviews.results.plots import interval_plot
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import Readings, as_slots, as_table
from rl_feedback.agreement import Estimate, gwet_ac1, icc, krippendorff_alpha
from rl_feedback.counting import counted

P = ParamSpec("P")
ALPHA = "Krippendorff's alpha (Krippendorff 2011), {level}; interval by 1,000 bootstrap draws of items"
ON_ITEMS = {"2,1": "that every reader rated", "1,1": "with as many ratings as most have"}
AC1 = "Gwet's AC1 (Gwet 2008), interval by its analytic standard error"


def agreement_figures(
    readings: Readings, rated: Sequence[RatedCriterion], names: Mapping[int, str]
) -> tuple[Figure, ...]:
    """`names` are the readers'. Nothing here asks the database."""
    first = readings.of(Assignment.Kind.FIRST)
    scales = [one for one in rated if one.is_scale]
    return (
        _scales(first, scales),
        _intraclass(readings, first, scales),
        _choices(first, [one for one in rated if not one.is_scale]),
        pairs_figure(readings, first, rated, names),
    )


def _scales(first: Chosen, rated: Sequence[RatedCriterion]) -> Figure:
    method = ALPHA.format(level="ordinal")
    rows = []
    for one in rated:
        table = as_slots(one.ratings.only(first))
        rows.append((one, _of_several(table, krippendorff_alpha, table, "ordinal"), table))
    return _by_criterion("alpha", "Agreement on the scales", method, "alpha", rows, marks=(0.667, 0.8))


def _choices(first: Chosen, rated: Sequence[RatedCriterion]) -> Figure:
    rows = []
    for one in rated:
        table = as_slots(one.ratings.only(first))
        rows.append((one, _of_several(table, gwet_ac1, table, categories=one.values), table))
    return _by_criterion("ac1", "Agreement on verdicts, votes and choices", AC1, "AC1", rows)


def _intraclass(readings: Readings, first: Chosen, rated: Sequence[RatedCriterion]) -> Figure:
    """ICC(2,1) where every reader rated every item, else ICC(1,1) over items with as many ratings as most."""
    rows = []
    forms = set()
    for one in rated:
        ratings = one.in_points().only(first)
        table = as_table(readings, ratings)
        form = "2,1"
        if table.size == 0 or np.isnan(table).any():
            form, slots = "1,1", as_slots(ratings)
            fewest = 2 if len(slots) < 2 else _most_common_count(slots)
            table = slots[:fewest, (~np.isnan(slots)).sum(axis=0) >= fewest]
        forms.add(form)
        rows.append((one, _of_several(table, icc, table.T, form), table))
    told = " and ".join(f"ICC({form}) of single ratings on items {ON_ITEMS[form]}" for form in sorted(forms))
    method = f"{told or 'ICC'} (Shrout and Fleiss 1979), interval by McGraw and Wong 1996"
    return _by_criterion(
        "icc", "Intraclass correlation of the scales", method, "ICC", rows, marks=(0.5, 0.75)
    )


def _most_common_count(slots: Numbers) -> int:
    counts = (~np.isnan(slots)).sum(axis=0)
    counts = counts[counts >= 2]
    return int(np.bincount(counts).argmax()) if len(counts) else 2


def _by_criterion(
    key: str,
    title: str,
    method: str,
    unit: str,
    rows: Sequence[tuple[RatedCriterion, Estimate, Numbers]],
    marks: Sequence[float] = (),
) -> Figure:
    columns = ("criterion", "value", "low", "high", "items", "ratings", "note")
    if not rows:
        return missing(
            key=key, title=title, method=method, note="This reader study asks nothing of the kind."
        )
    cells: list[tuple[Cell, ...]] = []
    for one, found, table in rows:
        low, high = found.interval or (None, None)
        num_items = int((~np.isnan(table)).any(axis=0).sum()) if table.size else 0
        num_ratings = int((~np.isnan(table)).sum())
        cells.append(
            (one.name, rounded(found.value), rounded(low), rounded(high), num_items, num_ratings, found.note)
        )
    plot = interval_plot(
        [(one.name, found.value, found.interval) for one, found, _ in rows],
        low=-0.2 if all((f.value or 0) > -0.2 for _, f, _ in rows) else -1.0,
        high=1.0,
        marks=(0.0, *marks),
        unit=unit,
        said=f"{title}: "
        + ", ".join(f"{one.name} {written(found.value) or 'none'}" for one, found, _ in rows),
    )
    num_ratings = sum(int(row[5] or 0) for row in cells)
    lead, best, _ = rows[0]
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(num_ratings, 'rating')} of {counted(len(rows), 'criterion', 'criteria')}",
        value=f"{lead.name} {written(best.value)}" if best.value is not None else "",
        interval=written_interval(best),
        note=best.note if best.value is None else "",
        plot=plot if any(found.value is not None for _, found, _ in rows) else None,
    )


def _of_several(
    table: Numbers, statistic: Callable[P, Estimate], *numbers: P.args, **settings: P.kwargs
) -> Estimate:
    """The estimate, where any item of the table was rated twice."""
    if not table.size or (~np.isnan(table)).sum(axis=0).max() < 2:
        return Estimate(value=None, note="It needs items that 2 readers rated.")
    return estimated(statistic, *numbers, **settings)
