"""What readers say that outputs left out: how often, and each finding in their words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Count

from deepmedix_review.reviews.models import Assignment, Case, MissedFinding, ReaderStudy
from deepmedix_review.reviews.results.columns import Keys, distinct_rows, places_of
from deepmedix_review.reviews.results.figures import (
    NONE_COUNTS,
    Cell,
    Figure,
    Table,
    missing,
    rough_note,
    rounded,
    written_interval,
)
from deepmedix_review.reviews.results.intervals import edges_of
from deepmedix_review.reviews.results.plots import interval_plot
from deepmedix_review.reviews.results.readings import Readings
from deepmedix_review.reviews.results.versions import EVERY, Versions, names_of_outputs
from rl_feedback.agreement import clustered_share
from rl_feedback.counting import counted

SHARE, LIST = "missed-share", "missed-findings"


@dataclass(frozen=True)
class _Outputs:
    """Each output that a first reading showed, one row each: the reading's place, the completion, and how
    many findings its reader says that it missed."""

    reading: Keys
    completion: Keys
    num_missed: Keys


@dataclass(frozen=True)
class _Named:
    """One finding in its reader's words, and how many regions were drawn for it; `reading` is its place."""

    reading: int
    completion: int
    text: str
    num_regions: int


def missed_figures(
    reader_study: ReaderStudy, readings: Readings, versions: Versions | None
) -> tuple[Figure, ...]:
    first = readings.only(readings.of(Assignment.Kind.FIRST))
    named = _named(reader_study, first)
    return (_shares(first, _outputs(first, named), versions), _list(reader_study, first, named, versions))


def _named(reader_study: ReaderStudy, first: Readings) -> list[_Named]:
    found = list(
        MissedFinding.objects.filter(reading__assignment__case__reader_study=reader_study)
        .order_by("pk")
        .annotate(num_regions=Count("regions"))
        .values_list("reading", "completion", "text", "num_regions")
    )
    counts, places = places_of(np.array([row[0] for row in found], dtype=np.int64), first.key)
    of_first = [row[1:] for row, is_first in zip(found, counts, strict=True) if is_first]
    return [
        _Named(place, completion, text, number)
        for place, (completion, text, number) in zip(places.tolist(), of_first, strict=True)
    ]


def _outputs(first: Readings, named: Sequence[_Named]) -> _Outputs:
    places = np.arange(len(first))
    has_b = first.completion_b > 0
    reading = np.concatenate([places, places[has_b]])
    completion = np.concatenate([first.completion_a, first.completion_b[has_b]])
    row_of_b = len(first) + np.cumsum(has_b) - 1
    num_missed = np.zeros(len(reading), dtype=np.int64)
    for one in named:
        is_a = first.completion_a[one.reading] == one.completion
        num_missed[one.reading if is_a else row_of_b[one.reading]] += 1
    return _Outputs(reading, completion, num_missed)


def _shares(first: Readings, outputs: _Outputs, versions: Versions | None) -> Figure:
    title = "How often an output missed something"
    method = (
        "the share of outputs of which their reader named a missed finding, one reading at a time; its 95 % "
        "interval from the variance between cases (Korn and Graubard 1998)"
    )
    columns = (
        "outputs of",
        "share",
        "low",
        "high",
        "half width",
        "findings per output",
        "outputs read",
        "cases",
    )
    if not len(outputs.reading):
        return missing(key=SHARE, title=title, method=method, note=NONE_COUNTS, columns=columns)
    groups = [(EVERY, np.ones(len(outputs.reading), dtype=np.bool_))]
    if versions is not None:
        of = versions.of_completions(outputs.completion)
        groups = [(name, of == place) for place, name in enumerate(versions.names)]
    rows: list[tuple[Cell, ...]] = []
    drawn = []
    for name, chosen in groups:
        missed = outputs.num_missed[chosen]
        found = clustered_share((missed > 0).astype(float), first.case[outputs.reading[chosen]].astype(float))
        per_output = rounded(float(missed.mean())) if len(missed) else None
        rows.append(
            (
                name,
                rounded(found.value),
                *edges_of(found),
                per_output,
                found.num,
                found.num_clusters,
            )
        )
        drawn.append((name, found))
    name, best = drawn[0]
    told = "" if versions is None else f"{name} "
    return Figure(
        key=SHARE,
        title=title,
        table=Table(columns, tuple(rows)),
        method=method,
        n=f"{counted(len(outputs.reading), 'output')} read, {counted(len(set(first.case.tolist())), 'case')}",
        value="" if best.value is None else f"{told}{best.value:.2f}",
        interval=written_interval(best),
        note=rough_note(min(found.num_clusters for _, found in drawn)),
        plot=interval_plot(
            [(name, found.value, found.interval) for name, found in drawn],
            low=0,
            high=1,
            unit="share",
            said=f"{title}: "
            + ", ".join(f"{name} {found.value:.2f}" for name, found in drawn if found.value is not None),
        ),
    )


def _list(
    reader_study: ReaderStudy, first: Readings, named: Sequence[_Named], versions: Versions | None
) -> Figure:
    """One row for each output of a case and each wording; the same words count together."""
    columns = ("case", "output", "missed finding", "readers", "of", "drawn by")
    title = "What readers say was missed"
    method = (
        "the findings that first readings name, the same words together whatever their capitals; readers of "
        "how many that read the case, and how many of them drew where"
    )
    if not named:
        note = "No reader named a finding that an output missed." if len(first) else NONE_COUNTS
        return missing(key=LIST, title=title, method=method, note=note, columns=columns)
    (cases, _), _ = distinct_rows(np.stack([first.case, first.reader]))
    read = dict(zip(*(column.tolist() for column in np.unique(cases, return_counts=True)), strict=True))
    position = dict(Case.objects.filter(reader_study=reader_study).values_list("pk", "position"))
    output_of = names_of_outputs(first, versions)
    groups: dict[tuple[int, str, str], list[_Named]] = {}
    for one in named:
        case = int(first.case[one.reading])
        words = " ".join(one.text.lower().split())
        groups.setdefault((case, output_of[one.completion], words), []).append(one)
    rows: list[tuple[Cell, ...]] = []
    for (case, output, _), group in groups.items():
        who = {int(first.reader[one.reading]) for one in group}
        drew = {int(first.reader[one.reading]) for one in group if one.num_regions}
        rows.append((position[case], output, group[0].text, len(who), read[case], len(drew)))
    # Within an output of a case what most readers name comes first.
    rows.sort(key=lambda row: (row[0], row[1], -int(row[3] or 0), str(row[2]).lower()))
    num_cases = len({row[0] for row in rows})
    return Figure(
        key=LIST,
        title=title,
        table=Table(columns, tuple(rows)),
        method=method,
        n=f"{counted(len(named), 'finding')} in {counted(num_cases, 'case')}",
    )
