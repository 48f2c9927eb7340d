"""Reads what a model wrote: its reasoning steps, the regions each step points at, and its answer.

The grammar is DeepMedix-R1's: `<think> step with [x_min, y_min, x_max, y_max]; step … </think> The answer
is: \\boxed{…}`. Whatever the text, reading it never fails: what can't be read is named in `problems`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inference.regions import Box

# A number past this is noise, no pixel; the largest detectors have some 10,000 pixels a side.
LARGEST_NUMBER = 1e6

PROBLEM_SENTENCES: dict[str, str] = {
    "no_think": "It shows no reasoning.",
    "think_not_opened": "Its reasoning ends but never begins.",
    "think_not_closed": "Its reasoning has no end; it may have been cut off.",
    "no_steps": "Its reasoning is empty.",
    "no_answer": "It gives no final answer.",
    "answer_not_closed": "Its final answer has no end; it may have been cut off.",
    "empty_answer": "Its final answer is empty.",
    "unreadable_region": "It points at a region with numbers that no image has.",
}

_NUMBER = r"[-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?"
_BOX = re.compile(r"\[\s*" + r"\s*,\s*".join([f"({_NUMBER})"] * 4) + r"\s*,?\s*\]", re.ASCII)
_THINK_OPEN = re.compile(r"<\s*think\s*>")
_THINK_CLOSE = re.compile(r"<\s*/\s*think\s*>")
_BRACE = re.compile(r"\\boxed\s*\{|(?<!\\)[{}]")
_ANSWER_LEAD = re.compile(r"(?:the\s+(?:final\s+)?answer\s+is\s*:?\s*)?\\boxed\s*\{", re.IGNORECASE)
# No word, or none but those that announce the answer, as in "**Final answer:**".
_SAYS_NOTHING = re.compile(r"[\W_]*(?:(?:the\s+|my\s+)?(?:final\s+)?answer(?:\s+is)?[\W_]*)?", re.IGNORECASE)
# The same as the last line, or the last words after a sentence, of what stands before the answer.
_ANNOUNCES = re.compile(
    r"(?:(?<=[.!?;:])\s+|\s*[\n\r]\s*)[^\w\n\r]*(?:the\s+|my\s+)?(?:final\s+)?answer(?:\s+is)?[\W_]*\Z",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[;\n\r\u2028\u2029]+")
_NUMBERING = re.compile(r"\s*(?:\(?(\d{1,2})[.)](?=\s)|[Ss]tep\s+(\d{1,2})\s*[:.])")
_BULLET = re.compile(r"[-*•–]\s+")


@dataclass(frozen=True)
class ParsedStep:
    """One reasoning step: its text as written, boxes included, and the boxes in the model's own frame.

    `span` and `box_spans` are the (start, end) of the step and of each box in the completion's whole text.
    """

    text: str
    boxes: tuple[Box, ...] = ()
    box_spans: tuple[tuple[int, int], ...] = ()
    span: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class ParsedCompletion:
    """`answer` is None where there is none; `problems` are keys of PROBLEM_SENTENCES; the spans are the
    (start, end) of the reasoning and of what stands in the answer's braces, None where there is none."""

    steps: tuple[ParsedStep, ...]
    answer: str | None
    problems: tuple[str, ...]
    reasoning_span: tuple[int, int] | None = None
    answer_span: tuple[int, int] | None = None


def parse_completion(text: str, *, reasons: bool = True) -> ParsedCompletion:
    """Read a completion; never raises. `reasons=False` is for prompts that ask for no reasoning: a text
    without `\\boxed{}` is then the answer itself.

    >>> parsed = parse_completion("<think> Large heart [30, 50, 80, 90] </think> \\\\boxed{big}")
    >>> parsed.steps[0].boxes[0], parsed.answer, parsed.problems
    (Box(x_min=30.0, y_min=50.0, x_max=80.0, y_max=90.0), 'big', ())
    """
    start, end, problems = _find_reasoning(text)
    if not reasons and "no_think" in problems:
        problems.remove("no_think")
    steps, unreadable = _read_steps(text, start, end)
    if not steps and "no_think" not in problems and (end or reasons):
        problems.append("no_steps")
    if unreadable:
        problems.append("unreadable_region")
    answer_span, answer_problem = _find_answer(text)
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


def find_boxes(text: str) -> tuple[tuple[tuple[int, int], Box], ...]:
    """Every box of a text with its (start, end), wherever it stands and whatever its numbers.

    >>> find_boxes("a [1,2,3,4] b")
    (((2, 11), Box(x_min=1.0, y_min=2.0, x_max=3.0, y_max=4.0)),)
    """
    return tuple((match.span(), Box(*map(float, match.groups()))) for match in _BOX.finditer(text))


