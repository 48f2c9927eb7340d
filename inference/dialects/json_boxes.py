"""Boxes as JSON objects, as Qwen2.5-VL, Qwen3-VL and MedGemma 1.5 write them when asked to point.

`[{"bbox_2d": [x_min, y_min, x_max, y_max], "label": "nodule"}]`, mostly in a ```json fence: Qwen2.5-VL in
pixels of the image as it saw it (https://huggingface.co/Qwen/Qwen2.5-VL-7B-Instruct/discussions/13), Qwen3-VL
in thousandths of each side (github QwenLM/Qwen3-VL, cookbooks/2d_grounding.ipynb: relative coordinates).
`{"box_2d": [y_min, x_min, y_max, x_max], …}` is Google's: y first, in thousandths of a film padded to a
square. For MedGemma 1.5 that is known from other people's uses alone; not verified in Google's own text.

Each object is a step. It is found by its key, not by reading the JSON as a whole: models break off, forget
commas and nest.
"""

import re
from collections.abc import Iterator

from inference.dialects.outline import (
    after_reasoning,
    find_answer,
    find_reasoning,
    trimmed,
)
from inference.dialects.parsed import (
    FoundBox,
    ParsedCompletion,
    ParsedStep,
    Span,
    is_readable,
    region_problems,
)
from inference.dialects.steps import bracketed_boxes, read_steps, step_at
from inference.regions import Box

# Without braces in it, so that each place of the text is looked at once.
_OBJECT = re.compile(r"\{[^{}]*\}?")
_BOX_KEY = re.compile(r"[\"'](bbox_2d|box_2d|bbox|box)[\"']\s*:")
_LABEL = re.compile(r"[\"'](?:label|finding|description|name)[\"']\s*:\s*\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
# What stands round and between objects and says nothing.
_FENCE = re.compile(r"```(?:json)?|[\[\],\s]+")


def read(text: str, *, reasons: bool) -> ParsedCompletion:
    """See `inference.grounding.parse_completion`."""
    start, end, problems = find_reasoning(text)
    if not reasons and "no_think" in problems:
        problems.remove("no_think")
    objects = list(_objects(text))
    pointing = [(span, _boxes(text, span)) for span in objects]
    steps = [step_at(text, span, boxes=boxes, label=_label(text, span)) for span, boxes in pointing]
    apart = [span for span in objects if start <= span[0] and span[1] <= end]
    steps += [
        step
        for step in read_steps(text, start, end, boxes=(), apart=apart)
        if not _FENCE.fullmatch(step.text)
    ]
    steps.sort(key=lambda step: step.span)
    if not steps and reasons and not problems:
        problems.append("no_steps")
    some_unreadable = any(not boxes or not all(is_readable(box) for _, box in boxes) for _, boxes in pointing)
    problems += region_problems(steps, some_unreadable=some_unreadable)
    answer_span, answer_problem = find_answer(text)
    if answer_span is None and not answer_problem:
        answer_span = _prose(text, objects)
        answer_problem = "" if answer_span else "no_answer"
    if answer_problem:
        problems.append(answer_problem)
    return ParsedCompletion(
        steps=tuple(steps),
        answer=text[slice(*answer_span)].strip() if answer_span else None,
        problems=tuple(problems),
        reasoning_span=_reasoning(start, end, steps),
        answer_span=answer_span,
    )


def _objects(text: str) -> Iterator[Span]:
    """Innermost objects that have a key for a box; the last may be cut off."""
    for match in _OBJECT.finditer(text):
        if _BOX_KEY.search(match.group()):
            span = trimmed(text, *match.span())
            if span:
                yield span


def _boxes(text: str, span: Span) -> list[FoundBox]:
    key = _BOX_KEY.search(text, *span)
    boxes = bracketed_boxes(text, *span)
    if key is None or key[1] != "box_2d":
        return boxes
    return [(where, Box(box[1], box[0], box[3], box[2])) for where, box in boxes]


def _label(text: str, span: Span) -> str:
    found = _LABEL.search(text, *span)
    return found[1].replace('\\"', '"').strip() if found else ""


def _prose(text: str, objects: list[Span]) -> Span | None:
    """The last stretch after the reasoning that says something and is no object."""
    left, last = after_reasoning(text), None
    for start, end in [*objects, (len(text), len(text))]:
        if start > left:
            last = _without_fences(text, left, start) or last
        left = max(left, end)
    return last


def _without_fences(text: str, start: int, end: int) -> Span | None:
    """The stretch without the fences, brackets and commas at its ends; None where it says nothing."""
    while start < end and (fence := _FENCE.match(text, start, end)):
        start = fence.end()
    while start < end:
        if text.endswith("```json", start, end):
            end -= len("```json")
        elif text[end - 1].isspace() or text[end - 1] in "`[],":
            end -= 1
        else:
            break
    return (start, end) if any(sign.isalnum() for sign in text[start:end]) else None


def _reasoning(start: int, end: int, steps: list[ParsedStep]) -> Span | None:
    """The reasoning block, and all objects wherever they stand: they are steps of it."""
    spans = [step.span for step in steps] + ([(start, end)] if end else [])
    return (min(left for left, _ in spans), max(right for _, right in spans)) if spans else None
