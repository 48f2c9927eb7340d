"""Which kinds of findings a text says outright are there, by the rules that read reports."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from inference.grounding import parse_completion
from rl_feedback.labels import NO_FINDING, SUPPORT_DEVICES, State, label_report

_BOX = re.compile(r"\s*(?:with|at|and)?\s*\[[^\]]*\]")
_NO_KINDS = frozenset((NO_FINDING, SUPPORT_DEVICES))


@lru_cache(maxsize=4096)
def kinds_named(text: str) -> frozenset[str]:
    """The kinds of findings that a completion says outright are there, by the rules that read reports.

    >>> text = "<think> A left effusion with [1, 2, 3, 4]; No nodule </think> \\\\boxed{left effusion}"
    >>> sorted(kinds_named(text))
    ['Pleural Effusion']
    """
    parsed = parse_completion(text)
    sentences = [*(step.text for step in parsed.steps), *(parsed.answer or "").split(",")]
    return kinds_said(sentences)


def kinds_said(sentences: Iterable[str]) -> frozenset[str]:
    said = label_report(". ".join(without_boxes(one).strip(" .;") for one in sentences) + ".")
    named = {mention.finding for mention in said.mentions if mention.is_stated} - _NO_KINDS
    return frozenset(kind for kind in named if said.state_of(kind) is State.PRESENT)


def without_boxes(sentence: str) -> str:
    """
    >>> without_boxes("A left effusion with [1, 2, 3, 4]")
    'A left effusion'
    """
    return _BOX.sub("", sentence)
