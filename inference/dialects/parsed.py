"""What reading a completion gives, in whatever way its model writes: steps, regions, answer, and problems."""

from collections.abc import Iterable
from dataclasses import dataclass

from inference.regions import Box

# A number past this is noise, no pixel; the largest detectors have some 10,000 pixels a side.
LARGEST_NUMBER = 1e6
# Nobody checks more on one film; a text with more is a model that repeats itself, or one that means harm.
MOST_REGIONS = 100

PROBLEM_SENTENCES: dict[str, str] = {
    "no_think": "It shows no reasoning.",
    "think_not_opened": "Its reasoning ends but never begins.",
    "think_not_closed": "Its reasoning has no end; it may have been cut off.",
    "no_steps": "Its reasoning is empty.",
    "no_answer": "It gives no final answer.",
    "answer_not_closed": "Its final answer has no end; it may have been cut off.",
    "empty_answer": "Its final answer is empty.",
    "unreadable_region": "It points at a region with numbers that no image has.",
    "too_many_regions": f"It points at more than {MOST_REGIONS} regions, which nobody could check.",
    "turned_text": "It holds signs that turn the order of letters round: it reads otherwise than it runs.",
    "foreign_reasoning": "Its reasoning is not all in English, the language asked for.",
    "foreign_answer": "Its answer is not all in English, the language asked for.",
}

Span = tuple[int, int]
# Where a box stands in the text, as (start, end), and the box in the model's own frame.
FoundBox = tuple[Span, Box]


@dataclass(frozen=True)
class ParsedStep:
    """One reasoning step: its text as written, boxes included, and the boxes in the model's own frame.

    `span` and `box_spans` are the (start, end) of the step and of each box in the completion's whole text.
    `label` is what the step says where its dialect wraps that in marks, else empty.
    """

    text: str
    boxes: tuple[Box, ...] = ()
    box_spans: tuple[Span, ...] = ()
    span: Span = (0, 0)
    label: str = ""


@dataclass(frozen=True)
class ParsedCompletion:
    """`answer` is None where there is none; `problems` are keys of PROBLEM_SENTENCES; the spans are the
    (start, end) of the reasoning and of the answer, None where there is none.

    Steps stand in the reasoning; in dialects that ground their answer itself, in the answer too.
    """

    steps: tuple[ParsedStep, ...]
    answer: str | None
    problems: tuple[str, ...]
    reasoning_span: Span | None = None
    answer_span: Span | None = None


def is_readable(box: Box) -> bool:
    """Whether every number could be a pixel; NaN is none."""
    return all(abs(value) <= LARGEST_NUMBER for value in box)


def region_problems(steps: Iterable[ParsedStep], *, some_unreadable: bool) -> list[str]:
    """What is wrong with the regions of a completion as a whole."""
    problems = ["unreadable_region"] if some_unreadable else []
    if sum(len(step.boxes) for step in steps) > MOST_REGIONS:
        problems.append("too_many_regions")
    return problems
