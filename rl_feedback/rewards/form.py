"""Whether a completion has the form that was asked for, and whether it says things over and over."""

from __future__ import annotations

import re

from inference.grounding import ParsedCompletion

_OPENED = re.compile(r"<\s*think\s*>")
_CLOSED = re.compile(r"<\s*/\s*think\s*>")
_BOXED = re.compile(r"\\boxed\s*\{")
_CLAUSE_END = re.compile(r"[;\n]|\.(?=\s|$)")
_WORD = re.compile(r"[^\W_]+(?:\.\d+)?")
# A repeated "no" is no padding.
MIN_WORDS_OF_A_REPEAT = 3


def is_well_formed(text: str, parsed: ParsedCompletion) -> bool:
    """One reasoning block at the very beginning, steps in it, and one answer after it, at the very end."""
    if parsed.problems or parsed.reasoning_span is None or parsed.answer_span is None:
        return False
    start, end = parsed.reasoning_span
    opened, closed, boxed = (
        [match.span() for match in mark.finditer(text)] for mark in (_OPENED, _CLOSED, _BOXED)
    )
    return (
        len(opened) == len(closed) == len(boxed) == 1
        and not text[: opened[0][0]].strip()
        and opened[0][1] == start
        and closed[0][0] == end
        and boxed[0][0] >= closed[0][1]
        and not text[parsed.answer_span[1] + 1 :].strip(" \t\r\n.")
    )


def answers_after_reasoning(parsed: ParsedCompletion) -> bool:
    """Whether the answer that counts follows the reasoning, or there is no reasoning to follow."""
    if parsed.answer_span is None:
        return False
    return parsed.reasoning_span is None or parsed.answer_span[0] >= parsed.reasoning_span[1]


def length_factor(text: str, parsed: ParsedCompletion, *, max_characters: int) -> float:
    """1 for a text within the limit that repeats nothing; less by the share that it says again, and falling
    to 0 at twice the limit.

    >>> from inference.grounding import parse_completion
    >>> text = "<think> The heart is big; The heart is big </think> \\\\boxed{big heart}"
    >>> length_factor(text, parse_completion(text), max_characters=4000)
    0.5
    """
    over = max(0, len(text) - max_characters) / max_characters
    repeated = max(_repeated_share(part) for part in _parts(text, parsed))
    return max(0.0, 1 - over) * (1 - repeated)


def _parts(text: str, parsed: ParsedCompletion) -> tuple[str, str]:
    """Reasoning and answer: an answer may well repeat what the reasoning found."""
    reasoning, answer = (
        text[slice(*span)] if span else "" for span in (parsed.reasoning_span, parsed.answer_span)
    )
    return reasoning, answer


def _repeated_share(part: str) -> float:
    """How much of a text, in characters, is a clause that stood there before with the same boxes."""
    seen: set[tuple[str, ...]] = set()
    total = repeated = 0
    for clause in _CLAUSE_END.split(part):
        words = tuple(_WORD.findall(clause.lower()))
        length = sum(map(len, words))
        total += length
        if len(words) >= MIN_WORDS_OF_A_REPEAT and words in seen:
            repeated += length
        seen.add(words)
    return repeated / total if total else 0.0
