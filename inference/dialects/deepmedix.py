"""DeepMedix-R1's way of writing, which the model that ships here shares.

`<think> step with [x_min, y_min, x_max, y_max]; step … </think> The answer is: \\boxed{…}`. Its source is the
prompt template that it was trained with (github DeepReasoning/DeepMedix-R1, src/xray_format.jinja). Boxes
outside the reasoning are no regions: its reward does not count them (src/reward.py there).
"""

from inference.dialects.outline import find_answer, find_reasoning
from inference.dialects.parsed import ParsedCompletion, is_readable, region_problems
from inference.dialects.steps import bracketed_boxes, read_steps


def read(text: str, *, reasons: bool) -> ParsedCompletion:
    """See `inference.grounding.parse_completion`."""
    start, end, problems = find_reasoning(text)
    if not reasons and "no_think" in problems:
        problems.remove("no_think")
    boxes = bracketed_boxes(text, start, end)
    steps = read_steps(text, start, end, boxes=boxes)
    if not steps and "no_think" not in problems and (end or reasons):
        problems.append("no_steps")
    problems += region_problems(steps, some_unreadable=any(not is_readable(box) for _, box in boxes))
    answer_span, answer_problem = find_answer(text)
    answer = text[slice(*answer_span)].strip() if answer_span else None
    if not reasons and answer is None and not answer_problem:
        answer = text.strip()
        answer_problem = "" if answer else "empty_answer"
    elif answer is None and not answer_problem:
        answer_problem = "no_answer"
    if answer_problem:
        problems.append(answer_problem)
    return ParsedCompletion(
        steps=steps,
        answer=answer,
        problems=tuple(problems),
        reasoning_span=(start, end) if end else None,
        answer_span=answer_span,
    )
