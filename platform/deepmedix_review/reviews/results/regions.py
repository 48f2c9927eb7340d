"""Where on the image readers disagree, and whether they mark the same places."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.urls import reverse

from deepmedix_review.reviews.models import Assignment, Case
from deepmedix_review.reviews.results.columns import Keys, Numbers, distinct
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
from deepmedix_review.reviews.results.maps import heat_map
from deepmedix_review.reviews.results.readings import VERDICTS, Ratings, Readings, Said
from deepmedix_review.reviews.results.shown import Shown
from deepmedix_review.studies.models import Study
from rl_feedback.agreement import RegionAgreement, region_agreement
from rl_feedback.counting import counted

GRID = 24
# Matching every reader's boxes with every other's grows with the square of the readers.
MOST_CASES_MATCHED = 150
SEED = 0
MOST_CASES_SHOWN = 8
# By reading and output what a reader marks there: a region without a verdict is not there.
_MARKED = """
SELECT said.reading_id, step.completion_id,
    COALESCE(said.x_min, region.x_min), COALESCE(said.y_min, region.y_min),
    COALESCE(said.x_max, region.x_max), COALESCE(said.y_max, region.y_max)
FROM reviews_regionannotation said JOIN reasoning_region region ON region.id = said.region_id
JOIN reasoning_reasoningstep step ON step.id = region.step_id
WHERE said.reading_id = ANY(%(readings)s) AND said.verdict <> 'wrong'
UNION ALL
SELECT drawn.reading_id, step.completion_id, drawn.x_min, drawn.y_min, drawn.x_max, drawn.y_max
FROM reviews_drawnregion drawn JOIN reasoning_reasoningstep step ON step.id = drawn.step_id
WHERE drawn.reading_id = ANY(%(readings)s)
"""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Disputed:
    """One row a region with two or more verdicts: its case, its edges as shares of the film, how far its
    readers are from one verdict, and the share who would not leave it as it is."""

    region: Keys
    case: Keys
    edges: Numbers
    disagreement: Numbers
    refused: Numbers
    num_verdicts: Keys


@dataclass(frozen=True)
class _Film:
    """What a map of one case is drawn over; without an address it is not shown."""

    case: int
    position: int
    label: str
    address: str
    aspect: float


@dataclass(frozen=True)
class Marks:
    """What the figures of regions need of the database: `boxes` by case and output what each reader leaves,
    redraws or adds there, of `num_drawn` of the `num_cases` that two readers or more signed; `films` of the
    most disputed cases, with the mean disagreement of each."""

    disputed: Disputed
    films: tuple[tuple[_Film, float], ...]
    boxes: list[list[list[Box] | None]]
    num_cases: int
    num_drawn: int


def load_marks(readings: Readings, said: Said, shown: Shown) -> Marks:
    first = readings.of(Assignment.Kind.FIRST)
    disputed = _disputed(readings, said.verdicts.only(first), shown)
    cases, counts = np.unique(readings.case[first], return_counts=True)
    cases = drawn = cases[counts >= 2]
    if len(cases) > MOST_CASES_MATCHED:
        drawn = np.random.default_rng(SEED).choice(cases, MOST_CASES_MATCHED, replace=False)
    chosen = np.flatnonzero(first & np.isin(readings.case, drawn))
    return Marks(disputed, _films(disputed), _boxes_by_item(readings, chosen), len(cases), len(drawn))


def region_figures(marks: Marks) -> tuple[Figure, ...]:
    """Nothing here asks the database."""
    disputed = marks.disputed
    return (
        _matched(marks),
        _map_of_all(
            "where-readers-disagree",
            "Where on the film readers disagree",
            "share of verdicts that differ from the commonest one, averaged over the regions on a place",
            disputed,
            disputed.disagreement,
        ),
        _map_of_all(
            "where-regions-are-refused",
            "Where the model points wrongly",
            "share of verdicts that are redrawn or wrong, averaged over the regions on a place",
            disputed,
            disputed.refused,
        ),
        *(_map_of_case(film, mean, disputed) for film, mean in marks.films),
    )


def _disputed(readings: Readings, verdicts: Ratings, shown: Shown) -> Disputed:
    regions, place = distinct(verdicts.item)
    counts = np.bincount(place, minlength=len(regions))
    case = np.zeros(len(regions), dtype=np.int64)
    case[place] = readings.case[verdicts.reading]
    many = len(VERDICTS)
    counted_at = place * many + verdicts.value.astype(np.int64)
    by_verdict = np.bincount(counted_at, minlength=many * len(regions)).reshape(-1, many).T
    several = counts >= 2
    return Disputed(
        region=regions[several],
        case=case[several],
        edges=shown.edges_of(regions[several]),
        disagreement=1 - by_verdict.max(axis=0)[several] / counts[several],
        refused=1 - by_verdict[VERDICTS.index("fits")][several] / counts[several],
        num_verdicts=counts[several],
    )


def coverage(edges: Numbers, weight: Numbers) -> Numbers:
    """GRID x GRID: the mean weight of the boxes that cover each cell, 0 where none does. By sums over
    corners, so that a million boxes take no longer than their cells."""
    low = np.floor(edges[:, :2] * GRID).astype(int).clip(0, GRID - 1)
    high = np.ceil(edges[:, 2:] * GRID).astype(int).clip(1, GRID)
    high = np.maximum(high, low + 1)
    side = GRID + 1
    corners = [(low, low, 1), (low, high, -1), (high, low, -1), (high, high, 1)]
    sums = []
    for amount in (weight, np.ones(len(edges))):
        at = np.zeros(side * side)
        for rows, columns, sign in corners:
            at += sign * np.bincount(rows[:, 1] * side + columns[:, 0], amount, minlength=side * side)
        sums.append(at.reshape(side, side).cumsum(axis=0).cumsum(axis=1)[:GRID, :GRID])
    total, number = sums
    return np.asarray(np.divide(total, number, out=np.zeros_like(total), where=number > 0.5))


def _map_of_all(key: str, title: str, method: str, disputed: Disputed, weight: Numbers) -> Figure:
    method = f"{method}; regions with 2 verdicts or more, films scaled to one square of {GRID} x {GRID} cells"
    if not len(disputed.region):
        return missing(
            key=key, title=title, method=method, note="No region has been judged by 2 readers yet."
        )
    grid = coverage(disputed.edges, weight)
    row, column = np.unravel_index(int(grid.argmax()), grid.shape)
    cells: list[tuple[Cell, ...]] = [
        (int(y) + 1, int(x) + 1, rounded(grid[y, x])) for y, x in zip(*np.nonzero(grid), strict=True)
    ]
    return Figure(
        key=key,
        title=title,
        table=Table(("row of 24 from the top", "column of 24 from the left", "share"), tuple(cells)),
        method=method,
        n=_count_of(disputed.num_verdicts),
        value=f"mean share {float(weight.mean()):.2f}",
        plot=heat_map(
            grid.tolist(),
            unit="highest share",
            said=f"{title}: highest {grid.max():.2f} at row {row + 1}, column {column + 1} of 24",
        ),
    )


def _films(disputed: Disputed) -> tuple[tuple[_Film, float], ...]:
    """Of the cases on whose regions readers are farthest from one verdict."""
    cases, place = np.unique(disputed.case, return_inverse=True)
    mean = np.bincount(place, disputed.disagreement) / np.bincount(place)
    worst = [int(row) for row in np.argsort(-mean, kind="stable")[:MOST_CASES_SHOWN] if mean[row] > 0]
    keys = cases[worst].tolist()
    shown = Case.objects.filter(pk__in=keys).select_related("study")
    sizes: dict[int, list[Any]] = {
        case: film
        for case, *film in shown.values_list(
            "pk",
            "completions__instance__uid",
            "completions__instance__columns",
            "completions__instance__rows",
        )
    }
    films = {}
    for case in shown:
        uid, columns, rows = sizes[case.pk]
        is_shown = uid and case.study.state == Study.State.READY
        films[case.pk] = _Film(
            case=case.pk,
            position=case.position,
            label=case.study.label,
            address=reverse("film-picture", args=[uid]) if is_shown else "",
            aspect=(rows / columns) if rows and columns else 1.0,
        )
    return tuple((films[key], float(mean[row])) for key, row in zip(keys, worst, strict=True))


def _map_of_case(film: _Film, mean: float, disputed: Disputed) -> Figure:
    here = disputed.case == film.case
    grid = coverage(disputed.edges[here], disputed.disagreement[here])
    regions = zip(
        disputed.num_verdicts[here], disputed.disagreement[here], disputed.refused[here], strict=True
    )
    return Figure(
        key=f"case-{film.position}",
        title=f"Disputed: case {film.position}",
        table=Table(
            ("region", "verdicts", "disagreement", "refused"),
            tuple(
                (number, int(n), rounded(differ), rounded(refused))
                for number, (n, differ, refused) in enumerate(regions, start=1)
            ),
        ),
        method="share of each region's verdicts that differ from the commonest one",
        n=_count_of(disputed.num_verdicts[here]),
        value=f"mean share {mean:.2f}",
        interval=film.label,
        plot=heat_map(
            grid.tolist(),
            unit="highest share",
            said=f"Case {film.position}: mean disagreement {mean:.2f}",
            film=film.address,
            aspect=film.aspect,
        ),
    )


def _count_of(num_verdicts: Keys) -> str:
    return f"{counted(len(num_verdicts), 'region')}, {counted(int(num_verdicts.sum()), 'verdict')}"


def _matched(marks: Marks) -> Figure:
    key, title = "regions", "Do readers mark the same places"
    method = (
        "the regions that each reader leaves, redraws or adds, matched two readers at a time by the "
        "Hungarian method; mean IoU, unmatched regions count 0; interval by 1,000 bootstrap draws of items"
    )
    if not marks.num_cases:
        return missing(key=key, title=title, method=method, note="No case has been signed by 2 readers yet.")
    if marks.num_drawn < marks.num_cases:
        method += f"; {marks.num_drawn} of {marks.num_cases:,} cases drawn by seed"
    items = marks.boxes
    found = estimated(region_agreement, items, seed=SEED)
    shares = found.shares_found if isinstance(found, RegionAgreement) else ()
    cells: list[tuple[Cell, ...]] = [("mean IoU", rounded(found.value))]
    if found.interval is not None:
        ends = zip(("low", "high"), found.interval, strict=True)
        cells += [(f"mean IoU, {end} end of its interval", rounded(value)) for end, value in ends]
    cells += [(f"found at IoU {threshold:g}", rounded(share)) for threshold, share in shares]
    compared = [boxes for boxes in items if len(boxes) >= 2]
    num_regions = sum(len(own) for boxes in compared for own in boxes if own)
    return Figure(
        key=key,
        title=title,
        table=Table(("measure", "value"), tuple(cells)),
        method=method,
        n=f"{counted(len(compared), 'output')} that 2 readers or more saw, "
        f"{counted(marks.num_drawn, 'case')}, "
        f"{counted(num_regions, 'region')} of all readers",
        value=f"mean IoU {written(found.value)}" if found.value is not None else "",
        interval=written_interval(found),
        note=found.note,
    )


def _boxes_by_item(readings: Readings, chosen: Keys) -> list[list[list[Box] | None]]:
    """By case and completion: each reader's boxes, film pixels."""
    boxes: dict[tuple[int, int], list[Box]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_MARKED, {"readings": readings.key[chosen].tolist()})
        for reading, completion, *edges in cursor:
            boxes[reading, completion].append((edges[0], edges[1], edges[2], edges[3]))
    items: dict[tuple[int, int], list[list[Box] | None]] = defaultdict(list)
    rows = (column[chosen].tolist() for column in (readings.case, readings.key))
    shown = zip(readings.completion_a[chosen].tolist(), readings.completion_b[chosen].tolist(), strict=True)
    for case, key, completions in zip(*rows, shown, strict=True):
        for completion in filter(None, completions):
            items[case, completion].append(boxes[key, completion])
    return list(items.values())
