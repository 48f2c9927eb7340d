"""Draws how a step scorer's scores compare with what readers said: a point for each fifth of the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SIDE, MARGIN = 240, 36
_TEXT = 'font-family="system-ui, sans-serif" font-size="11" fill="#222222"'


def draw_calibration(fifths: Sequence[Mapping[str, Any]]) -> str:
    """As SVG: `fifths` are rl_feedback.steps.judging.CalibrationBin as JSON; dashed where both agree."""
    full = SIDE + 2 * MARGIN

    def place(score: float, rating: float) -> tuple[float, float]:
        return round(MARGIN + SIDE * score, 1), round(MARGIN + SIDE * (1 - rating), 1)

    points = [place(one["score"], one["rating"]) for one in fifths]
    line = " ".join(f"{x},{y}" for x, y in points)
    marks = "".join(
        f'<circle cx="{x}" cy="{y}" r="4" fill="#2f6fb0"><title>{one["num_steps"]} steps</title></circle>'
        for (x, y), one in zip(points, fifths, strict=True)
    )
    (left, bottom), (right, top) = place(0, 0), place(1, 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {full}" width="{full}" height="{full}">'
        f'<rect width="{full}" height="{full}" fill="#ffffff"/>'
        f'<rect x="{left}" y="{top}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#bbbbbb"/>'
        f'<line x1="{left}" y1="{bottom}" x2="{right}" y2="{top}" stroke="#888888" stroke-dasharray="4 4"/>'
        f'<polyline points="{line}" fill="none" stroke="#2f6fb0" stroke-width="2"/>{marks}'
        f'<text x="{left}" y="{full - 10}" {_TEXT}>score, 0 to 1 (held-out readers and patients)</text>'
        f'<text x="{left}" y="{top - 10}" {_TEXT}>mean rating, 0 to 1</text></svg>'
    )
