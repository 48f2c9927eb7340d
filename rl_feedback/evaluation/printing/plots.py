"""Draws an evaluation as SVG: intervals in rows, a radar of measures, and bars by category."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from rl_feedback.axis_ticks import axis_ticks

COLOURS = ("#2f6fb0", "#b3661a", "#2c7a52", "#8a4f9e", "#666666")
# Lines that cross are told apart also without colour.
_DASHES = ("", "7 4", "2 3", "10 3 2 3", "14 5")
_ROW, _NAMES, _WIDTH, _NUMBERS = 20, 240, 660, 190


@dataclass(frozen=True)
class Ink:
    """Colours of a plot: of words, of what is ruled, of the ground, and of each system."""

    words: str
    rules: str
    ground: str
    systems: tuple[str, ...]

    @property
    def text(self) -> str:
        return f'font-family="system-ui, sans-serif" font-size="12" fill="{self.words}"'


PAPER = Ink("#222222", "#dddddd", "#ffffff", COLOURS)
_TEXT = PAPER.text


@dataclass(frozen=True)
class Span:
    """A value with its interval, None where it has none."""

    name: str
    value: float
    low: float | None
    high: float | None


def draw_forest(title: str, spans: Sequence[Span], *, zero: bool) -> str:
    """A row for each value; `zero` draws the line of no difference."""
    edges = [edge for one in spans for edge in (one.value, one.low, one.high) if edge is not None]
    low, high = min([*edges, 0.0]), max([*edges, 0.0 if zero else 1.0])
    low, high = (low - 0.02, high + 0.02) if zero else (low, high)
    left, right, height = _NAMES, _WIDTH - _NUMBERS, 46 + _ROW * len(spans)

    def x(value: float) -> float:
        return round(left + (value - low) / ((high - low) or 1) * (right - left), 1)

    parts = [_opened(title, _WIDTH, height + 10)]
    for value, said in axis_ticks(low, high):
        parts.append(
            f'<line x1="{x(value)}" x2="{x(value)}" y1="26" y2="{height - 14}" stroke="#e2e2e2"/>'
            f'<text x="{x(value)}" y="{height}" text-anchor="middle" {_TEXT}>{said}</text>'
        )
    if zero:
        parts.append(f'<line x1="{x(0)}" x2="{x(0)}" y1="26" y2="{height - 14}" stroke="#444444"/>')
    for place, one in enumerate(spans):
        y = 38 + _ROW * place
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end" {_TEXT}>{escape(one.name)}</text>')
        told = f"{one.value:.3f}"
        if one.low is not None and one.high is not None:
            told += f" ({one.low:.3f} to {one.high:.3f})"
            parts.append(
                f'<line x1="{x(one.low)}" x2="{x(one.high)}" y1="{y}" y2="{y}" stroke="{COLOURS[0]}" '
                'stroke-width="2"/>'
            )
        parts.append(f'<circle cx="{x(one.value)}" cy="{y}" r="4" fill="{COLOURS[0]}"/>')
        parts.append(f'<text x="{right + 8}" y="{y + 4}" {_TEXT}>{told}</text>')
    return "\n".join([*parts, "</svg>"])


def draw_radar(
    title: str, axes: Sequence[str], systems: Sequence[tuple[str, Sequence[float]]], *, ink: Ink = PAPER
) -> str:
    """Values from 0 in the middle to 1 at the rim; a system a polygon, with a dash of its own."""
    height, radius, middle_y = 400, 130, 200
    # The longest name at either side has its place.
    middle_x = max(310, round(radius * 1.12) + 8 * max(map(len, axes)))
    width = 2 * middle_x

    def point(axis: int, value: float) -> tuple[float, float]:
        angle = 2 * math.pi * axis / len(axes) - math.pi / 2
        return (
            round(middle_x + radius * value * math.cos(angle), 1),
            round(middle_y + radius * value * math.sin(angle), 1),
        )

    parts = [_opened(title, width, height, ink=ink)]
    for ring in (0.25, 0.5, 0.75, 1.0):
        rim = " ".join(f"{px},{py}" for px, py in (point(axis, ring) for axis in range(len(axes))))
        parts.append(f'<polygon points="{rim}" fill="none" stroke="{ink.rules}"/>')
        px, py = point(0, ring)
        parts.append(f'<text x="{px + 3}" y="{py + 12}" {ink.text}>{ring:g}</text>')
    for axis, name in enumerate(axes):
        px, py = point(axis, 1.0)
        end_x, end_y = point(axis, 1.12)
        anchor = "middle" if abs(end_x - middle_x) < 12 else "start" if end_x > middle_x else "end"
        parts.append(f'<line x1="{middle_x}" y1="{middle_y}" x2="{px}" y2="{py}" stroke="{ink.rules}"/>')
        parts.append(
            f'<text x="{end_x}" y="{end_y + 4}" text-anchor="{anchor}" {ink.text}>{escape(name)}</text>'
        )
    for (name, values), line in zip(systems, _lines(ink), strict=False):
        around = [point(axis, min(1.0, max(0.0, value))) for axis, value in enumerate(values)]
        points = " ".join(f"{px},{py}" for px, py in around)
        parts.append(f'<polygon points="{points}" {line}><title>{escape(name)}</title></polygon>')
    if len(systems) > 1:
        left = 12
        for (name, _), line in zip(systems, _lines(ink), strict=False):
            parts.append(f'<path d="M{left} {height - 16}h26" {line}/>')
            parts.append(f'<text x="{left + 32}" y="{height - 12}" {ink.text}>{escape(name)}</text>')
            left += 46 + 7 * len(name)
    return "\n".join([*parts, "</svg>"])


def _lines(ink: Ink) -> list[str]:
    """How each system's line is drawn, and what it holds filled."""
    return [
        f'fill="{colour}" fill-opacity="0.1" stroke="{colour}" stroke-width="2"'
        + (f' stroke-dasharray="{dash}"' if dash else "")
        for colour, dash in zip(ink.systems, _DASHES, strict=False)
    ]


