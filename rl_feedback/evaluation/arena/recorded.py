"""Judgements that were made elsewhere, as lines of a file.

One JSON object a line: which pair, with whose report in the first place, and what the judge wrote (`text`) or
what it came to (`verdict` first, second or tie, with `criteria`: which report is better in each regard, and
why). The pair is `case`, `first` and `second`; or, of a platform's own battles, `battle` and `first`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.texts import well_formed
from rl_feedback.evaluation.arena.answers import NotAVerdict, read_verdict

_LONGEST_LINE = 1_000_000
_LETTERS = {"first": "A", "second": "B", "a": "A", "b": "B", "tie": "tie"}
_PAIR, _OF_BATTLE = ("case", "first", "second"), ("battle", "first")
_NAMES = {*_PAIR, *_OF_BATTLE, "question"}
_SHAPES = (
    '{"case": …, "first": …, "second": …, "text": …}, or instead of the text "verdict" ("first", "second" or '
    '"tie") and "criteria"'
)


@dataclass(frozen=True)
class RecordedAnswer:
    """What a judge wrote, as it answers a question. `second` and `case` are empty where `battle` says them;
    `question` tells pairs of one case apart, where told."""

    line: int
    text: str
    case: str
    first: str
    second: str
    battle: str = ""
    question: str = ""


def read_answers(path: Path, *, called: str = "") -> tuple[RecordedAnswer, ...]:
    """Every line of a file, in its order. Raises ValueError, naming the line and the way out, where one can't
    be read: then none is taken. `called`: the file's name for people, where its own is another."""
    called = called or path.name
    found = tuple(
        _answer(told, number, f"{called}, line {number}") for number, told in _objects(path, called)
    )
    if not found:
        raise ValueError(f"{called} holds no judgement. Write one JSON object a line.")
    return found


def _answer(told: dict[str, Any], number: int, place: str) -> RecordedAnswer:
    names = _OF_BATTLE if "battle" in told else _PAIR
    is_named = all(isinstance(told.get(name), str) for name in names)
    if not is_named or not all(isinstance(told[name], str) for name in _NAMES & set(told)):
        raise ValueError(f"{place} is no judgement. Write {_SHAPES}.")
    text = told["text"] if isinstance(told.get("text"), str) else _written(told, place)
    return RecordedAnswer(
        line=number,
        text=well_formed(text),
        case=told.get("case", ""),
        first=told["first"],
        second=told.get("second", ""),
        battle=told.get("battle", ""),
        question=told.get("question", ""),
    )


def _written(told: dict[str, Any], place: str) -> str:
    """A verdict and its reasons in the words of a judge, so that they are read as any answer is."""
    verdict, criteria = told.get("verdict"), told.get("criteria", {})
    if not isinstance(verdict, str) or not isinstance(criteria, dict):
        raise ValueError(f"{place} is no judgement. Write {_SHAPES}.")
    better = {name: {**one, "better": _letter(one.get("better"))} for name, one in _dicts(criteria)}
    text = json.dumps({"criteria": better, "better": _letter(verdict)}, ensure_ascii=False)
    try:
        read_verdict(text)
    except NotAVerdict as error:
        raise ValueError(f"{place} is no verdict. {error} Write {_SHAPES}.") from None
    return text


def _dicts(criteria: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, one) for name, one in criteria.items() if isinstance(one, dict))


def _letter(said: Any) -> Any:
    return _LETTERS.get(said.strip().lower(), said) if isinstance(said, str) else said


def _objects(path: Path, called: str) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8") as lines:
        for number in range(1, 2**62):
            place = f"{called}, line {number}"
            try:
                line = lines.readline(_LONGEST_LINE + 1)
            except UnicodeDecodeError:
                raise ValueError(f"{called} is no text in UTF-8. Write it as that.") from None
            if not line:
                return
            if len(line) > _LONGEST_LINE:
                raise ValueError(f"{place} has over {_LONGEST_LINE:,} characters. Write one object a line.")
            if not line.strip():
                continue
            try:
                told = json.loads(line)
            except (ValueError, RecursionError):
                raise ValueError(f"{place} is no JSON. Write one object a line.") from None
            if not isinstance(told, dict):
                raise ValueError(f"{place} is no judgement. Write {_SHAPES}.")
            yield number, told
