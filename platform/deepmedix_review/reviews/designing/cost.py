"""What a reader study will cost before it starts, and what more cases would buy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils import timezone

from deepmedix_review.reviews.designs import ReaderStudyDesign, ReadingTimes, StudyPlan, plan
from deepmedix_review.reviews.designs.planning import AnswerKind

PLOT_WIDTH, PLOT_HEIGHT = 320, 150
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 20


@dataclass(frozen=True)
class WidthLine:
    """How wide an interval will be by the number of cases; `points` are an SVG polyline's."""

    name: str
    points: str
    x: float
    y: float
    half_width: float


@dataclass(frozen=True)
class WidthRow:
    num_cases: int
    alpha: float | None
    region: float | None
    vote: float | None
    minutes_per_reader: float
    is_this: bool


@dataclass(frozen=True)
class WidthPlot:
    """Expected half widths of 95 % intervals against the number of cases, and the same as a table."""

    lines: tuple[WidthLine, ...]
    rows: tuple[WidthRow, ...]
    x_ticks: tuple[tuple[float, int], ...]
    y_ticks: tuple[tuple[float, str], ...]
    width: int = PLOT_WIDTH
    height: int = PLOT_HEIGHT
    left: int = LEFT
    right: int = PLOT_WIDTH - RIGHT
    bottom: int = PLOT_HEIGHT - BOTTOM


# How far the plot reaches up: the half, which has a tick too, is as round.
HEIGHTS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0)


def plan_study(
    design: ReaderStudyDesign,
    *,
    num_cases: int,
    num_readers: int,
    num_taught: int,
    deadline: date | None,
    times: ReadingTimes,
    asks: frozenset[AnswerKind],
    seed: int = 1,
) -> StudyPlan:
    return plan(
        design,
        num_cases=num_cases,
        readers=num_readers,
        seconds_per_reading=times,
        num_taught=num_taught,
        num_days=(deadline - timezone.localdate()).days if deadline else None,
        asks=asks,
        seed=seed,
    )


def width_plot(
    design: ReaderStudyDesign,
    *,
    this: StudyPlan,
    num_readers: int,
    num_taught: int,
    asks: frozenset[AnswerKind],
) -> WidthPlot | None:
    """None where the design gives no interval, or there is no case yet."""
    num_cases = this.num_data_cases + this.num_control_cases
    if num_cases < 2 or (this.alpha_half_width is None and this.vote_half_width is None):
        return None
    numbers = _numbers(num_cases)
    plans = [
        plan(
            replace(design, num_anchor_cases=min(design.num_anchor_cases, number)),
            num_cases=number,
            readers=num_readers,
            seconds_per_reading=this.times,
            num_taught=num_taught,
            asks=asks,
        )
        for number in numbers
    ]
    named = (
        ("alpha", [found.alpha_half_width for found in plans], this.alpha_half_width),
        ("share of votes", [found.vote_half_width for found in plans], this.vote_half_width),
    )
    largest = max(width for _, widths, _ in named for width in widths if width is not None)
    highest = next(top for top in HEIGHTS if top >= min(largest, 2.0))

    def x(number: int) -> float:
        return round(LEFT + (PLOT_WIDTH - LEFT - RIGHT) * number / numbers[-1], 1)

    def y(width: float) -> float:
        return round(PLOT_HEIGHT - BOTTOM - (PLOT_HEIGHT - TOP - BOTTOM) * min(width, highest) / highest, 1)

    lines = tuple(
        WidthLine(
            name,
            " ".join(
                f"{x(number)},{y(width)}"
                for number, width in zip(numbers, widths, strict=True)
                if width is not None
            ),
            x(num_cases),
            y(here),
            here,
        )
        for name, widths, here in named
        if here is not None
    )
    return WidthPlot(
        lines=lines,
        rows=_rows(plans, numbers, num_cases),
        x_ticks=tuple((x(number), number) for number in (0, numbers[-1] // 2, numbers[-1])),
        y_ticks=tuple((y(share * highest), f"{share * highest:.2g}") for share in (0.0, 0.5, 1.0)),
    )


def _numbers(num_cases: int) -> list[int]:
    """From a few cases to twice as many as there are, about 25 steps, with the number itself among them."""
    last = max(2 * num_cases, 40)
    step = max(1, last // 25)
    return sorted({*range(min(4, num_cases), last, step), num_cases, last})


def _rows(plans: Sequence[StudyPlan], numbers: Sequence[int], num_cases: int) -> tuple[WidthRow, ...]:
    by_number = dict(zip(numbers, plans, strict=True))
    wanted = (0.5 * num_cases, num_cases, 1.5 * num_cases, 2 * num_cases)
    shown = {_nearest(numbers, number) for number in wanted}
    return tuple(
        WidthRow(
            number,
            by_number[number].alpha_half_width,
            by_number[number].region_half_width,
            by_number[number].vote_half_width,
            by_number[number].minutes_per_reader.median,
            number == num_cases,
        )
        for number in sorted(shown)
    )


def _nearest(numbers: Sequence[int], wanted: float) -> int:
    return min(numbers, key=lambda number: abs(number - wanted))
