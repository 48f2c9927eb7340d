"""Reads a judge's verdict out of what it wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inference.texts import well_formed
from rl_feedback.evaluation.arena.asking import Rubbish
from rl_feedback.evaluation.arena.judgements import OnCriterion, Verdict
from rl_feedback.evaluation.arena.prompts import CRITERIA

_LONGEST_REASON = 2000
_BETTER = {"a": Verdict.FIRST, "b": Verdict.SECOND, "tie": Verdict.TIE}


class NotAVerdict(Rubbish):
    """The judge answered something else than a verdict."""


@dataclass(frozen=True)
class ReadVerdict:
    verdict: Verdict
    criteria: Mapping[str, OnCriterion]


def read_verdict(text: str) -> ReadVerdict:
    """The last JSON object of the text with a verdict on every criterion and on the whole: a judge that
    thinks aloud may try others before. Raises NotAVerdict.

    >>> of_one = '{"better": "A", "reason": "It names the nodule."}'
    >>> every = ", ".join(f'"{name}": {of_one}' for name in CRITERIA)
    >>> read_verdict(f'{{"criteria": {{{every}}}, "better": "tie"}}').verdict
    <Verdict.TIE: 'tie'>
    """
    found = [value for value in _objects(text) if "better" in value and "criteria" in value]
    if not found:
        raise NotAVerdict('It holds no JSON object with "criteria" and "better".')
    told = found[-1]
    criteria = told["criteria"]
    if not isinstance(criteria, dict):
        raise NotAVerdict('"criteria" is no JSON object.')
    missing = [name for name in CRITERIA if name not in criteria]
    if missing:
        raise NotAVerdict(f"It says nothing of {', '.join(missing)}.")
    return ReadVerdict(
        verdict=_better(told["better"], of="the whole"),
        criteria={name: _criterion(criteria[name], of=name) for name in CRITERIA},
    )


def _criterion(told: Any, *, of: str) -> OnCriterion:
    match told:
        case {"better": better, "reason": str(reason)}:
            told = well_formed(reason).replace("\0", "").strip()
            return OnCriterion(_better(better, of=of), told[:_LONGEST_REASON])
    raise NotAVerdict(f'Of {of} it gives no "better" with a "reason".')


def _better(told: Any, *, of: str) -> Verdict:
    verdict = _BETTER.get(told.strip().lower()) if isinstance(told, str) else None
    if verdict is None:
        raise NotAVerdict(f'Of {of} "better" is neither "A", "B" nor "tie".')
    return verdict


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, outermost ones only."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if isinstance(value, dict):
            yield value
