"""Draws figures over rounds or minutes as SVG: a line a site with its intervals, the ceiling dashed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from rl_feedback.axis_ticks import MOST_TICKS, axis_ticks

WIDTH, HEIGHT = 460, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 120, 34, 40
COLOURS = ("#2f6fb0", "#b3661a", "#2c7a52", "#8a4f9e", "#666666")
_TEXT = 'font-family="system-ui, sans-serif" font-size="12" fill="#222222"'


@dataclass(frozen=True)
class Line:
    """Points are (x, mean, low, high), in the order of x."""

    name: str
    points: tuple[tuple[float, float, float, float], ...]


def draw_lines(
    title: str,
    lines: Sequence[Line],
    *,
    along: str,
    ceiling: float | None = None,
    start: float | None = None,
) -> str:
    """A whole SVG file. `ceiling` and `start` are drawn across, dashed and dotted, each with its name."""
    across = [("truth-trained", ceiling, "6 4"), ("start", start, "1 4")]
    values = [value for line in lines for point in line.points for value in point[1:]]
    values += [value for _, value, _ in across if value is not None]
    places = [point[0] for line in lines for point in line.points]
    low, high = _span(min(values), max(values))
    first, last = min(places), max(places)

    def x(place: float) -> float:
        share = (place - first) / ((last - first) or 1)
        return round(_LEFT + 14 + share * (WIDTH - _LEFT - _RIGHT - 28), 1)

    def y(value: float) -> float:
        return round(HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img"><title>{escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="18" {_TEXT} font-weight="600">{escape(title)}</text>',
    ]
    for value, said in axis_ticks(low, high):
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(value)}" y2="{y(value)}" stroke="#dddddd"/>'
            f'<text x="{_LEFT - 6}" y="{y(value) + 4}" text-anchor="end" {_TEXT}>{said}</text>'
        )
    for place in _ticks(sorted(set(places))):
        parts.append(
            f'<text x="{x(place)}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle" {_TEXT}>{place:g}</text>'
        )
    parts.append(
        f'<text x="{(_LEFT + WIDTH - _RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle" {_TEXT}>'
        f"{escape(along)}</text>"
    )
    labels = []
    for name, level, dashes in across:
        if level is not None:
            parts.append(
                f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(level)}" y2="{y(level)}" stroke="#444444" '
                f'stroke-dasharray="{dashes}" stroke-width="1.5"/>'
            )
            labels.append((y(level), name, "#444444"))
    for line, colour in zip(lines, COLOURS, strict=False):
        for place, _, lowest, highest in line.points:
            parts.append(
                f'<line x1="{x(place)}" x2="{x(place)}" y1="{y(lowest)}" y2="{y(highest)}" '
                f'stroke="{colour}" stroke-width="1.5"/>'
            )
        points = " ".join(f"{x(place)},{y(mean)}" for place, mean, _, _ in line.points)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(place)}" cy="{y(mean)}" r="3" fill="{colour}"/>'
            for place, mean, _, _ in line.points
        ]
        labels.append((y(line.points[-1][1]), line.name, colour))
    parts += _labels(labels)
    return "\n".join([*parts, "</svg>\n"])


def _labels(labels: Sequence[tuple[float, str, str]]) -> list[str]:
    """At the right end, moved apart where they would stand on each other."""
    written, lowest = [], float("-inf")
    for place, name, colour in sorted(labels):
        lowest = max(place, lowest + 15)
        written.append(
            f'<text x="{WIDTH - _RIGHT + 8}" y="{lowest + 4}" {_TEXT.replace("#222222", colour)}>'
            f"{escape(name)}</text>"
        )
    return written


def _ticks(places: Sequence[float]) -> Sequence[float]:
    """Where a few things stand, their own places; else round ones, so that no number lies on another.

    >>> _ticks([0, 1, 2]), _ticks([0, 90, 131, 192, 295, 460])
    ([0, 1, 2], [0.0, 100.0, 200.0, 300.0, 400.0])
    """
    if len(places) <= MOST_TICKS:
        return places
    return [value for value, _ in axis_ticks(places[0], places[-1])]


def _span(low: float, high: float) -> tuple[float, float]:
    """Twentieths around what is drawn."""
    low, high = int(low * 20) / 20, (int(high * 20 - 1e-9) + 1) / 20
    return low, high if high > low else low + 0.05
