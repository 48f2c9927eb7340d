"""How sure a mean or a share over cases is, as tables have it and as people read it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from deepmedix_review.reviews.results.figures import TOO_FEW_CASES, Cell, rounded, written_interval
from rl_feedback.agreement import Clustered

Found = TypeVar("Found", bound=Clustered)
ALL_ALIKE = "These few cases are all alike: no interval can be told."


def unless_all_alike(found: Found) -> Found:
    """Few cases that are all alike tell of no spread."""
    if found.interval is None or found.num_clusters >= TOO_FEW_CASES:
        return found
    low, high = found.interval
    return replace(found, interval=None, note=ALL_ALIKE) if low == high else found


def edges_of(found: Clustered, *, scale: Sequence[float] = ()) -> tuple[Cell, Cell, Cell]:
    """Of the interval: from, to, neither beyond the ends of the scale, and half its width; none where that is
    more than half of the scale."""
    if found.interval is None:
        return None, None, None
    from_, to = _within(found.interval, scale)
    return rounded(from_), rounded(to), rounded(_half(found.interval, scale))


def said_interval(found: Clustered, *, scale: Sequence[float] = ()) -> str:
    """The same in words, or why there is none."""
    if found.interval is None:
        return found.note
    shown = written_interval(replace(found, interval=_within(found.interval, scale)))
    half = _half(found.interval, scale)
    return shown if half is None else f"{shown} (± {half:.2f})"


def _half(interval: tuple[float, float], scale: Sequence[float]) -> float | None:
    low, high = interval
    return None if scale and high - low > max(scale) - min(scale) else (high - low) / 2


def _within(interval: tuple[float, float], scale: Sequence[float]) -> tuple[float, float]:
    """No mean lies beyond the ends of its scale; how far half the interval reaches stays as it is."""
    low, high = interval
    return (max(low, float(min(scale))), min(high, float(max(scale)))) if scale else interval
