"""Finds where a completion reasons and where it answers: `<think> … </think> … \\boxed{…}`."""

import re

from inference.dialects.parsed import Span

THINK_OPEN = re.compile(r"<\s*think\s*>")
THINK_CLOSE = re.compile(r"<\s*/\s*think\s*>")
ANSWER_LEAD = re.compile(r"(?:the\s+(?:final\s+)?answer\s+is\s*(?::\s*)?)?\\boxed\s*\{", re.IGNORECASE)
_BRACE = re.compile(r"\\boxed\s*\{|(?<!\\)[{}]")


def find_reasoning(text: str) -> tuple[int, int, list[str]]:
    """Start and end of the first reasoning block within the text, and what is wrong with it."""
    opened = THINK_OPEN.search(text)
    closed = THINK_CLOSE.search(text, opened.end() if opened else 0)
    if opened and closed:
        return opened.end(), closed.start(), []
    if opened:
        answer = ANSWER_LEAD.search(text, opened.end())
        return opened.end(), answer.start() if answer else len(text), ["think_not_closed"]
    if closed:
        return 0, closed.start(), ["think_not_opened"]
    return 0, 0, ["no_think"]


def find_answer(text: str) -> tuple[Span | None, str]:
    """Where the content of the last `\\boxed{}` whose braces balance stands, and what is wrong with it."""
    opened: list[tuple[bool, int]] = []
    last: Span | None = None
    seen = False
    for brace in _BRACE.finditer(text):
        if brace.group() == "}":
            if not opened:
                continue
            is_boxed, content = opened.pop()
            if is_boxed and (last is None or content > last[0]):
                last = (content, brace.start())
        else:
            is_boxed = brace.group() != "{"
            seen = seen or is_boxed
            opened.append((is_boxed, brace.end()))
    if last is None:
        return None, "answer_not_closed" if seen else ""
    return last, "" if text[slice(*last)].strip() else "empty_answer"


def lead_of_answer(text: str, answer: Span) -> int:
    """Where the words and the `\\boxed{` begin that lead this answer in."""
    return next(match.start() for match in ANSWER_LEAD.finditer(text) if match.end() == answer[0])


def after_reasoning(text: str) -> int:
    """Where the text goes on after its reasoning block; 0 where it has none."""
    opened = THINK_OPEN.search(text)
    closed = THINK_CLOSE.search(text, opened.end() if opened else 0)
    return closed.end() if closed else (len(text) if opened else 0)


def trimmed(text: str, start: int, end: int) -> Span | None:
    """The span without white space at its ends; None where nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
