"""How far readers agree on every rating and on the votes, beyond what chance gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from deepmedix_review.reviews.results.columns import Keys, distinct
from deepmedix_review.reviews.results.figures import (
    TOO_FEW_CASES,
    Cell,
    Figure,
    Table,
    estimated,
    few_note,
    missing,
    rounded,
    written,
    written_interval,
)
from deepmedix_review.reviews.results.intervals import ALL_ALIKE
from deepmedix_review.reviews.results.plots import interval_plot
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import Ratings, Readings, as_slots, as_table
from rl_feedback.agreement import (
    Estimate,
    KrippendorffAlpha,
    gwet_ac1,
    gwet_ac2,
    icc,
    krippendorff_alpha,
    tally_counts,
)
from rl_feedback.counting import counted

COMPARED = "of items that 2 readers or more rated"
ALPHA = f"Krippendorff's alpha (Krippendorff 2011), ordinal, {COMPARED}; interval by 1,000 bootstrap draws"
AC1 = f"Gwet's AC1 (Gwet 2008), n {COMPARED}; interval by its analytic standard error"
ON_ITEMS = {"2,1": "that every reader rated", "1,1": "with as many ratings as most have"}


@dataclass(frozen=True)
class _Estimated:
    """An estimate of one criterion, and what it rests on: items with two ratings or more, and their cases."""

    criterion: RatedCriterion
    found: Estimate
    num_cases: int
    num_items: int
    num_ratings: int


@dataclass(frozen=True)
class Compared:
    """How far readers agree on one criterion: alpha of a scale, AC1 of all else; and of a scale its
    intraclass correlation, in its form."""

    chance_corrected: _Estimated
    intraclass: _Estimated | None = None
    form: str = ""


@dataclass(frozen=True)
class _Items:
    """The items that first readings rated: of each rating its item's place, of each item its case and how
    often it was rated."""

    of: Ratings
    place: Keys
    case: Keys
    num_ratings: Keys

    def is_of(self, ratings: Ratings) -> bool:
        return self.of.reading is ratings.reading and self.of.item is ratings.item


class Comparison:
    """Compares first readings, one criterion after another. Nothing here asks the database."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._items: _Items | None = None

    def of(self, one: RatedCriterion) -> Compared:
        items = self._items_of(one)
        values = one.places_of(one.first)
        many = len(one.values)
        counts = np.bincount(items.place * many + values, minlength=many * len(items.case))
        tally = partial(tally_counts, counts.reshape(-1, many), one.values)
        if not one.is_scale:
            return Compared(_estimated(one, items, lambda: gwet_ac1(tally())))
        alpha = _estimated(one, items, lambda: krippendorff_alpha(tally(), "ordinal"))
        if isinstance(alpha.found, KrippendorffAlpha) and alpha.found.value is None:
            compared = values[items.num_ratings[items.place] >= 2]
            alpha = _said_of_one_value(alpha, compared, gwet_ac2(tally(), "quadratic"))
        points = np.asarray(one.numbers, dtype=np.float64)[values]
        return Compared(alpha, *self._intraclass(one, items, replace(one.first, value=points)))

    def _items_of(self, one: RatedCriterion) -> _Items:
        """Criteria that are asked of the same thing share them."""
        if self._items is None or not self._items.is_of(one.ratings):
            items, place = distinct(one.first.item)
            case = np.empty(len(items), dtype=np.int64)
            case[place] = self._readings.case[one.first.reading]
            self._items = _Items(one.ratings, place, case, np.bincount(place, minlength=len(items)))
        return self._items

    def _intraclass(self, one: RatedCriterion, items: _Items, points: Ratings) -> tuple[_Estimated, str]:
        """ICC(2,1) where every reader rated every item, else ICC(1,1) over items with as many ratings as
        most."""
        table = as_table(self._readings, points)
        form, fewest = "2,1", max(2, len(table))
        if table.size == 0 or np.isnan(table).any():
            form, fewest = "1,1", _most_common_count(items.num_ratings)
            table = as_slots(points)[:fewest, items.num_ratings >= fewest]
        return _estimated(one, items, lambda: icc(table.T, form), num_compared=fewest), form


