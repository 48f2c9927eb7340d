"""Lays a result out for its page: tables, where each mark of a forest plot stands, how long each bar is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.safestring import SafeString, mark_safe

from deepmedix_review.evaluation.measuring.case_films import CASE_WORDS
from rl_feedback.evaluation import published
from rl_feedback.evaluation.cases import HEADLINES
from rl_feedback.evaluation.evaluating import MEASURES
from rl_feedback.evaluation.measures import TASK_WORDS
from rl_feedback.evaluation.printing.beside_published import Table, tables_beside
from rl_feedback.evaluation.printing.cases import lost_nothing
from rl_feedback.evaluation.printing.plots import Ink
from rl_feedback.evaluation.printing.radars import radar_of
from rl_feedback.evaluation.printing.tables import absences, told, told_figure
from rl_feedback.evaluation.results import Case, Figure, Report, from_json
from rl_feedback.evaluation.samples import Task

# As wide as the axis above it.
WIDTH, HEIGHT = 180, 22
_MARGIN = 8
_BETTER = {1: "more", -1: "less", 0: "neither"}
# The pages' own colours, on their own ground.
_SCREEN = Ink("#e6eaee", "#39434e", "none", ("#8fc7ff", "#c9a5ff"))


@dataclass(frozen=True)
class Mark:
    """A value with its interval in a row's own pixels; `low_x` and `high_x` are None without an interval."""

    middle_x: float
    low_x: float | None
    high_x: float | None


@dataclass(frozen=True)
class MeasureRow:
    """`values` by system; the mark is the first one's, None where its scale has no end or there is no
    value."""

    label: str
    variant: str
    better: str
    values: tuple[str, ...]
    mark: Mark | None


@dataclass(frozen=True)
class DifferenceRow:
    """Of the first version less the other; the numbers are empty where no direction is better."""

    label: str
    value: str
    p: str
    p_holm: str
    better: str
    same: str
    worse: str
    mark: Mark | None


@dataclass(frozen=True)
class CategoryRow:
    name: str
    num: int
    bars: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class ShownTask:
    """`low` and `high` are the ends of the axis of differences, `zero_x` where there is none; `radar` is an
    SVG, empty where too few measures are there."""

    heading: str
    num: int
    headline: str
    rows: tuple[MeasureRow, ...]
    failed: tuple[tuple[str, str, int], ...]
    differences: tuple[DifferenceRow, ...]
    low: str
    high: str
    zero_x: float
    radar: SafeString
    categories: tuple[CategoryRow, ...]


@dataclass(frozen=True)
class ShownCase:
    """`study` is None where it was erased, or this person may not see it."""

    kind: str
    name: str
    study: UUID | None
    about: str
    measure: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ShownResult:
    """`lost_nothing` are sentences for the tasks that have no worst case; `published` are XrayBench's
    tables of reports, with these versions beside them."""

    systems: tuple[str, ...]
    tasks: tuple[ShownTask, ...]
    notes: tuple[str, ...]
    absent: tuple[str, ...]
    blind_spots: tuple[tuple[str, str, str, str, str], ...]
    num_probed: int
    cases: tuple[ShownCase, ...]
    lost_nothing: tuple[str, ...]
    published: tuple[Table, ...]
    errata: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]
    width: int = WIDTH
    height: int = HEIGHT


def shown_result(result: str, *, studies: Mapping[str, UUID]) -> ShownResult:
    report = from_json(result)
    labels = MEASURES[Task.REPORT]
    return ShownResult(
        systems=report.systems,
        tasks=tuple(_task(report, task) for task in report.sizes),
        notes=report.notes,
        absent=tuple(absences(report)),
        blind_spots=tuple(
            (labels[one.measure].label, told(one.same), told(one.flipped), told(one.swapped),
             labels[one.measure].blind_to)
            for one in report.blind_spots
        ),
        num_probed=report.blind_spots[0].num if report.blind_spots else 0,
        cases=tuple(_case(report, one, studies) for one in report.cases),
        lost_nothing=tuple(lost_nothing(report)),
        published=tuple(tables_beside(report, [task for task in report.sizes if task == Task.REPORT])),
        errata=published.ERRATA,
        provenance=tuple(report.provenance.items()),
    )  # fmt: skip


