"""What a reader study set out to find: how good each thing was found, and what the votes went to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from deepmedix_review.reviews.models import Assignment
from deepmedix_review.reviews.results.columns import Chosen, Keys, Numbers
from deepmedix_review.reviews.results.figures import (
    TOO_FEW_CASES,
    Cell,
    Figure,
    Table,
    missing,
    rough_note,
    rounded,
    too_few,
)
from deepmedix_review.reviews.results.intervals import edges_of, said_interval, unless_all_alike
from deepmedix_review.reviews.results.plots import Plot, interval_plot, stacked
from deepmedix_review.reviews.results.rated import MOST_MARKS, RatedCriterion
from deepmedix_review.reviews.results.readings import Readings, Said
from deepmedix_review.reviews.results.versions import EVERY, Versions
from rl_feedback.agreement import Clustered, clustered_mean, clustered_share, paired_difference
from rl_feedback.counting import counted

# What begins with its question.
Row = TypeVar("Row", bound=tuple[RatedCriterion, *tuple[Any, ...]])
RANDOM_SIDES = "Both outputs are one version's, dealt to the sides at random."


def found_figures(
    readings: Readings, said: Said, rated: Sequence[RatedCriterion], versions: Versions | None
) -> tuple[Figure, ...]:
    first = readings.of(Assignment.Kind.FIRST)
    scales = [_scaled(readings, one, versions) for one in rated if one.is_scale]
    return (
        *([_differences(scales, versions)] if versions is not None and len(versions.names) == 2 else []),
        _means(scales, versions),
        *(_shares(readings, first, said, one, versions) for one in rated if one.vote),
    )


@dataclass(frozen=True)
class _Scaled:
    """All first ratings on a scale, one row each: points, case, reading, and the place of the version that
    was rated, -1 where it was both; none where one version was shown."""

    criterion: RatedCriterion
    points: Numbers
    case: Keys
    reading: Keys
    version: Keys | None


def _scaled(readings: Readings, one: RatedCriterion, versions: Versions | None) -> _Scaled:
    ratings = one.first
    version = (
        versions.of(readings, ratings, one.item) if versions is not None and len(ratings.value) else None
    )
    return _Scaled(one, one.points_of(ratings), readings.case[ratings.reading], ratings.reading, version)


def _differences(scales: Sequence[_Scaled], versions: Versions) -> Figure:
    """What a reader study of two versions was made for."""
    lower, higher = versions.names
    title = f"{higher} against {lower}"
    pairs = "case" if versions.one_a_reading else "reading"
    method = (
        f"{higher}'s mean points less {lower}'s within each {pairs}, the mean over these, its 95 % interval "
        "from the variance between cases (Cochran 1977) and Student's t; it holds for these readers"
    )
    columns = (
        "question",
        "difference",
        "low",
        "high",
        "half width",
        "verdict",
        "scale",
        "better",
        "cases",
        f"{pairs}s",
    )
    rows: list[tuple[RatedCriterion, Clustered]] = []
    for one in scales:
        if one.version is None:
            continue
        of = one.version >= 0
        pair = one.case if versions.one_a_reading else one.reading
        difference = paired_difference(one.points[of], one.version[of] == 1, pair[of], one.case[of])
        found = unless_all_alike(difference)
        if found.value is not None:
            rows.append((one.criterion, found))
    if not rows:
        note = f"No {pairs} has ratings of both versions on a scale yet."
        return missing(key="differences", title=title, method=method, note=note, columns=columns)
    cells: list[tuple[Cell, ...]] = [
        (
            one.name,
            rounded(found.value),
            *edges_of(found),
            _told_apart(found, lower=lower, higher=higher),
            _scale(one),
            one.better,
            found.num_clusters,
            found.num,
        )
        for one, found in rows
    ]
    lead, best = rows[0]
    return Figure(
        key="differences",
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=", ".join(
            dict.fromkeys(
                (
                    counted(max(found.num for _, found in rows), pairs),
                    counted(max(found.num_clusters for _, found in rows), "case"),
                )
            )
        ),
        value=f"{lead.name} {best.value:+.2f}",
        interval=said_interval(best),
        note=_rough([found for _, found in rows]),
        plot=stacked(
            [
                (f"{_points_of(alike[0][0])}; right: {higher} higher", _apart_plot(alike))
                for alike in _by_scale(rows)
            ],
            said=f"{title}: "
            + ", ".join(f"{one.name} {found.value:+.2f}{_direction(one)}" for one, found in rows),
        ),
    )


def _apart_plot(rows: Sequence[tuple[RatedCriterion, Clustered]]) -> Plot:
    """Of questions on one scale."""
    far = max(abs(edge) for _, found in rows for edge in (found.value or 0.0, *(found.interval or ())))
    far = max(1.0, math.ceil(2 * far) / 2)
    return interval_plot(
        [(one.name, found.value, found.interval) for one, found in rows],
        low=-far,
        high=far,
        marks=(0,),
        unit="points",
        said="",
    )


def _told_apart(found: Clustered, *, lower: str, higher: str) -> str:
    """In words, by the interval."""
    if found.interval is None or found.num_clusters < TOO_FEW_CASES:
        return too_few(found.num_clusters)
    low, high = found.interval
    if low > 0:
        return f"{higher} is rated higher"
    return f"{lower} is rated higher" if high < 0 else "no difference can be told"


def _means(scales: Sequence[_Scaled], versions: Versions | None) -> Figure:
    key, title = "means", "Mean rating of each question"
    method = (
        "mean of all first ratings, its 95 % interval from the variance between cases (Cochran 1977) and "
        "Student's t, as the plan expects it, within the ends of the scale; it holds for these readers"
    )
    columns = ("question", "of", "mean", "low", "high", "half width", "scale", "better", "cases", "ratings")
    rows: list[tuple[RatedCriterion, str, Clustered]] = []
    for scaled in scales:
        one, points, case, of = scaled.criterion, scaled.points, scaled.case, scaled.version
        rows.append((one, EVERY, unless_all_alike(clustered_mean(points, case))))
        if versions is not None and of is not None:
            for place, name in enumerate(versions.names):
                if (of == place).any():
                    mean = clustered_mean(points[of == place], case[of == place])
                    rows.append((one, name, unless_all_alike(mean)))
    rows = [row for row in rows if row[2].value is not None]
    if not rows:
        note = "No scale has been rated yet." if scales else "This reader study asks no scale."
        return missing(key=key, title=title, method=method, note=note, columns=columns)
    cells: list[tuple[Cell, ...]] = [
        (
            one.name,
            of,
            rounded(found.value),
            *edges_of(found, scale=one.numbers),
            _scale(one),
            one.better,
            found.num_clusters,
            found.num,
        )
        for one, of, found in rows
    ]
    lead, _, best = rows[0]
    whole = [found for _, of, found in rows if of == EVERY]
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(sum(found.num for found in whole), 'rating')} of {counted(len(whole), 'question')}, "
        f"{counted(max(found.num_clusters for found in whole), 'case')}",
        value=f"{lead.name} {best.value:.2f}",
        interval=said_interval(best, scale=lead.numbers),
        note=_rough([found for _, _, found in rows]),
        plot=stacked(
            [(_points_of(alike[0][0]), _means_plot(alike)) for alike in _by_scale(rows)],
            said="Mean ratings: "
            + ", ".join(
                f"{one.name}, {of}, {found.value:.2f} on {_scale(one)}{_direction(one)}"
                for one, of, found in rows
            ),
        ),
    )


def _means_plot(rows: Sequence[tuple[RatedCriterion, str, Clustered]]) -> Plot:
    """Of questions on one scale."""
    numbers = rows[0][0].numbers
    return interval_plot(
        [
            (one.name if of == EVERY else f"{one.name}, {of}", found.value, found.interval)
            for one, of, found in rows
        ],
        low=min(numbers),
        high=max(numbers),
        marks=numbers if len(numbers) <= MOST_MARKS else (),
        groups=[of for _, of, _ in rows] if any(of != EVERY for _, of, _ in rows) else (),
        unit="points",
        said="",
    )


def _by_scale(rows: Sequence[Row]) -> list[list[Row]]:
    """Those on one scale, with one end of it the good one, have one plot: the others' points are others."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((_scale(row[0]), row[0].better), []).append(row)
    return list(found.values())


