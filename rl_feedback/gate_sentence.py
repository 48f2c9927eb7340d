"""Says in one sentence which figures decided at the gate, for a person who decides on the model."""

from __future__ import annotations

from collections.abc import Sequence

from rl_feedback.gate_policy import Comparison, Direction, Verdict, harm

# A sentence with more figures than this is not read.
NAMED_IN_SENTENCE = 3
NAMED_WHEN_PASSED = 2


def deciding_sentence(comparisons: Sequence[Comparison], *, parent: str) -> str:
    """Begins with "Held." or "Passed."; names the worst figures with their change, interval and margin.

    A change whose interval touches no change when rounded as it is shown is no change to tell of.
    """
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
    changed = sorted(filter(_is_measurable, comparisons), key=lambda c: abs(c.difference), reverse=True)
    unclear = [c for c in comparisons if c.verdict is Verdict.UNCLEAR]
    if changed:
        text = "Passed. Nothing that the gate guards got worse by more than its margin"
        better = [c for c in changed if c.improved][:NAMED_WHEN_PASSED]
        others = [c for c in changed if not c.improved and c not in unclear][:NAMED_WHEN_PASSED]
        for c in better:
            text += "; " + _change(c, several=several)
        for c in others:
            text += "; " + _change(c, several=several) + ", within its margin"
    else:
        text = f"Passed. No guarded figure differs measurably from {parent}"
        text += ", so nothing" if unclear else ": nothing was lost, and nothing"
        text += " was shown to be gained"
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


def _is_measurable(comparison: Comparison) -> bool:
    """Whether the whole interval, rounded as it is shown, lies on one side of no change."""
    digits = 2 if comparison.direction is Direction.SHOULD_NOT_DRIFT else 3
    low, high = round(comparison.low, digits), round(comparison.high, digits)
    return low > 0 or high < 0


def _change(comparison: Comparison, *, several: bool) -> str:
    place = _place(comparison, several)
    size, low, high = _as_sizes(comparison)
    if comparison.direction is Direction.SHOULD_NOT_DRIFT:
        way = "shorter" if comparison.difference < 0 else "longer"
        text = f"texts became {size:.0%} {way} ({_percent(low)} to {_percent(high)}){place}"
        limit = f", beyond the margin of {comparison.margin:.0%}"
    else:
        way = "fell" if comparison.difference < 0 else "rose"
        interval = f"({_decimal(low)} to {_decimal(high)})"
        text = f"{_lower_first(comparison.label)} {way} by {size:.3f} {interval}{place}"
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


def _percent(value: float) -> str:
    """Adding 0 takes the sign from a rounded -0."""
    return f"{round(value, 2) + 0.0:.0%}"


def _decimal(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}"


def _place(comparison: Comparison, several: bool) -> str:
    return f" on {comparison.benchmark}" if several else ""


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