def draw_bars(title: str, groups: Sequence[str], systems: Sequence[tuple[str, Sequence[Span | None]]]) -> str:
    """From 0 to 1, a group of bars a category, each with its interval."""
    each, gap = 14, 10
    group = each * len(systems) + gap
    left, right = _NAMES, _WIDTH - 70
    height = 46 + group * len(groups) + 24

    def x(value: float) -> float:
        return round(left + min(1.0, max(0.0, value)) * (right - left), 1)

    parts = [_opened(title, _WIDTH, height)]
    for step in range(5):
        parts.append(
            f'<line x1="{x(step / 4)}" x2="{x(step / 4)}" y1="26" y2="{height - 38}" stroke="#e2e2e2"/>'
            f'<text x="{x(step / 4)}" y="{height - 24}" text-anchor="middle" {_TEXT}>{step / 4:.2f}</text>'
        )
    for place, name in enumerate(groups):
        top = 32 + group * place
        parts.append(
            f'<text x="{left - 8}" y="{top + each * len(systems) / 2 + 4}" text-anchor="end" {_TEXT}>'
            f"{escape(name)}</text>"
        )
        for number, ((_, spans), colour) in enumerate(zip(systems, COLOURS, strict=False)):
            one, y = spans[place], top + each * number
            if one is None:
                continue
            wide = round(x(one.value) - left, 1)
            parts.append(
                f'<rect x="{left}" y="{y}" width="{wide}" height="{each - 3}" fill="{colour}" '
                f'fill-opacity="0.75"><title>{escape(one.name)}: {one.value:.3f}</title></rect>'
            )
            end = one.value
            if one.low is not None and one.high is not None:
                end = one.high
                parts.append(
                    f'<line x1="{x(one.low)}" x2="{x(one.high)}" y1="{y + 5.5}" y2="{y + 5.5}" '
                    'stroke="#222222"/>'
                )
            parts.append(f'<text x="{x(end) + 6}" y="{y + 10}" {_TEXT}>{one.value:.3f}</text>')
    parts += _legend([name for name, _ in systems], height - 6)
    return "\n".join([*parts, "</svg>"])


def _opened(title: str, width: int, height: int, *, ink: Ink = PAPER) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img"><title>{escape(title)}</title>'
        f'<rect width="{width}" height="{height}" fill="{ink.ground}"/>'
        f'<text x="8" y="16" {ink.text} font-weight="600">{escape(title)}</text>'
    )


def _legend(names: Sequence[str], y: float) -> list[str]:
    if len(names) < 2:
        return []
    parts, left = [], 12
    for name, colour in zip(names, COLOURS, strict=False):
        parts.append(f'<rect x="{left}" y="{y - 10}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{left + 14}" y="{y}" {_TEXT}>{escape(name)}</text>')
        left += 26 + 7 * len(name)
    return parts
