"""Says in one sentence which figures decided at the gate, for a person who decides on the model."""

from __future__ import annotations

from collections.abc import Sequence

from rl_feedback.gate_policy import Comparison, Direction, Verdict, harm

# A sentence with more figures than this is not read.
NAMED_IN_SENTENCE = 3


def deciding_sentence(comparisons: Sequence[Comparison]) -> str:
    """Begins with "Held." or "Passed."; names the worst figures with their change, interval and margin."""
    against = [c for c in comparisons if c.counts_against]
    several = len({c.benchmark for c in comparisons}) > 1
    if against:
        against.sort(key=lambda c: harm(c.direction, c.difference) / c.margin, reverse=True)
        named, others = against[:NAMED_IN_SENTENCE], against[NAMED_IN_SENTENCE:]
        text = "Held. " + _capitalised("; ".join(_change(c, several=several) for c in named))
        if others:
            labels = ", ".join(_lower_first(c.label) + _place(c, several) for c in others)
            text += f"; and {len(others)} more: {labels}"
        return text + "." + _omission(comparisons, against)
    text = "Passed. Nothing that the gate guards got worse by more than its margin"
    better = sorted((c for c in comparisons if c.improved), key=lambda c: abs(c.difference), reverse=True)[:2]
    if better:
        text += "; " + "; ".join(_change(c, several=several) for c in better)
    unclear = [c for c in comparisons if c.verdict is Verdict.UNCLEAR]
    if unclear:
        names = ", ".join(f"{_lower_first(c.label)}{_place(c, several)}" for c in unclear)
        text += f". Unclear, with the best estimate within the margin: {names}"
    return text + "."


def _omission(comparisons: Sequence[Comparison], against: Sequence[Comparison]) -> str:
    """The failure that reward hides: fewer lesions named, so texts are shorter while answers look better."""
    lost = {c.benchmark for c in against if c.figure == "lesion_recall"}
    shorter = {c.benchmark for c in comparisons if c.figure == "num_characters" and c.high < 0}
    if not lost & shorter:
        return ""
    gained = any(
        c.benchmark in lost and c.figure in ("exact_answer", "finding_precision") and c.improved
        for c in comparisons
    )
    return " Answers improved, but it stopped naming lesions." if gained else " It stopped naming lesions."


def _change(comparison: Comparison, *, several: bool) -> str:
    place = _place(comparison, several)
    size, low, high = _as_sizes(comparison)
    if comparison.direction is Direction.SHOULD_NOT_DRIFT:
        way = "shorter" if comparison.difference < 0 else "longer"
        text = f"texts became {size:.0%} {way} ({low:.0%} to {high:.0%}){place}"
        limit = f", beyond the margin of {comparison.margin:.0%}"
    else:
        way = "fell" if comparison.difference < 0 else "rose"
        text = f"{_lower_first(comparison.label)} {way} by {size:.3f} ({low:.3f} to {high:.3f}){place}"
        limit = f", more than the margin of {comparison.margin:g}"
    if not comparison.counts_against:
        return text
    return (
        text
        + limit
        + ("" if comparison.verdict is Verdict.HELD else ", though the interval reaches within it")
    )


def _as_sizes(comparison: Comparison) -> tuple[float, float, float]:
    """The change and its interval seen in the change's own direction, the smaller bound first."""
    sign = -1 if comparison.difference < 0 else 1
    low, high = sorted((sign * comparison.low, sign * comparison.high))
    return abs(comparison.difference), low, high


def _place(comparison: Comparison, several: bool) -> str:
    return f" on {comparison.benchmark}" if several else ""


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
