"""Writes a reader's corrected regions back into the model's own text, in the model's own coordinates."""

from __future__ import annotations

import re

from inference.grounding import ParsedCompletion, parse_completion
from inference.regions import Box, Frame, to_model_box
from rl_feedback.readings import JudgedCompletion, JudgedRegion

# What ties a box to its sentence goes with the box, else "effusion with" would be left hanging; before a
# further box it is the word between the two that goes.
_TIE_BEFORE = re.compile(r"\s*(?:,|\b(?:with|and|at|in))?\s*$", re.IGNORECASE)
_TIE_TO_NEXT = re.compile(r"\s*(?:,|and\b)\s*(?=\[)", re.IGNORECASE)


class CorrectionRefused(Exception):
    """The corrected text can't be written; the message is a sentence that says why."""


def corrected_text(completion: JudgedCompletion) -> str:
    """The completion's text with each adjusted region moved and each wrong one taken out; all else as
    written.

    Raises CorrectionRefused when the text's regions are not the ones that were judged, or when the result
    would no longer be read as intended.
    """
    parsed = parse_completion(completion.text)
    written = [
        (span, box) for step in parsed.steps for span, box in zip(step.box_spans, step.boxes, strict=True)
    ]
    judged = [region for step in completion.steps for region in step.regions]
    if [len(step.boxes) for step in parsed.steps] != [len(step.regions) for step in completion.steps]:
        raise CorrectionRefused("The regions in the text are not the ones that were judged.")
    text = completion.text
    for ((start, end), _), region in reversed(list(zip(written, judged, strict=True))):
        if region.verdict == "wrong":
            text = _without(text, start, end)
        elif region.verdict == "adjusted":
            text = (
                text[:start]
                + _box_text(region, completion, as_written=completion.text[start:end])
                + text[end:]
            )
    _check(parse_completion(text), parsed, judged)
    return text


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 where either has no area.

    >>> overlap(Box(0, 0, 10, 10), Box(5, 0, 15, 10))
    0.3333333333333333
    """
    width = min(a.x_max, b.x_max) - max(a.x_min, b.x_min)
    height = min(a.y_max, b.y_max) - max(a.y_min, b.y_min)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(a) + _area(b) - shared)


def _area(box: Box) -> float:
    return (box.x_max - box.x_min) * (box.y_max - box.y_min)


def _box_text(region: JudgedRegion, completion: JudgedCompletion, *, as_written: str) -> str:
    """The corrected box as the model would write it: whole numbers, unless the frame or the model uses
    fractions."""
    if region.adjusted is None:
        raise CorrectionRefused("A region is marked as adjusted but has no corrected box.")
    box = to_model_box(
        region.adjusted,
        frame=completion.box_frame,
        model_size=completion.model_size,
        image_size=completion.image_size,
    )
    if completion.box_frame == Frame.NORM1:
        return "[" + ", ".join(f"{value:.3f}" for value in box) + "]"
    numbers = [f"{value:.1f}" if "." in as_written else str(round(value)) for value in box]
    return "[" + ", ".join(numbers) + "]"


def _without(text: str, start: int, end: int) -> str:
    before, after = text[:start], text[end:]
    following = _TIE_TO_NEXT.match(after)
    if following:
        return before + after[following.end() :]
    tie = _TIE_BEFORE.search(before)
    before = before[: tie.start()] if tie else before
    joiner = "" if not after or after[0] in ";,." or after[0].isspace() else " "
    return before + joiner + after


def _check(result: ParsedCompletion, original: ParsedCompletion, judged: list[JudgedRegion]) -> None:
    kept = sum(region.verdict != "wrong" for region in judged)
    if result.problems or result.answer != original.answer or len(result.steps) != len(original.steps):
        raise CorrectionRefused("Without its wrong region the text would no longer be well formed.")
    boxes = [box for step in result.steps for box in step.boxes]
    if len(boxes) != kept:
        raise CorrectionRefused("The corrected text would not hold the regions that were kept.")
    if any(box.x_min >= box.x_max or box.y_min >= box.y_max for box in boxes):
        raise CorrectionRefused("A region is too small to be written in the model's own pixels.")
