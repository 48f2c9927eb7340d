"""Boxes between marks, as CheXagent and CheXOne write them, in the answer itself or in reasoning before it.

`<|ref|>pneumothorax<|/ref|><|box|>(12,60),(18,87)<|/box|>`, hundredths of each side. Sources: github
Stanford-AIMI/CheXagent, model_chexagent/chexagent.py (plot_image divides by 100); github YBZh/CheXOne,
examples/train/chexone/grpo_prepare/1_prepare_data/prepare_iou.py (the format asked for) and its README
("reason step by step, and put your final answer within \\boxed{}", without think tags). Servers may leave the
marks out as special tokens, so two points side by side are a box with or without them. Qwen2-VL's
`<|object_ref_start|>` and `<|box_start|>` are read alike (docs of transformers; its frame is another).
"""

import re

from inference.dialects.outline import (
    after_reasoning,
    find_answer,
    find_reasoning,
    lead_of_answer,
    trimmed,
)
from inference.dialects.parsed import FoundBox, ParsedCompletion, ParsedStep, Span, region_problems
from inference.dialects.steps import NUMBER, read_steps, step_at
from inference.regions import Box

_POINT = rf"\(\s*({NUMBER})\s*,\s*({NUMBER})\s*\)"
_MARK = r"<\|/?(?:ref|box|object_ref_start|object_ref_end|box_start|box_end)\|>"
_MARKED_BOX = re.compile(
    rf"(?:<\|box(?:_start)?\|>\s*)?{_POINT}\s*,\s*{_POINT}(?:\s*<\|(?:/box|box_end)\|>)?", re.ASCII
)
_OPENED_BOX = re.compile(r"<\|box(?:_start)?\|>")
_MARKS_AND_BOXES = re.compile(rf"{_MARKED_BOX.pattern}|{_MARK}", re.ASCII)


def read(text: str, *, reasons: bool) -> ParsedCompletion:
    """See `inference.grounding.parse_completion`."""
    start, end, problems = find_reasoning(text)
    answer_span, answer_problem = find_answer(text)
    if "no_think" in problems:
        if answer_span:
            end = lead_of_answer(text, answer_span)
        if trimmed(text, start, end) or not reasons:
            problems = []
    if answer_span is None and not answer_problem:
        answer_span = None if reasons else trimmed(text, after_reasoning(text), len(text))
        if answer_span is None:
            answer_problem = "no_answer" if reasons else "empty_answer"
    answer = without_marks(text[slice(*answer_span)]) if answer_span else None
    boxes = _boxes(text)
    steps = _reasoning_steps(text, start, end, boxes) + _grounded_steps(text, answer_span, boxes)
    # Who was asked where something is may answer with its box alone.
    if answer == "" and not answer_problem and not any(step.boxes for step in steps):
        answer_problem = "empty_answer"
    if not steps and reasons and not problems:
        problems.append("no_steps")
    some_unreadable = len(_OPENED_BOX.findall(text)) > sum(
        1 for (left, _), _ in boxes if _OPENED_BOX.match(text, left)
    ) or sum(len(step.boxes) for step in steps) < _num_within(boxes, (start, end), answer_span)
    problems += region_problems(steps, some_unreadable=some_unreadable)
    if answer_problem:
        problems.append(answer_problem)
    return ParsedCompletion(
        steps=steps,
        answer=answer,
        problems=tuple(problems),
        reasoning_span=(start, end) if end else None,
        answer_span=answer_span,
    )


def without_marks(text: str) -> str:
    """What a piece says, without its marks and boxes.

    >>> without_marks("<|ref|>pneumothorax<|/ref|><|box|>(12,60),(18,87)<|/box|>.")
    'pneumothorax.'
    """
    words = " ".join(_MARKS_AND_BOXES.sub(" ", text).split())
    return words.replace(" .", ".").replace(" ,", ",")


def _boxes(text: str) -> list[FoundBox]:
    return [(match.span(), Box(*map(float, match.groups()))) for match in _MARKED_BOX.finditer(text)]


def _within(boxes: list[FoundBox], span: Span) -> list[FoundBox]:
    return [found for found in boxes if span[0] <= found[0][0] and found[0][1] <= span[1]]


def _num_within(boxes: list[FoundBox], reasoning: Span, answer: Span | None) -> int:
    return len(_within(boxes, reasoning)) + (len(_within(boxes, answer)) if answer else 0)


def _reasoning_steps(text: str, start: int, end: int, boxes: list[FoundBox]) -> tuple[ParsedStep, ...]:
    return read_steps(text, start, end, boxes=_within(boxes, (start, end)))


def _grounded_steps(text: str, answer: Span | None, boxes: list[FoundBox]) -> tuple[ParsedStep, ...]:
    """Those pieces of the answer that point somewhere."""
    if answer is None:
        return ()
    pieces = read_steps(text, *answer, boxes=_within(boxes, answer))
    return tuple(
        step_at(
            text,
            piece.span,
            boxes=list(zip(piece.box_spans, piece.boxes, strict=True)),
            label=without_marks(piece.text),
        )
        for piece in pieces
        if piece.boxes
    )
