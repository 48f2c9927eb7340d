"""Writes readers' corrections back into the model's own text: regions, wordings, missed findings, answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inference.grounding import ParsedCompletion, ParsedStep, format_completion, parse_completion
from inference.regions import Box, Frame, to_model_box
from rl_feedback.readings import JudgedCompletion, JudgedRegion, MissedFinding

# What ties a box to its sentence goes with the box, else "effusion with" would be left hanging; before a
# further box it is the word between the two that goes.
_TIE_BEFORE = re.compile(r"\s*(?:,|\b(?:with|and|at|in))?\s*$", re.IGNORECASE)
_TIE_TO_NEXT = re.compile(r"\s*(?:,|and\b)\s*(?=\[)", re.IGNORECASE)
_Span = tuple[int, int]


class CorrectionRefused(Exception):
    """The corrected text can't be written; the message is a sentence that says why."""


def corrected_text(completion: JudgedCompletion) -> str:
    """The completion's text with each adjusted region moved and each wrong one taken out; all else as
    written.

    Raises CorrectionRefused when the text's regions are not the ones that were judged, or when the result
    would no longer be read as intended.
    """
    parsed = _parsed_as_judged(completion)
    spans = [span for step in parsed.steps for span in step.box_spans]
    judged = [region for step in completion.steps for region in step.regions]
    text = _with_verdicts(completion.text, spans, judged, completion)
    kept = sum(region.verdict != "wrong" for region in judged)
    _check(text, num_steps=len(parsed.steps), num_boxes=kept, answer=parsed.answer)
    return text


def rewritten_step(completion: JudgedCompletion, number: int) -> str:
    """Step `number`, from 0, in the reader's words, its regions moved, taken out and added. A wording
    ends with a full stop where the model's own does.

    Raises CorrectionRefused as `rewritten_text` does.
    """
    written = _parsed_as_judged(completion).steps[number]
    judged = completion.steps[number]
    wording = judged.edited_text.strip() or written.text
    steps = _steps_of(wording)
    boxes = [box for step in steps for box in step.boxes]
    if boxes == list(written.boxes):
        offset = _LEAD
        spans = [(start - offset, end - offset) for step in steps for start, end in step.box_spans]
        text = _with_verdicts(wording, spans, judged.regions, completion)
        added = judged.drawn
    elif not boxes:
        kept = [region for region in judged.regions if region.verdict != "wrong"]
        text, added = wording, (*(region.adjusted or region.box for region in kept), *judged.drawn)
    else:
        raise CorrectionRefused("The reader's wording names regions that are not those of the step.")
    text = _pointing_at(text, added, completion)
    return _ending_as(written, text) if judged.edited_text.strip() else text


def rewritten_text(completion: JudgedCompletion) -> str:
    """The completion as its reader would have it: steps in the reader's words, regions moved, taken out and
    added, steps gone that point at nothing right, missed findings as further steps, the answer as the reader
    would write it.

    Raises CorrectionRefused where `corrected_text` does, for a wording with regions that are not the step's,
    where no step is left, and where the answer does not stand behind the steps.
    """
    parsed = _parsed_as_judged(completion)
    kept = [number for number, step in enumerate(completion.steps) if not step.goes]
    steps = [rewritten_step(completion, number) for number in kept]
    missed = [_ending_as(parsed.steps[-1], _missed_step(each, completion)) for each in completion.missed]
    every = [*steps, *missed]
    if not every:
        raise CorrectionRefused("The reader would have no step left. Word one of them otherwise.")
    pieces = [completion.text[: parsed.steps[0].span[0]]]
    for place, step in enumerate(every):
        if place:
            pieces.append(_between(completion.text, parsed, kept, place))
        pieces.append(step)
    answer, end = parsed.answer or "", parsed.steps[-1].span[1]
    if parsed.answer_span is None or parsed.answer_span[0] < end:
        raise CorrectionRefused("The answer does not stand behind the steps.")
    at = completion.text.index(answer, *parsed.answer_span)
    wanted = completion.answer.rewrite.strip() or answer
    text = "".join([*pieces, completion.text[end:at], wanted, completion.text[at + len(answer) :]])
    read = [step for written in every for step in _steps_of(written)]
    _check(text, num_steps=len(read), num_boxes=sum(len(step.boxes) for step in read), answer=wanted)
    return text


