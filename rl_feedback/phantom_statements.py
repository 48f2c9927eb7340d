"""What a text says of each kind of finding, outright: that it is there, or that it is not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from inference.phantom_truth import KINDS
from rl_feedback.labels import State, label_report

_LABELS = {
    "cardiomegaly": "Cardiomegaly",
    "effusion": "Pleural Effusion",
    "pneumothorax": "Pneumothorax",
    "consolidation": "Consolidation",
    "nodule": "Nodule",
    "cavity": "Cavity",
}
_BOX = re.compile(r"\s*(?:with|at)?\s*\[[^\]]*\]")


@dataclass(frozen=True)
class Statements:
    """Kinds of findings by what is said of them; doubt is neither. "No acute finding" denies no kind: what
    it leaves out is omitted."""

    affirmed: tuple[str, ...]
    denied: tuple[str, ...]


def statements(sentences: Iterable[str]) -> Statements:
    """Of a completion's steps and answer, regions left out.

    >>> statements(["The heart is enlarged with [1, 2, 3, 4]", "No pneumothorax"])
    Statements(affirmed=('cardiomegaly',), denied=('pneumothorax',))
    """
    said = label_report(". ".join(_BOX.sub("", sentence).strip(" .") for sentence in sentences) + ".")
    states = {kind: said.state_of(_LABELS[kind]) for kind in KINDS}
    return Statements(
        affirmed=tuple(kind for kind in KINDS if states[kind] is State.PRESENT),
        denied=tuple(kind for kind in KINDS if states[kind] is State.ABSENT),
    )
