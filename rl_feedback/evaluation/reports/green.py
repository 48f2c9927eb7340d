"""GREEN by a model server: a judge counts matched findings and errors, and the score is their share.

S. Ostmeier et al., GREEN (Findings of EMNLP 2024): matched / (matched + significant errors), 0 without a
matched finding. The question is in our words, with the six kinds of errors of the paper, so a figure names
the judge and the version of the question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

PROMPT_VERSION = "green-1"
PROMPT = """Compare a candidate chest X-ray report with the reference report, by findings and not by wording.
Count the findings that both reports state alike, and the clinically significant errors of the candidate:
(a) a finding that the reference does not have, (b) a finding of the reference that is missing, (c) a wrong
place or side, (d) a wrong severity, (e) a comparison with an earlier film that the reference does not make,
(f) a comparison of the reference that is missing. Leave out errors that change nothing for the patient.
Answer with one JSON object and nothing else: {{"matched": number, "errors": {{"a": number, "b": number,
"c": number, "d": number, "e": number, "f": number}}}}

Reference report: {reference}

Candidate report: {candidate}"""
_TRIES = 3
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)

Ask = Callable[[str], str]


def green(given: Sequence[str], wanted: Sequence[str], ask: Ask) -> npt.NDArray[np.float64]:
    """One score a report; NaN where the judge answered three times what can't be read. `ask` sends a question
    to the judge and gives its words.

    >>> said = '{"matched": 3, "errors": {"a": 1, "b": 0, "c": 0, "d": 0, "e": 0, "f": 0}}'
    >>> green(["Left effusion."], ["Left effusion. Edema."], lambda question: said).tolist()
    [0.75]
    """
    return np.array(
        [_score(candidate, reference, ask) for candidate, reference in zip(given, wanted, strict=True)]
    )


def question_of(candidate: str, reference: str) -> str:
    """What a judge is asked of a report."""
    return PROMPT.format(reference=reference, candidate=candidate or "(empty)")


@dataclass(frozen=True)
class Counts:
    """Findings that both reports state alike, and the significant errors of each of the six kinds."""

    matched: float
    errors: dict[str, float]

    @property
    def score(self) -> float:
        return self.matched / (self.matched + sum(self.errors.values())) if self.matched else 0.0

    def as_json(self) -> str:
        return json.dumps({"matched": self.matched, "errors": self.errors})


def read_counts(words: str) -> Counts | None:
    """What a judge wrote; None for rubbish: no JSON object, a kind of error left out, or what is no count.

    >>> read_counts('{"matched": 1, "errors": {"a": -1}}') is None
    True
    """
    found = _OBJECT.search(words)
    try:
        told: Any = json.loads(found[0]) if found else None
        counts = Counts(float(told["matched"]), {kind: float(told["errors"][kind]) for kind in "abcdef"})
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    numbers = [counts.matched, *counts.errors.values()]
    if min(numbers) < 0 or not np.isfinite(numbers).all():
        return None
    return counts


def _score(candidate: str, reference: str, ask: Ask) -> float:
    question = question_of(candidate, reference)
    for _ in range(_TRIES):
        counts = read_counts(ask(question))
        if counts is not None:
            return counts.score
    return float("nan")