def agreement_figures(compared: Sequence[Compared], pairs: Figure) -> tuple[Figure, ...]:
    """`compared` in the order in which the criteria are asked; `pairs` is of every two readers."""
    scales = [one for one in compared if one.intraclass is not None]
    forms = sorted({one.form for one in scales})
    told = " and ".join(f"ICC({form}) of single ratings on items {ON_ITEMS[form]}" for form in forms)
    return (
        _by_criterion(
            "alpha",
            "Agreement on the scales",
            ALPHA,
            "alpha",
            [one.chance_corrected for one in scales],
            marks=(0.667, 0.8),
        ),
        _by_criterion(
            "icc",
            "Intraclass correlation of the scales",
            f"{told or 'ICC'} (Shrout and Fleiss 1979), interval by McGraw and Wong 1996",
            "ICC",
            [one.intraclass for one in scales if one.intraclass is not None],
            marks=(0.5, 0.75),
        ),
        _by_criterion(
            "ac1",
            "Agreement on verdicts, votes and choices",
            AC1,
            "AC1",
            [one.chance_corrected for one in compared if one.intraclass is None],
        ),
        pairs,
    )


def _least(row: _Estimated) -> float:
    """Where its row of the plot begins."""
    value, interval = row.found.value, row.found.interval
    return min(0.0 if value is None else value, interval[0] if interval else 0.0)


def _said_of_one_value(alpha: _Estimated, places: Keys, ac2: Estimate) -> _Estimated:
    """Why there is no alpha where all ratings are alike, and what a coefficient says that exists then."""
    one = alpha.criterion
    note = (
        f"All {counted(alpha.num_ratings, 'rating')} of {one.name.lower()} are {one.labels[places[0]]}: "
        "alpha weighs how far readers differ against how far chance would have them differ, and where no "
        "rating differs from another there is nothing to weigh. Gwet's AC2 (2014), which goes by all "
        f"{len(one.values)} values that could have been given, is {written(ac2.value)}: nobody disagreed, "
        "but nobody was tried on a case that deserves another value."
    )
    return replace(alpha, found=replace(alpha.found, note=note))


def _most_common_count(num_ratings: Keys) -> int:
    counts = num_ratings[num_ratings >= 2]
    return int(np.bincount(counts).argmax()) if len(counts) else 2


def _estimated(
    one: RatedCriterion, items: _Items, estimate: Callable[[], Estimate], *, num_compared: int | None = None
) -> _Estimated:
    """`num_compared` ratings of an item are compared, neither more nor fewer; None: all, from 2 on."""
    is_compared = items.num_ratings >= (num_compared or 2)
    num_items = int(is_compared.sum())
    num_ratings = num_compared * num_items if num_compared else int(items.num_ratings[is_compared].sum())
    cases, _ = distinct(items.case[is_compared])
    if items.num_ratings.max(initial=0) < 2:
        found = Estimate(value=None, note="It needs items that 2 readers rated.")
    else:
        found = estimated(estimate)
    if found.interval is not None and len(cases) < TOO_FEW_CASES and found.interval[0] == found.interval[1]:
        found = replace(found, interval=None, note=ALL_ALIKE)
    return _Estimated(one, found, len(cases), num_items, num_ratings)


def _by_criterion(
    key: str,
    title: str,
    method: str,
    unit: str,
    rows: Sequence[_Estimated],
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
        low=-0.2 if all(_least(row) >= -0.2 for row in rows) else -1.0,
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
        note=f"{few_note(rows[0].num_cases) if best.value is not None else ''} {best.note}".strip(),
        plot=plot if any(row.found.value is not None for row in rows) else None,
    )
