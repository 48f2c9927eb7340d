"""What a readable completion looks like as a pattern, for servers that can hold a model to one."""

from __future__ import annotations

from functools import partial

from inference.dialects import Dialect, read
from inference.engines.requests import Shape

_ANSWER = r"\\boxed\{[^{}]{1,2000}\}"
_BOX = r"\[\d{1,4}, \d{1,4}, \d{1,4}, \d{1,4}\]"
_OBJECT = rf'\{{"bbox_2d": {_BOX}, "label": "[^"\\{{}}]{{1,80}}"\}}'
_Y_FIRST = _OBJECT.replace("bbox_2d", "box_2d")

# By prompt template: what it asks for. Others are read as they come.
_PATTERNS = {
    "deepmedix-r1": rf"<think>[^<>]{{1,8000}}</think>\s?The answer is: {_ANSWER}",
    "qwen-vl-think": rf"<think>[^<>]{{1,8000}}</think>\s?The answer is: {_ANSWER}",
    "json-boxes": rf"\[({_OBJECT}(, {_OBJECT}){{0,30}})?\]\n{_ANSWER}",
    "json-boxes-y-first": rf"\[({_Y_FIRST}(, {_Y_FIRST}){{0,30}})?\]\n{_ANSWER}",
}
# With these a completion can't be read as a whole; a region with odd numbers is the model's own fault.
_NOT_READ = frozenset(
    {
        "no_think",
        "think_not_opened",
        "think_not_closed",
        "no_steps",
        "no_answer",
        "answer_not_closed",
        "empty_answer",
    }
)


def shape_of(prompt_template: str, *, dialect: Dialect, reasons: bool) -> Shape | None:
    """None for templates that ask for no form."""
    pattern = _PATTERNS.get(prompt_template)
    if pattern is None:
        return None
    return Shape(regex=pattern, fits=partial(_is_read, dialect=dialect, reasons=reasons))


def _is_read(text: str, *, dialect: Dialect, reasons: bool) -> bool:
    return not _NOT_READ & set(read(text, dialect=dialect, reasons=reasons).problems)