def _points_of(one: RatedCriterion) -> str:
    return f"Points, {_scale(one)}{_direction(one)}"


def _direction(one: RatedCriterion) -> str:
    return f", {one.better} is better" if one.better else ""


def _shares(
    readings: Readings, first: Chosen, said: Said, one: RatedCriterion, versions: Versions | None
) -> Figure:
    """Of the votes of one question: to which version they went, or to which side where both are one's."""
    key, title = f"votes-{one.vote}", f"Votes, {one.name.lower()}"
    what = "version" if versions else "side"
    method = (
        f"share of first votes by {what}, Wilson's 95 % interval (1927) at the effective number of votes, "
        "which is smaller where votes on one case are alike (Korn and Graubard 1998), as the plan expects it"
    )
    columns = ("vote", "share", "low", "high", "half width", "votes for it", "votes", "cases")
    ratings = one.first if versions else said.votes[one.vote].only(first)
    if not len(ratings.value):
        return missing(
            key=key, title=title, method=method, note="No vote has been signed yet.", columns=columns
        )
    names = one.labels if versions else ("A", "tie", "B", "both bad")
    case = readings.case[ratings.reading]
    found = [
        (name, clustered_share((ratings.value == value).astype(float), case))
        for value, name in zip(one.values, names, strict=True)
    ]
    cells: list[tuple[Cell, ...]] = [
        (
            name,
            rounded(share.value),
            *edges_of(share),
            int((ratings.value == value).sum()),
            share.num,
            share.num_clusters,
        )
        for value, (name, share) in zip(one.values, found, strict=True)
    ]
    name, share = found[2] if versions else found[0]
    tie, tied = found[1]
    assert share.value is not None
    assert tied.value is not None
    notes = (
        "" if versions else RANDOM_SIDES,
        _rough([share]),
    )
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(share.num, 'vote')} on {counted(share.num_clusters, 'case')}",
        value=f"{name} {share.value:.2f}{f' ({tie} {tied.value:.2f})' if tied.value > share.value else ''}",
        interval=said_interval(share),
        note=" ".join(filter(None, notes)),
        plot=interval_plot(
            [(name, share.value, share.interval) for name, share in found],
            low=0,
            high=1,
            marks=(0.5,),
            unit="share",
            said=f"{title}: " + ", ".join(f"{name} {share.value:.2f}" for name, share in found),
        ),
    )


def _scale(one: RatedCriterion) -> str:
    """Its ends, with their names where these are no numbers."""
    ends = [
        f"{number:g}" if label == f"{number:g}" else f"{number:g} {label}"
        for number, label in zip(one.numbers, one.labels, strict=True)
    ]
    return f"{ends[0]} to {ends[-1]}"


def _rough(found: Sequence[Clustered]) -> str:
    return rough_note(min(each.num_clusters for each in found))