def _task(report: Report, task: str) -> ShownTask:
    measures = MEASURES[task]
    headline = "rouge_l" if task == Task.REPORT else HEADLINES[task][0]
    compared = [one for one in report.compared if one.task == task]
    bounded = [one for one in compared if measures[one.measure].most == 1.0 and measures[one.measure].better]
    ends = [abs(end) for one in bounded for end in (one.value, one.low, one.high) if end is not None]
    most = max([0.05, *ends])
    return ShownTask(
        heading=TASK_WORDS[task],
        num=sum(report.sizes[task].values()),
        headline=measures[headline].label,
        rows=tuple(_measure_rows(report, task)),
        failed=tuple((one.system, one.reason, one.num) for one in report.failed if one.task == task),
        differences=tuple(
            DifferenceRow(
                label=measures[one.measure].label_with_way,
                value=told(one.value, one.low, one.high),
                p=_p(one.p),
                p_holm=_p(one.p_holm),
                better=f"{one.wins:,}" if measures[one.measure].better else "",
                same=f"{one.ties:,}" if measures[one.measure].better else "",
                worse=f"{one.losses:,}" if measures[one.measure].better else "",
                mark=_mark(one.value, one.low, one.high, -most, most) if one in bounded else None,
            )
            for one in compared
        ),
        low=f"{-most:.2f}",
        high=f"{most:.2f}",
        zero_x=_x(0.0, -most, most),
        radar=_radar(report, task),
        categories=tuple(_categories(report, task, headline)),
    )


def _radar(report: Report, task: str) -> SafeString:
    """The library escapes the names in what it draws."""
    drawn = radar_of(report, task, words=TASK_WORDS[task], ink=_SCREEN)
    return mark_safe("".join(drawn))


def _measure_rows(report: Report, task: str) -> Iterator[MeasureRow]:
    for name, measure in MEASURES[task].items():
        found = [report.figure(task, name, system) for system in report.systems]
        if any(found):
            first = found[0]
            is_drawn = first is not None and measure.most == 1.0
            yield MeasureRow(
                label=measure.label,
                variant=measure.variant,
                better=_BETTER[measure.better],
                values=tuple(told_figure(one) for one in found),
                mark=_mark(first.value, first.low, first.high, 0.0, 1.0) if first and is_drawn else None,
            )


def _categories(report: Report, task: str, headline: str) -> Iterator[CategoryRow]:
    for where, num in report.sizes[task].items():
        found = [report.figure(task, headline, system, where) for system in report.systems]
        yield CategoryRow(where, num, tuple((_value(one), _length(one)) for one in found))


def _case(report: Report, case: Case, studies: Mapping[str, UUID]) -> ShownCase:
    name, _, about = case.uid.partition(" ")
    values = {one.system: told(one.value) for one in case.said}
    return ShownCase(
        kind=CASE_WORDS[case.kind],
        name=name,
        study=studies.get(name),
        about=f"{about}, {case.where}",
        measure=MEASURES[case.task][case.measure].label,
        values=tuple(values.get(system, "") for system in report.systems),
    )


def _mark(
    value: float | None, low: float | None, high: float | None, start: float, end: float
) -> Mark | None:
    if value is None:
        return None
    edges = [None if edge is None else _x(edge, start, end) for edge in (low, high)]
    return Mark(_x(value, start, end), *edges)


def _x(value: float, start: float, end: float) -> float:
    inside = min(1.0, max(0.0, (value - start) / (end - start)))
    return round(_MARGIN + inside * (WIDTH - 2 * _MARGIN), 1)


def _value(one: Figure | None) -> str:
    return told(one.value if one else None)


def _length(one: Figure | None) -> float:
    value = one.value if one else None
    return round(WIDTH * min(1.0, max(0.0, value or 0.0)), 1)


def _p(value: float | None) -> str:
    if value is None:
        return "none"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
