"""Reads what a model wrote: its reasoning steps, the regions each step points at, and its answer.

The grammar is DeepMedix-R1's where nothing else is said: `<think> step with [x_min, y_min, x_max, y_max];
step … </think> The answer is: \\boxed{…}`; other families have dialects of their own (`inference.dialects`).
Whatever the text, reading it never fails: what can't be read is named in `problems`.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from inference import dialects
from inference.dialects import Dialect
from inference.dialects.outline import ANSWER_LEAD, THINK_CLOSE, THINK_OPEN
from inference.dialects.parsed import LARGEST_NUMBER, PROBLEM_SENTENCES, ParsedCompletion, ParsedStep
from inference.dialects.steps import bracketed_boxes
from inference.language import foreign_parts, is_foreign
from inference.regions import Box
from inference.texts import turns_text

__all__ = [
    "LARGEST_NUMBER",
    "PROBLEM_SENTENCES",
    "Dialect",
    "ParsedCompletion",
    "ParsedStep",
    "find_boxes",
    "format_completion",
    "parse_completion",
    "texts_beside",
]

# No word, or none but those that announce the answer, as in "**Final answer:**".
_SAYS_NOTHING = re.compile(r"[\W_]*(?:(?:the\s+|my\s+)?(?:final\s+)?answer(?:\s+is)?[\W_]*)?", re.IGNORECASE)
_TAGS = re.compile(r"```(?:json)?|</?think>|\\boxed\{", re.IGNORECASE)
# The same as the last line, or the last words after a sentence, of what stands before the answer.
_ANNOUNCES = re.compile(
    r"(?:(?<=[.!?;:])\s+|\s*[\n\r]\s*)[^\w\n\r]*(?:the\s+|my\s+)?(?:final\s+)?answer(?:\s+is)?[\W_]*\Z",
    re.IGNORECASE,
)


def parse_completion(
    text: str, *, reasons: bool = True, dialect: Dialect = Dialect.DEEPMEDIX, question: str | None = None
) -> ParsedCompletion:
    """Read a completion; never raises. `reasons=False` is for prompts that ask for no reasoning: a text
    without `\\boxed{}` is then the answer itself. `dialect`: how its model writes, as its prompt says.
    `question`: what was asked, empty where that isn't known; parts in another language than English are then
    named among the problems, unless the question itself is in one. None: no language is asked for.

    >>> parsed = parse_completion("<think> Large heart [30, 50, 80, 90] </think> \\\\boxed{big}")
    >>> parsed.steps[0].boxes[0], parsed.answer, parsed.problems
    (Box(x_min=30.0, y_min=50.0, x_max=80.0, y_max=90.0), 'big', ())
    >>> parse_completion('{"bbox_2d": [30, 50, 80, 90]}', dialect=Dialect.JSON_BOXES).steps[0].boxes[0]
    Box(x_min=30.0, y_min=50.0, x_max=80.0, y_max=90.0)
    >>> parse_completion("<think> 心脏增大 </think> \\\\boxed{big}", question="Is the heart big?").problems
    ('foreign_reasoning',)
    """
    parsed = dialects.read(text, dialect=dialect, reasons=reasons)
    if turns_text(text):
        parsed = replace(parsed, problems=(*parsed.problems, "turned_text"))
    if question is None or is_foreign(question):
        return parsed
    return replace(parsed, problems=(*parsed.problems, *foreign_parts(text, parsed)))


def find_boxes(text: str) -> tuple[tuple[tuple[int, int], Box], ...]:
    """Every box of a text with its (start, end), wherever it stands and whatever its numbers.

    >>> find_boxes("a [1,2,3,4] b")
    (((2, 11), Box(x_min=1.0, y_min=2.0, x_max=3.0, y_max=4.0)),)
    """
    return tuple(bracketed_boxes(text))


def texts_beside(text: str, *, reasons: bool = True, dialect: Dialect = Dialect.DEEPMEDIX) -> tuple[str, ...]:
    """What a completion says outside its reasoning and its answer, without the words that lead the answer in.

    Nothing where it has no answer of its own: then its whole text is what it says.

    >>> texts_beside("<think> Large heart </think> The answer is: \\\\boxed{big}. Please correlate.")
    ('Please correlate.',)
    """
    parsed = parse_completion(text, reasons=reasons, dialect=dialect)
    if parsed.answer_span is None:
        return ()
    if dialect is not Dialect.DEEPMEDIX:
        return _beside_parts(text, parsed)
    opened, closed = parsed.answer_span
    lead = next(match for match in ANSWER_LEAD.finditer(text) if match.end() == opened)
    taken = [(lead.start(), closed + 1)]
    if parsed.reasoning_span is not None:
        start, end = parsed.reasoning_span
        tags = [*THINK_OPEN.finditer(text), *THINK_CLOSE.finditer(text)]
        taken += [(start, end), *(tag.span() for tag in tags if tag.end() == start or tag.start() == end)]
    gaps, left = [], 0
    for start, end in sorted(taken):
        gap = text[left:start]
        gaps.append(_ANNOUNCES.sub("", gap) if start == lead.start() else gap)
        left = max(left, end)
    said = [gap.strip().lstrip(".,; \n") for gap in (*gaps, text[left:])]
    return tuple(gap for gap in said if not _SAYS_NOTHING.fullmatch(gap))


def _beside_parts(text: str, parsed: ParsedCompletion) -> tuple[str, ...]:
    """What lies outside every step, the reasoning and the answer, without fences and tags."""
    spans = [step.span for step in parsed.steps]
    spans += [span for span in (parsed.reasoning_span, parsed.answer_span) if span is not None]
    gaps, left = [], 0
    for start, end in sorted(spans):
        gaps.append(text[left:start])
        left = max(left, end)
    said = (_TAGS.sub(" ", gap).strip() for gap in (*gaps, text[left:]))
    return tuple(one.lstrip(".,;]} ") for one in said if not _SAYS_NOTHING.fullmatch(one))


def format_completion(steps: Sequence[str], answer: str) -> str:
    """The text a model would have written: steps with their boxes in them, then the boxed answer.

    >>> format_completion(["Clear lungs"], "normal")
    '<think> Clear lungs </think> The answer is: \\\\boxed{normal}'
    """
    return f"<think> {'; '.join(steps)} </think> The answer is: \\boxed{{{answer}}}"
