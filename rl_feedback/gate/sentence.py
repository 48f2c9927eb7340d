"""Says in one sentence which figures decided at the gate, for a person who decides on the model."""

from __future__ import annotations

from collections.abc import Sequence

from rl_feedback.gate.policy import (
    LOOKS_FIGURE,
    Comparison,
    Direction,
    Policy,
    Suite,
    Verdict,
    harm,
    is_blind,
)

# A sentence with more figures than this is not read.
NAMED_IN_SENTENCE = 3
NAMED_WHEN_PASSED = 2
MOST_LISTED = 6
# Of what shall not drift: what is counted, and how less and more of it are called.
_DRIFTS = {"num_characters": ("texts", "shorter", "longer"), "num_boxes": ("regions", "fewer", "more")}


def deciding_sentence(
    comparisons: Sequence[Comparison], *, parent: str, policy: Policy, lacks_gain: bool = False
) -> str:
    """Begins with "Held." or "Passed."; names the worst figures with their change, interval and margin, and
    the policy.

    A change whose interval touches no change when rounded as it is shown is no change to tell of.
    """
    text = _held_or_passed(comparisons, parent=parent, lacks_gain=lacks_gain)
    if lacks_gain:
        names = ", ".join(map(_lower_first, policy.gain_labels))
        text += f" Of what has to improve, nothing did for sure: {names}."
    return f"{text} By policy {policy.number}."


def unchanged_sentence(*, parent: str, policy: Policy) -> str:
    """Of a candidate that got worse in nothing because it is its parent, as far as the gate can see."""
    return (
        f"Nothing changed. On every held-out film it writes what {parent} writes, word for word: nothing was "
        f"lost, and nothing gained. By policy {policy.number}."
    )


def _held_or_passed(comparisons: Sequence[Comparison], *, parent: str, lacks_gain: bool) -> str:
    against = [c for c in comparisons if c.counts_against]
    several = len({c.benchmark for c in comparisons}) > 1
    if against:
        blind = is_blind((c.figure, c.candidate) for c in against)
        # What all others follow from stands first, then what got worse by the most margins.
        against.sort(key=lambda c: (blind and c.figure == LOOKS_FIGURE, _weight(c)), reverse=True)
        named, others = against[:NAMED_IN_SENTENCE], against[NAMED_IN_SENTENCE:]
        changes = "; ".join(_change(c, several=several) for c in named)
        text = f"Held. {_cause(against, blind=blind)}{_capitalised(changes)}"
        if len(others) > MOST_LISTED:
            text += f"; and {len(others)} more figures"
        elif others:
            labels = ", ".join(_listed(c, several) for c in others)
            text += f"; and {len(others)} more: {labels}"
        return text + "." + _what_it_learned(comparisons, against, blind=blind)
    if lacks_gain:
        return "Held. Nothing that the gate guards got worse by more than its margin."
    changed = sorted(filter(_is_measurable, comparisons), key=lambda c: abs(c.difference), reverse=True)
    unclear = [c for c in comparisons if c.verdict is Verdict.UNCLEAR]
    beyond = [c for c in unclear if round(_weight(c), 9) > 1]
    if changed:
        text = "Passed. Nothing that the gate guards got worse by more than its margin"
        text += " for sure" if beyond else ""
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
    for place, some in (
        ("beyond the margin, for which these are held only where it is sure", beyond),
        ("within the margin", [c for c in unclear if c not in beyond]),
    ):
        if some:
            names = ", ".join(_listed(c, several) for c in some)
            text += f". Unclear, with the best estimate {place}: {names}"
    return text + "."


def _weight(comparison: Comparison) -> float:
    """How many margins a figure got worse by."""
    return harm(comparison.direction, comparison.difference) / comparison.margin


def _cause(against: Sequence[Comparison], *, blind: bool) -> str:
    """Why all that follows got worse: what is wrong with the candidate itself, or how it came about."""
    text = "It answers without looking at the film. " if blind else ""
    if any(c.suite is Suite.TWINS for c in against):
        text += "It knows the sealed films by heart: it must not have seen them. "
    return text


def _what_it_learned(comparisons: Sequence[Comparison], against: Sequence[Comparison], *, blind: bool) -> str:
    """What figures like these have meant so far, in words; nothing where they fit no known way of failing."""
    text = ""
    if not blind:
        text = _omission(comparisons, against)
        if any(c.figure == "constant_box" for c in against):
            text += " It draws its regions in one place, whatever the film."
    longer = any(c.figure == "num_characters" and c.low > 0 for c in against)
    if longer and not any(c.figure == "lesion_recall" and c.improved for c in comparisons):
        text += " Its texts are padded: they say more and find no more."
    return text


def _omission(comparisons: Sequence[Comparison], against: Sequence[Comparison]) -> str:
    """The failure that reward hides: fewer lesions named, so texts are shorter while answers look better.
    Nothing is said of a fall that may be chance, nor that answers improved where exact ones got worse."""
    fallen = {c.benchmark: c for c in against if c.figure == "lesion_recall" and c.verdict is Verdict.HELD}
    shorter = {c.benchmark for c in comparisons if c.figure == "num_characters" and c.high < 0}
    lost = fallen.keys() & shorter
    if not lost:
        return ""
    gained = any(
        c.benchmark in lost and c.figure in ("exact_answer", "finding_precision") and c.improved
        for c in comparisons
    ) and not any(c.figure == "exact_answer" for c in against)
    return " Answers improved, but it stopped naming lesions." if gained else " It stopped naming lesions."


def _is_measurable(comparison: Comparison) -> bool:
    """Whether the whole interval, rounded as it is shown, lies on one side of no change."""
    if not comparison.verdict.tells:
        return False
    digits = 2 if comparison.direction is Direction.SHOULD_NOT_DRIFT else 3
    low, high = round(comparison.low, digits), round(comparison.high, digits)
    return low > 0 or high < 0


def _change(comparison: Comparison, *, several: bool) -> str:
    place = _place(comparison, several)
    size, low, high = _as_sizes(comparison)
    if comparison.direction is Direction.SHOULD_NOT_DRIFT:
        subject, less, more = _DRIFTS.get(comparison.figure, (comparison.label.lower(), "less", "more"))
        way = less if comparison.difference < 0 else more
        text = f"{subject} became {size:.0%} {way} ({_percent(low)} to {_percent(high)}){place}"
        limit = f", beyond the margin of {comparison.margin:.0%}"
    else:
        way = "fell" if comparison.difference < 0 else "rose"
        interval = f"({_decimal(low)} to {_decimal(high)})"
        text = f"{_lower_first(comparison.label)} {way} by {size:.3f} {interval}{place}"
        limit = f", more than the margin of {comparison.margin:g}"
    if not comparison.counts_against:
        return text
    if comparison.is_past_limit and comparison.verdict is Verdict.PASSES:
        return f"{text}, to {comparison.candidate:.3f}, past the limit of {comparison.limit:g}"
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


def with_place(label: str, benchmark: str) -> str:
    """A figure's name and where it was measured: that these are twins is told once."""
    if label.endswith(" twins"):
        return f"{label} {benchmark.removeprefix('twins ')}"
    return f"{label}, {benchmark}"


def _listed(comparison: Comparison, several: bool) -> str:
    name = _lower_first(comparison.label)
    if several and name.endswith(" twins"):
        return with_place(name, comparison.benchmark)
    return name + _place(comparison, several)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
