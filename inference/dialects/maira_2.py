"""MAIRA-2's way of writing: a report as phrases, each with the boxes of where it is seen.

`<obj>Small left effusion.<box><x55><y45><x70><y56></box></obj><obj>No pneumothorax.</obj>`. Each number is
one of 100 bins of a side, read at its middle: (55 + 0.5) / 100 of the centred square that the model sees of
the film. Source: its own processor, microsoft/maira-2, processing_maira2.py
(convert_output_to_plaintext_or_grounded_sequence, adjust_box_for_original_image_size). Without grounding it
writes the report alone.
"""

import re
from collections.abc import Iterator

from inference.dialects.outline import trimmed
from inference.dialects.parsed import FoundBox, ParsedCompletion, Span, region_problems
from inference.dialects.steps import step_at
from inference.regions import Box

NUM_BINS = 100
_PHRASE_MARK = re.compile(r"<(/?)obj>")
_BOX = re.compile(r"<box>\s*<x(\d{1,6})>\s*<y(\d{1,6})>\s*<x(\d{1,6})>\s*<y(\d{1,6})>\s*</box>", re.ASCII)
_ANY_MARK = re.compile(rf"{_BOX.pattern}|</?(?:obj|box)>|<[xy]\d{{1,6}}>", re.ASCII)


def read(text: str, *, reasons: bool) -> ParsedCompletion:
    """See `inference.grounding.parse_completion`. MAIRA-2 never reasons, so `reasons` asks nothing of it."""
    boxes = [(match.span(), _middle(match)) for match in _BOX.finditer(text)]
    phrases, cut_off = _phrases(text)
    steps, place = [], 0
    for span in phrases:
        inside: list[FoundBox] = []
        while place < len(boxes) and boxes[place][0][0] < span[1]:
            if boxes[place][0][0] >= span[0]:
                inside.append(boxes[place])
            place += 1
        steps.append(step_at(text, span, boxes=inside, label=without_marks(text[slice(*span)])))
    problems = region_problems(
        steps,
        some_unreadable=text.count("<box>") > len(boxes)
        or sum(len(step.boxes) for step in steps) < len(boxes),
    )
    answer = without_marks(text)
    if cut_off:
        problems.append("answer_not_closed")
    elif not answer:
        problems.append("empty_answer")
    whole = trimmed(text, 0, len(text))
    return ParsedCompletion(
        steps=tuple(steps),
        answer=answer,
        problems=tuple(problems),
        reasoning_span=None,
        answer_span=whole,
    )


def without_marks(text: str) -> str:
    """What a phrase or a report says, without its marks and boxes.

    >>> without_marks("<obj>Clear lungs.</obj><obj>Effusion.<box><x55><y45><x70><y56></box></obj>")
    'Clear lungs. Effusion.'
    """
    return " ".join(_ANY_MARK.sub(" ", text).split())


def _middle(match: re.Match[str]) -> Box:
    return Box(*((int(number) + 0.5) / NUM_BINS for number in match.groups()))


def _phrases(text: str) -> tuple[list[Span], bool]:
    """What stands between `<obj>` and `</obj>`, and whether the last one is cut off."""
    return list(_closed_phrases(text)), text.rfind("<obj>") > text.rfind("</obj>")


def _closed_phrases(text: str) -> Iterator[Span]:
    opened: int | None = None
    for mark in _PHRASE_MARK.finditer(text):
        if opened is not None and (span := trimmed(text, opened, mark.start())):
            yield span
        opened = None if mark[1] else mark.end()
    if opened is not None and (span := trimmed(text, opened, len(text))):
        yield span