def _between(text: str, parsed: ParsedCompletion, kept: Sequence[int], place: int) -> str:
    """What stands between a step of the rewritten text and the one before: as written, where it was."""
    if place >= len(kept) or kept[place] == 0:
        return "; "
    before = kept[place] - 1
    return text[parsed.steps[before].span[1] : parsed.steps[kept[place]].span[0]]


def _parsed_as_judged(completion: JudgedCompletion) -> ParsedCompletion:
    parsed = parse_completion(completion.text)
    if [len(step.boxes) for step in parsed.steps] != [len(step.regions) for step in completion.steps]:
        raise CorrectionRefused("The regions in the text are not the ones that were judged.")
    return parsed


# What stands before a step in the text that _steps_of reads.
_LEAD = len("<think> ")


def _steps_of(wording: str) -> tuple[ParsedStep, ...]:
    """The steps that a wording will be read as. Raises CorrectionRefused where it is none."""
    parsed = parse_completion(format_completion([wording], "x"))
    if parsed.problems or not parsed.steps or parsed.answer != "x":
        raise CorrectionRefused("The reader's wording can't be read as a step.")
    return parsed.steps


def _missed_step(finding: MissedFinding, completion: JudgedCompletion) -> str:
    text = finding.text.strip()
    if any(step.boxes for step in _steps_of(text)):
        raise CorrectionRefused("The reader's wording names regions that are not those of the step.")
    return _pointing_at(text, finding.boxes, completion)


def _ending_as(written: ParsedStep, text: str) -> str:
    """Readers close a sentence as they are used to. Left so, a model would learn of its readers to write
    "effusion.;" where it writes "effusion;"."""
    return text.rstrip(" .") + ("." if written.text.endswith(".") else "")


def _pointing_at(text: str, boxes: Sequence[Box], completion: JudgedCompletion) -> str:
    """The text with further regions at its end, tied as the model ties them."""
    points_already = bool(text.rstrip(" .").endswith("]"))
    for box in boxes:
        body, full_stop = (text[:-1], ".") if text.endswith(".") else (text, "")
        written = _box_text(box, completion, has_fraction=False)
        text = f"{body} {'and' if points_already else 'with'} {written}{full_stop}"
        points_already = True
    return text


def _with_verdicts(
    text: str, spans: Sequence[_Span], regions: Sequence[JudgedRegion], completion: JudgedCompletion
) -> str:
    for (start, end), region in reversed(list(zip(spans, regions, strict=True))):
        if region.verdict == "wrong":
            text = _without(text, start, end)
        elif region.verdict == "adjusted":
            if region.adjusted is None:
                raise CorrectionRefused("A region is marked as adjusted but has no corrected box.")
            box = _box_text(region.adjusted, completion, has_fraction="." in text[start:end])
            text = text[:start] + box + text[end:]
    return text


def _box_text(box: Box, completion: JudgedCompletion, *, has_fraction: bool) -> str:
    """A box of the film as the model would write it: whole numbers, unless the frame or the model uses
    fractions."""
    written = to_model_box(
        box,
        frame=completion.box_frame,
        model_size=completion.model_size,
        image_size=completion.image_size,
    )
    if completion.box_frame == Frame.NORM1:
        return "[" + ", ".join(f"{value:.3f}" for value in written) + "]"
    return "[" + ", ".join(f"{value:.1f}" if has_fraction else str(round(value)) for value in written) + "]"


def _without(text: str, start: int, end: int) -> str:
    before, after = text[:start], text[end:]
    following = _TIE_TO_NEXT.match(after)
    if following:
        return before + after[following.end() :]
    tie = _TIE_BEFORE.search(before)
    before = before[: tie.start()] if tie else before
    joiner = "" if not after or after[0] in ";,." or after[0].isspace() else " "
    return before + joiner + after


def _check(text: str, *, num_steps: int, num_boxes: int, answer: str | None) -> None:
    result = parse_completion(text)
    if result.problems or result.answer != answer or len(result.steps) != num_steps:
        raise CorrectionRefused("The corrected text would no longer be well formed.")
    boxes = [box for step in result.steps for box in step.boxes]
    if len(boxes) != num_boxes:
        raise CorrectionRefused("The corrected text would not hold the regions that were kept.")
    if any(box.x_min >= box.x_max or box.y_min >= box.y_max for box in boxes):
        raise CorrectionRefused("A region is too small to be written in the model's own pixels.")
