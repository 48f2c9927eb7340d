"""Splits reasoning into its steps: by line, semicolon or number, and gives each the boxes in it."""

import re
from collections.abc import Iterator, Sequence

from inference.dialects.parsed import FoundBox, ParsedStep, Span, is_readable
from inference.regions import Box

NUMBER = r"[-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?"
FOUR_NUMBERS = re.compile(r"\[\s*" + r"\s*,\s*".join([f"({NUMBER})"] * 4) + r"\s*,?\s*\]", re.ASCII)
_SEPARATOR = re.compile(r"[;\n\r\u2028\u2029]+")
_NUMBERING = re.compile(r"\s*(?:\(?(\d{1,2})[.)](?=\s)|[Ss]tep\s+(\d{1,2})\s*[:.])")
_BULLET = re.compile(r"[-*•–]\s+")
# Stands for a box, which may hold line breaks and full stops, so that it isn't taken for the end of a step.
_HIDDEN = "▮"


def bracketed_boxes(text: str, start: int = 0, end: int | None = None) -> list[FoundBox]:
    """Every `[x_min, y_min, x_max, y_max]` between two places, whatever its numbers."""
    found = FOUR_NUMBERS.finditer(text, start, len(text) if end is None else end)
    return [(match.span(), Box(*map(float, match.groups()))) for match in found]


def read_steps(
    text: str, start: int, end: int, *, boxes: Sequence[FoundBox], apart: Sequence[Span] = ()
) -> tuple[ParsedStep, ...]:
    """The steps between two places of the text, each with those of `boxes` that could be pixels.

    `boxes` stand in the order of the text. What stands in `apart` is part of no step.
    """
    shown = list(text[start:end])
    for (left, right), _ in boxes:
        shown[left - start : right - start] = _HIDDEN * (right - left)
    for left, right in apart:
        shown[left - start : right - start] = "\n" * (right - left)
    steps: list[ParsedStep] = []
    place = 0
    for left, right in _split("".join(shown)):
        # Steps and boxes both stand in the order of the text: each box is looked at once.
        while place < len(boxes) and boxes[place][0][0] < start + left:
            place += 1
        inside: list[FoundBox] = []
        while place < len(boxes) and boxes[place][0][0] < start + right:
            inside.append(boxes[place])
            place += 1
        steps.append(step_at(text, (start + left, start + right), boxes=inside))
    return tuple(steps)


def step_at(text: str, span: Span, *, boxes: Sequence[FoundBox], label: str = "") -> ParsedStep:
    """The step that stands there, with those boxes that could be pixels."""
    readable = [(where, box) for where, box in boxes if is_readable(box)]
    return ParsedStep(
        text=text[slice(*span)],
        boxes=tuple(box for _, box in readable),
        box_spans=tuple(where for where, _ in readable),
        span=span,
        label=label,
    )


def _split(reasoning: str) -> Iterator[Span]:
    """(start, end) of each step that has at least one letter, digit or box."""
    pieces, left = [], 0
    for separator in _SEPARATOR.finditer(reasoning):
        pieces.append((left, separator.start()))
        left = separator.end()
    pieces.append((left, len(reasoning)))
    for left, right in pieces:
        for first, last in _split_numbered(reasoning, left, right):
            first, last = _trim(reasoning, first, last)
            if any(character.isalnum() or character == _HIDDEN for character in reasoning[first:last]):
                yield first, last


def _split_numbered(reasoning: str, left: int, right: int) -> Iterator[Span]:
    """Split "1. … 2. … 3. …" on one line; numbers that don't count on are part of the sentence."""
    marker = _NUMBERING.match(reasoning, left, right)
    while marker:
        number = int(marker.group(1) or marker.group(2)) + 1
        following = re.compile(rf"(?<=\s)(?:\(?{number}[.)](?=\s)|[Ss]tep\s+{number}\s*[:.])").search(
            reasoning, marker.end(), right
        )
        yield marker.end(), following.start() if following else right
        if following is None:
            return
        marker = _NUMBERING.match(reasoning, following.start(), right)
    yield left, right


def _trim(reasoning: str, left: int, right: int) -> Span:
    while left < right and reasoning[left].isspace():
        left += 1
    bullet = _BULLET.match(reasoning, left, right)
    if bullet:
        left = bullet.end()
    while right > left and reasoning[right - 1].isspace():
        right -= 1
    return left, right
