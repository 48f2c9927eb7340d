"""Plain text without boxes, as LLaVA-Rad, MedGemma, HuatuoGPT-Vision and DeepSeek-VL write.

The whole text is the answer; where a model was told to reason, or does so unasked, what stands in think tags
or before `\\boxed{}` is its reasoning. No number in it is taken for a box.
"""

from inference.dialects.outline import (
    after_reasoning,
    find_answer,
    find_reasoning,
    lead_of_answer,
    trimmed,
)
from inference.dialects.parsed import ParsedCompletion
from inference.dialects.steps import read_steps


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
        answer_span = trimmed(text, after_reasoning(text), len(text))
        answer_problem = "" if answer_span else ("no_answer" if text.strip() else "empty_answer")
    steps = read_steps(text, start, end, boxes=())
    if not steps and reasons and not problems:
        problems.append("no_steps")
    if answer_problem:
        problems.append(answer_problem)
    return ParsedCompletion(
        steps=steps,
        answer=text[slice(*answer_span)].strip() if answer_span else None,
        problems=tuple(problems),
        reasoning_span=(start, end) if end else None,
        answer_span=answer_span,
    )