def texts_beside(text: str) -> tuple[str, ...]:
    """What a completion says outside its reasoning and its answer, without the words that lead the answer in.

    Nothing where it has no answer of its own: then its whole text is what it says.

    >>> texts_beside("<think> Large heart </think> The answer is: \\\\boxed{big}. Please correlate.")
    ('Please correlate.',)
    """
    parsed = parse_completion(text)
    if parsed.answer_span is None:
        return ()
    opened, closed = parsed.answer_span
    lead = next(match for match in _ANSWER_LEAD.finditer(text) if match.end() == opened)
    taken = [(lead.start(), closed + 1)]
    if parsed.reasoning_span is not None:
        start, end = parsed.reasoning_span
        tags = [*_THINK_OPEN.finditer(text), *_THINK_CLOSE.finditer(text)]
        taken += [(start, end), *(tag.span() for tag in tags if tag.end() == start or tag.start() == end)]
    gaps, left = [], 0
    for start, end in sorted(taken):
        gap = text[left:start]
        gaps.append(_ANNOUNCES.sub("", gap) if start == lead.start() else gap)
        left = max(left, end)
    said = [gap.strip().lstrip(".,; \n") for gap in (*gaps, text[left:])]
    return tuple(gap for gap in said if not _SAYS_NOTHING.fullmatch(gap))


def format_completion(steps: Sequence[str], answer: str) -> str:
    """The text a model would have written: steps with their boxes in them, then the boxed answer.

    >>> format_completion(["Clear lungs"], "normal")
    '<think> Clear lungs </think> The answer is: \\\\boxed{normal}'
    """
    return f"<think> {'; '.join(steps)} </think> The answer is: \\boxed{{{answer}}}"


def _find_reasoning(text: str) -> tuple[int, int, list[str]]:
    """Start and end of the first reasoning block within the text, and what is wrong with it."""
    opened = _THINK_OPEN.search(text)
    closed = _THINK_CLOSE.search(text, opened.end() if opened else 0)
    if opened and closed:
        return opened.end(), closed.start(), []
    if opened:
        answer = _ANSWER_LEAD.search(text, opened.end())
        return opened.end(), answer.start() if answer else len(text), ["think_not_closed"]
    if closed:
        return 0, closed.start(), ["think_not_opened"]
    return 0, 0, ["no_think"]


def _read_steps(text: str, start: int, end: int) -> tuple[tuple[ParsedStep, ...], bool]:
    """The steps between two places of the text, and whether some box had impossible numbers."""
    boxes = [(match.span(), Box(*map(float, match.groups()))) for match in _BOX.finditer(text, start, end)]
    readable = [(span, box) for span, box in boxes if all(abs(value) <= LARGEST_NUMBER for value in box)]
    # Boxes may hold line breaks and full stops: hidden, they can't be taken for the end of a step.
    hidden = list(text[start:end])
    for (left, right), _ in boxes:
        hidden[left - start : right - start] = "▮" * (right - left)
    steps = []
    for left, right in _split_steps("".join(hidden)):
        inside = [(span, box) for span, box in readable if start + left <= span[0] < start + right]
        steps.append(
            ParsedStep(
                text=text[start + left : start + right],
                boxes=tuple(box for _, box in inside),
                box_spans=tuple(span for span, _ in inside),
                span=(start + left, start + right),
            )
        )
    return tuple(steps), len(readable) < len(boxes)


def _split_steps(reasoning: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each step that has at least one letter, digit or box."""
    pieces, left = [], 0
    for separator in _SEPARATOR.finditer(reasoning):
        pieces.append((left, separator.start()))
        left = separator.end()
    pieces.append((left, len(reasoning)))
    for left, right in pieces:
        for first, last in _split_numbered(reasoning, left, right):
            first, last = _trim(reasoning, first, last)
            if any(character.isalnum() or character == "▮" for character in reasoning[first:last]):
                yield first, last


def _split_numbered(reasoning: str, left: int, right: int) -> Iterator[tuple[int, int]]:
    """Split "1. … 2. … 3. …" on one line; numbers that don't count on are part of the sentence."""
    marker = _NUMBERING.match(reasoning, left, right)
    while marker:
        number = int(marker.group(1) or marker.group(2)) + 1
        following = re.compile(rf"(?<=\s)(?:\(?{number}[.)](?=\s)|[Ss]tep\s+{number}\s*[:.])").search(
            reasoning, marker.end(), right
        )
        yield marker.end(), following.start() if following else right
        if following is None:
            return
        marker = _NUMBERING.match(reasoning, following.start(), right)
    yield left, right


def _trim(reasoning: str, left: int, right: int) -> tuple[int, int]:
    while left < right and reasoning[left].isspace():
        left += 1
    bullet = _BULLET.match(reasoning, left, right)
    if bullet:
        left = bullet.end()
    while right > left and reasoning[right - 1].isspace():
        right -= 1
    return left, right


def _find_answer(text: str) -> tuple[tuple[int, int] | None, str]:
    """Where the content of the last `\\boxed{}` whose braces balance stands, and what is wrong with it."""
    opened: list[tuple[bool, int]] = []
    last: tuple[int, int] | None = None
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
