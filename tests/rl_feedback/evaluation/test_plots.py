"""Plots of an evaluation are ruled at round values, however wide or narrow what they show."""

import random

import pytest

from rl_feedback.axis_ticks import axis_ticks
from rl_feedback.evaluation.printing.plots import Span, draw_forest


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.13, 0.42, ["-0.1", "0.0", "0.1", "0.2", "0.3", "0.4"]),
        (-0.004, 0.021, ["0.000", "0.005", "0.010", "0.015", "0.020"]),
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.5, 0.5, ["0.5"]),
    ],
)
def test_ticks_are_round(low: float, high: float, said: list[str]) -> None:
    assert [words for _, words in axis_ticks(low, high)] == said


def test_whatever_the_span_there_are_a_few_apart_and_inside() -> None:
    drawn = random.Random(1)
    for _ in range(2000):
        low = drawn.uniform(-5, 5)
        high = low + 10 ** drawn.uniform(-4, 2)
        found = axis_ticks(low, high)
        assert 2 <= len({words for _, words in found}) == len(found) <= 7, (low, high)
        margin = 1e-6 * (high - low)
        assert all(low - margin <= value <= high + margin for value, _ in found), (low, high)


def test_a_forest_of_differences_is_ruled_at_them() -> None:
    drawn = draw_forest("Differences", [Span("exact", 0.1, -0.05, 0.3)], zero=True)
    assert all(f">{said}</text>" in drawn for said in ("0.0", "0.1", "0.2", "0.3"))
