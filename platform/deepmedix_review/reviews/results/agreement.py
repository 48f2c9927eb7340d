"""How far readers agree: on every rating, on the votes, and with whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ParamSpec

import numpy as np

from deepmedix_review.reviews.criteria.versions import asked_of
from deepmedix_review.reviews.models import Assignment, Criterion, ReaderStudy
from deepmedix_review.reviews.results.columns import (
    Chosen,
    Numbers,
    Ratings,
    Readings,
    Said,
    as_slots,
    as_table,
    load_criterion,
    reader_names,
)
from deepmedix_review.reviews.results.figures import (
    Cell,
    Figure,
    Table,
    counted,
    estimated,
    missing,
    rounded,
    written,
    written_interval,
)
from deepmedix_review.reviews.results.plots import interval_plot, matrix_plot, share_plot
from rl_feedback.agreement import Estimate, cohen_kappa, gwet_ac1, icc, krippendorff_alpha

P = ParamSpec("P")
# A matrix of more readers than this can't be read; the most diligent ones stand in it.
MOST_IN_MATRIX = 12
FIVE = (1, 2, 3, 4, 5)
ALPHA = "Krippendorff's alpha (Krippendorff 2011), {level}; interval by 1,000 bootstrap draws of items"
AC1 = "Gwet's AC1 (Gwet 2008), interval by its analytic standard error"


@dataclass(frozen=True)
class Asked:
    """One thing that readers rated, all ratings of it, and the names of its values in order."""

    key: str
    name: str
    item: str
    ratings: Ratings
    values: tuple[int, ...]
    labels: tuple[str, ...]
    is_scale: bool


def load_asked(reader_study: ReaderStudy, readings: Readings, said: Said) -> tuple[Asked, ...]:
    """Everything that this reader study asks and that has values; texts have none."""
    found = [_load(reader_study, readings, said, asked.criterion) for asked in asked_of(reader_study)]
    return tuple(asked for asked in found if asked is not None)


def agreement_figures(readings: Readings, asked: Sequence[Asked]) -> tuple[Figure, ...]:
    first = readings.of(Assignment.Kind.FIRST)
    return (
        _scales(first, [one for one in asked if one.is_scale]),
        _intraclass(readings, first, [one for one in asked if one.is_scale]),
        _choices(first, [one for one in asked if not one.is_scale]),
        _pairs_of_readers(readings, first, asked),
    )


def spread_figures(readings: Readings, asked: Sequence[Asked]) -> tuple[Figure, ...]:
    """How the values are used, and how lenient each reader is."""
    first = readings.of(Assignment.Kind.FIRST)
    return (_distributions(first, asked), *_leniency(readings, first, asked))


def preferred_completion(readings: Readings, votes: Ratings) -> Ratings:
    """Votes as what was preferred, whichever side it stood on: 0 the earlier completion, 1 tie, 2 the later
    one, 3 both bad."""
    a, b = readings.completion_a[votes.reading], readings.completion_b[votes.reading]
    value = votes.value.copy()
    turned = (a > b) & (votes.value != 1) & (votes.value != 3)
    value[turned] = 2 - value[turned]
    return Ratings(votes.reading, votes.item, value)


def _load(reader_study: ReaderStudy, readings: Readings, said: Said, criterion: Criterion) -> Asked | None:
    name, field = criterion.name, criterion.field or criterion.key
    of_five = (FIVE, tuple(str(value) for value in FIVE))
    match field:
        case "plausibility":
            ratings = said.plausibility
            return Asked(criterion.key, name, "step", ratings, *of_five, is_scale=True)
        case "relevance" | "correctness" | "completeness":
            ratings = said.answers[field]
            return Asked(criterion.key, name, "answer", ratings, *of_five, is_scale=True)
        case "harm":
            ratings = said.answers[field]
            return Asked(criterion.key, name, "answer", ratings, (0, 1, 2), ("none", "mild", "severe"), True)
        case "verdict":
            ratings = said.verdicts
            return Asked(
                criterion.key, name, "region", ratings, (0, 1, 2), ("fits", "redrawn", "wrong"), False
            )
        case "grounded" | "overall":
            ratings = preferred_completion(readings, said.votes[field])
            labels = ("earlier", "tie", "later", "both bad")
            return Asked(criterion.key, name, "case", ratings, (0, 1, 2, 3), labels, False)
    if criterion.kind not in (Criterion.Kind.SCALE, Criterion.Kind.CHOICE):
        return None
    options = criterion.options
    ratings = load_criterion(reader_study, readings, criterion.pk, [option["value"] for option in options])
    return Asked(
        criterion.key,
        name,
        str(criterion.target),
        ratings,
        tuple(range(len(options))),
        tuple(str(option["label"]) for option in options),
        criterion.kind == Criterion.Kind.SCALE,
    )


def _scales(first: Chosen, asked: Sequence[Asked]) -> Figure:
    method = ALPHA.format(level="ordinal")
    rows = []
    for one in asked:
        table = as_slots(one.ratings.only(first))
        rows.append((one, _of_several(table, krippendorff_alpha, table, "ordinal"), table))
    return _by_criterion("alpha", "Agreement on the scales", method, rows, marks=(0.667, 0.8))


def _choices(first: Chosen, asked: Sequence[Asked]) -> Figure:
    rows = []
    for one in asked:
        table = as_slots(one.ratings.only(first))
        rows.append((one, _of_several(table, gwet_ac1, table, categories=one.values), table))
    return _by_criterion("ac1", "Agreement on verdicts, votes and choices", AC1, rows)


def _intraclass(readings: Readings, first: Chosen, asked: Sequence[Asked]) -> Figure:
    """ICC(2,1) where every reader rated every item, else ICC(1,1) over items with as many ratings as most."""
    rows = []
    forms = set()
    for one in asked:
        ratings = one.ratings.only(first)
        table = as_table(readings, ratings)
        form = "2,1"
        if table.size == 0 or np.isnan(table).any():
            form, slots = "1,1", as_slots(ratings)
            fewest = 2 if len(slots) < 2 else _most_common_count(slots)
            table = slots[:fewest, (~np.isnan(slots)).sum(axis=0) >= fewest]
        forms.add(form)
        rows.append((one, _of_several(table, icc, table.T, form), table))
    told = " and ".join(f"ICC({form})" for form in sorted(forms)) or "ICC"
    method = (
        f"{told} of single ratings on items rated by all (Shrout and Fleiss 1979), "
        "interval by McGraw and Wong 1996"
    )
    return _by_criterion("icc", "Intraclass correlation of the scales", method, rows, marks=(0.5, 0.75))


def _most_common_count(slots: Numbers) -> int:
    counts = (~np.isnan(slots)).sum(axis=0)
    counts = counts[counts >= 2]
    return int(np.bincount(counts).argmax()) if len(counts) else 2


def _by_criterion(
    key: str,
    title: str,
    method: str,
    rows: Sequence[tuple[Asked, Estimate, Numbers]],
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
        plot=plot,
    )


def _pairs_of_readers(readings: Readings, first: Chosen, asked: Sequence[Asked]) -> Figure:
    title, key = "Agreement of every two readers", "pairs"
    method = "Cohen's kappa, quadratic weights (Cohen 1968), on the items that both rated"
    scale = next((one for one in asked if one.is_scale), None)
    columns = ("reader", "other reader", "kappa", "low", "high", "items")
    if scale is None:
        return missing(key=key, title=title, method=method, note="This reader study asks no scale.")
    ratings = scale.ratings.only(first)
    table = as_table(readings, ratings)
    names = reader_names(readings)
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
    low, size = min(scale.values), len(scale.values)
    for i, j in combinations(range(len(most)), 2):
        both = ~np.isnan(table[most[i]]) & ~np.isnan(table[most[j]])
        pairs = (table[most[i]][both] - low) * size + (table[most[j]][both] - low)
        confusion = np.bincount(pairs.astype(np.int64), minlength=size * size).reshape(size, size)
        found = estimated(cohen_kappa, confusion, "quadratic")
        values[i][j] = values[j][i] = found.value
        edges = found.interval or (None, None)
        rows.append(
            (shown[i], shown[j], rounded(found.value), rounded(edges[0]), rounded(edges[1]), int(both.sum()))
        )
    known = [row[2] for row in rows if isinstance(row[2], float)]
    said = f"{title} on {scale.name}: {len(known)} pairs" + (
        f", from {min(known):.2f} to {max(known):.2f}" if known else ""
    )
    left_out = len(keys) - len(most)
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(rows)),
        method=method,
        n=f"{counted(len(rows), 'pair')} of {counted(len(most), 'reader')}, {scale.name.lower()}",
        value=f"{min(known):.2f} to {max(known):.2f}" if known else "",
        note=f"{counted(left_out, 'reader')} with fewer ratings left out." if left_out else "",
        plot=matrix_plot(shown, values, said=said),
    )


def _distributions(first: Chosen, asked: Sequence[Asked]) -> Figure:
    rows, cells = [], []
    names: tuple[str, ...] = ("1", "2", "3", "4", "5")
    for one in asked:
        ratings = one.ratings.only(first)
        counts = [int((ratings.value == value).sum()) for value in one.values]
        cells += [(one.name, label, count) for label, count in zip(one.labels, counts, strict=True)]
        if one.labels == names:
            rows.append((one.name, counts))
    total = sum(int(cell[2]) for cell in cells)
    return Figure(
        key="distributions",
        title="How the values are used",
        table=Table(("criterion", "value", "ratings"), tuple(cells)),
        method="counts of first readings; the plot shows the scales of 1 to 5, the table all",
        n=counted(total, "rating"),
        note="" if total else "No rating has been signed yet.",
        plot=share_plot(rows, names=names, said="Shares of 1 to 5 for each scale", is_ordered=True)
        if total and rows
        else None,
    )


def _leniency(readings: Readings, first: Chosen, asked: Sequence[Asked]) -> tuple[Figure, ...]:
    scale = next((one for one in asked if one.is_scale), None)
    title, key = "How lenient each reader is", "leniency"
    method = "mean of the reader's ratings, with its interval from the standard error over cases"
    if scale is None or not len(scale.ratings.only(first).item):
        return (missing(key=key, title=title, method=method, note="No scale has been rated yet."),)
    ratings = scale.ratings.only(first)
    names = reader_names(readings)
    who, case = readings.reader[ratings.reading], readings.case[ratings.reading]
    rows: list[tuple[str, float | None, tuple[float, float] | None]] = []
    cells: list[tuple[Cell, ...]] = []
    for reader in np.unique(who):
        mine = who == reader
        _, place = np.unique(case[mine], return_inverse=True)
        by_case = np.bincount(place, ratings.value[mine]) / np.bincount(place)
        mean = float(by_case.mean())
        half = 1.96 * float(by_case.std(ddof=1)) / len(by_case) ** 0.5 if len(by_case) > 1 else None
        interval = None if half is None else (mean - half, mean + half)
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
            plot=interval_plot(
                rows,
                low=float(min(scale.values)),
                high=float(max(scale.values)),
                said=f"{title}: from {min(means):.2f} to {max(means):.2f}",
            ),
        ),
    )


def _of_several(
    table: Numbers, statistic: Callable[P, Estimate], *numbers: P.args, **settings: P.kwargs
) -> Estimate:
    """The estimate, where any item of the table was rated twice."""
    if not table.size or (~np.isnan(table)).sum(axis=0).max() < 2:
        return Estimate(value=None, note="It needs items that 2 readers rated.")
    return estimated(statistic, *numbers, **settings)


def _is(number: int) -> str:
    return "is 1" if number == 1 else f"are {number or 'none'}"
