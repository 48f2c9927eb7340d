"""How readers use the values of each criterion, and how lenient each of them is."""

from collections.abc import Mapping, Sequence

import numpy as np

from deepmedix_review.reviews.results.columns import Keys, distinct
from deepmedix_review.reviews.results.figures import Cell, Figure, Table, missing, rounded
from deepmedix_review.reviews.results.plots import Plot, interval_plot, share_plot, stacked
from deepmedix_review.reviews.results.rated import MOST_MARKS, RatedCriterion
from deepmedix_review.reviews.results.readings import Readings
from deepmedix_review.reviews.results.scales import by_scale, ends_of, say_better
from rl_feedback.agreement import clustered_mean
from rl_feedback.counting import counted

# On fewer cases than this that all of them rated, readers can hardly be compared.
FEWEST_COMMON = 5


def spread_figures(
    readings: Readings, rated: Sequence[RatedCriterion], names: Mapping[int, str]
) -> tuple[Figure, ...]:
    """`names` are the readers'. Nothing here asks the database."""
    return (_distributions(rated), *_leniency(readings, rated, names))


def _distributions(rated: Sequence[RatedCriterion]) -> Figure:
    cells: list[tuple[Cell, ...]] = []
    scales: list[tuple[RatedCriterion, list[int]]] = []
    for one in rated:
        counts = np.bincount(one.places_of(one.first), minlength=len(one.values)).tolist()
        cells += [(one.name, label, count) for label, count in zip(one.labels, counts, strict=True)]
        if one.is_scale:
            scales.append((one, counts))
    total = sum(int(cell[2] or 0) for cell in cells)
    return Figure(
        key="distributions",
        title="How the values are used",
        table=Table(("criterion", "value", "ratings"), tuple(cells)),
        method="counts of first readings; the plot shows scales, those with the same values together, the "
        "table all. A vote counts for the version it went to, and where both outputs are one version's for "
        "the one written first or later",
        n=counted(total, "rating"),
        note="" if total else "No rating has been signed yet.",
        plot=_shares_of_values(scales) if total and scales else None,
    )


def _shares_of_values(scales: Sequence[tuple[RatedCriterion, list[int]]]) -> Plot:
    """One row a scale; scales of other values, or whose good end is another one, stand by themselves."""
    groups = by_scale(scales, lambda row: (", ".join(row[0].labels), row[0].better))
    plots = [
        (
            f"{ends_of(rows[0][0])}{say_better(rows[0][0].better)}",
            share_plot(
                [(one.name, counts) for one, counts in rows],
                names=rows[0][0].labels,
                said="",
                is_ordered=True,
            ),
        )
        for rows in groups
    ]
    said = "; ".join(
        f"shares of {', '.join(rows[0][0].labels)} for {', '.join(one.name for one, _ in rows)}"
        for rows in groups
    )
    return stacked(plots, said=f"{said[0].upper()}{said[1:]}")


def _leniency(
    readings: Readings, rated: Sequence[RatedCriterion], names: Mapping[int, str]
) -> tuple[Figure, ...]:
    scale = next((one for one in rated if one.is_scale), None)
    title, key = "How lenient each reader is", "leniency"
    method = (
        "mean of the reader's mean rating of each case, with its interval from their standard error and "
        "Student's t"
    )
    note = ""
    if scale is None or not len(scale.first.item):
        return (missing(key=key, title=title, method=method, note="No scale has been rated yet."),)
    ratings = scale.first
    who, case = readings.reader[ratings.reading], readings.case[ratings.reading]
    common, num_cases = _common_cases(who, case)
    if FEWEST_COMMON <= len(common) < num_cases:
        method += f"; on the {len(common)} of {num_cases:,} cases that each of them rated"
        ratings = ratings.only(np.isin(readings.case, common))
        who, case = readings.reader[ratings.reading], readings.case[ratings.reading]
    elif len(common) < num_cases:
        note = (
            "Readers rated different cases: part of what lies between them is the cases'. From "
            f"{FEWEST_COMMON} cases on that all of them rated they are compared on these."
        )
    points = scale.points_of(ratings)
    rows: list[tuple[str, float | None, tuple[float, float] | None]] = []
    cells: list[tuple[Cell, ...]] = []
    for reader in np.unique(who):
        mine = who == reader
        _, place = distinct(case[mine])
        by_case = np.bincount(place, points[mine]) / np.bincount(place)
        mean = float(by_case.mean())
        interval = clustered_mean(by_case, np.arange(len(by_case))).interval
        rows.append((names[int(reader)], mean, interval))
        cells.append(
            (
                names[int(reader)],
                rounded(mean),
                *(map(rounded, interval) if interval else (None, None)),
                len(by_case),
            )
        )
    means = [mean for _, mean, _ in rows if mean is not None]
    return (
        Figure(
            key=key,
            title=title,
            table=Table(("reader", "mean", "low", "high", "cases"), tuple(cells)),
            method=method,
            n=f"{scale.name}, {counted(len(ratings.item), 'rating')}, {counted(len(rows), 'reader')}",
            value=f"{min(means):.2f} to {max(means):.2f}" if len(means) > 1 else f"{means[0]:.2f}",
            note=note,
            plot=interval_plot(
                rows,
                low=float(min(scale.numbers)),
                high=float(max(scale.numbers)),
                marks=scale.numbers if len(scale.numbers) <= MOST_MARKS else (),
                unit="points",
                said=f"{title}: from {min(means):.2f} to {max(means):.2f}",
            ),
        ),
    )


def _common_cases(who: Keys, case: Keys) -> tuple[Keys, int]:
    """The cases that every reader rated, and how many any of them did."""
    cases, of_case = distinct(case)
    readers, of_reader = distinct(who)
    has_rated = np.zeros((len(cases), len(readers)), dtype=np.bool_)
    has_rated[of_case, of_reader] = True
    return cases[has_rated.all(axis=1)], len(cases)
