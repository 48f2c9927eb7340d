"""Lays out how fast versions answer: where each line and dot stands, for the templates to draw as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deepmedix_review.common.dates import say_clock, say_day
from deepmedix_review.evaluation.answer_times import Answered, Span, beginning
from deepmedix_review.feedback.templatetags.figures import figure

WIDTH, HEIGHT = 420, 96
_TOP, _FOOT = 6, 4
_BLUE, _ORANGE, _GREEN, _VIOLET = "#6cb6ff", "#e0a23c", "#3fb984", "#b79df2"


@dataclass(frozen=True)
class SpeedLine:
    """One figure over time; `points` of each unbroken stretch, `dots` of each hour or day with an answer."""

    label: str
    colour: str
    stretches: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    last: float


@dataclass(frozen=True)
class SpeedPlot:
    """Lines on one scale from 0 to `highest`."""

    title: str
    unit: str
    highest: float
    lines: tuple[SpeedLine, ...]
    said: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class SpeedRow:
    """The same as numbers, for the table below the plots."""

    at: str
    one: Answered


@dataclass(frozen=True)
class Speeds:
    """Of a version or an engine; `from_` and `to` are the ends of the axis. Without an answer no plot."""

    title: str
    span: Span
    plots: tuple[SpeedPlot, ...]
    rows: tuple[SpeedRow, ...]
    from_: str
    to: str
    num_completions: int


def speeds(title: str, found: Sequence[Answered], *, span: Span, now: datetime) -> Speeds:
    first = beginning(span, now=now)
    return Speeds(
        title=title,
        span=span,
        plots=_plots(found, span, first) if found else (),
        rows=tuple(SpeedRow(_said(one.at, span), one) for one in reversed(found)),
        from_=_said(first, span),
        to=_said(now, span),
        num_completions=sum(one.num_completions for one in found),
    )


def _plots(found: Sequence[Answered], span: Span, first: datetime) -> tuple[SpeedPlot, ...]:
    places = [round((one.at - first) / span.length) for one in found]
    hours = span.length.total_seconds()

    def plot(title: str, unit: str, *lines: tuple[str, str, Sequence[float]]) -> SpeedPlot:
        highest = max(max(values) for _, _, values in lines) or 1.0
        return SpeedPlot(
            title=title,
            unit=unit,
            highest=highest,
            lines=tuple(
                _line(label, colour, values, places, highest=highest, number=span.number)
                for label, colour, values in lines
            ),
            said="; ".join(
                f"{label}: lowest {figure(min(values))}, highest {figure(max(values))}, "
                f"last {figure(values[-1])}"
                for label, _, values in lines
            ),
        )

    return (
        plot(
            "Time of a completion",
            "s",
            ("median", _BLUE, [one.median_seconds for one in found]),
            ("95th percentile", _ORANGE, [one.slow_seconds for one in found]),
        ),
        plot(
            "Tokens a second, of one completion",
            "",
            ("tokens a second", _GREEN, [one.tokens_per_second for one in found]),
        ),
        plot(
            f"Tokens a second, of all, over the whole {span}",
            "",
            ("tokens a second", _GREEN, [one.tokens / hours for one in found]),
        ),
        plot(
            f"Completions in the {span}",
            "",
            ("completions", _VIOLET, [float(one.num_completions) for one in found]),
        ),
    )


def _line(
    label: str, colour: str, values: Sequence[float], places: Sequence[int], *, highest: float, number: int
) -> SpeedLine:
    """Broken where an hour or a day had no answer."""
    dots = [
        (
            round((place + 0.5) / number * WIDTH, 1),
            round(_TOP + (1 - value / highest) * (HEIGHT - _TOP - _FOOT), 1),
        )
        for place, value in zip(places, values, strict=True)
    ]
    stretches: list[list[tuple[float, float]]] = []
    for index, dot in enumerate(dots):
        if index and places[index] == places[index - 1] + 1:
            stretches[-1].append(dot)
        else:
            stretches.append([dot])
    return SpeedLine(
        label=label,
        colour=colour,
        stretches=tuple(" ".join(f"{x},{y}" for x, y in one) for one in stretches if len(one) > 1),
        dots=tuple(dots),
        last=values[-1],
    )


def _said(at: datetime, span: Span) -> str:
    return f"{say_day(at)}, {say_clock(at)}" if span is Span.HOUR else say_day(at)
