"""Which findings a text says are there or are not, each with its side, and which of them are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rl_feedback.labels import KINDS_OF, NO_FINDING, SUPPORT_DEVICES, State, label_report
from rl_feedback.preferences.kinds import without_boxes

_NO_KINDS = frozenset((NO_FINDING, SUPPORT_DEVICES))


@dataclass(frozen=True, order=True)
class Finding:
    """A kind as the rules that read reports name it; `side` is the patient's, empty where none is said."""

    kind: str
    side: str = ""

    def __str__(self) -> str:
        return f"{self.side} {self.kind.lower()}".strip()


@dataclass(frozen=True)
class Told:
    """What is said outright to be there, and what is said outright not to be."""

    present: frozenset[Finding]
    absent: frozenset[Finding]


def told_by(sentences: Iterable[str]) -> Told:
    """Doubt is neither, and a blanket word ("no acute finding") denies no kind.

    >>> told = told_by(["Both effusions with [1, 2, 3, 4]", "No pneumothorax"])
    >>> sorted(map(str, told.present)), sorted(map(str, told.absent))
    (['left pleural effusion', 'right pleural effusion'], ['pneumothorax'])
    """
    return _told_by(". ".join(without_boxes(one).strip(" .;") for one in sentences) + ".")


@lru_cache(maxsize=8192)
def _told_by(text: str) -> Told:
    found: dict[State, set[Finding]] = {state: set() for state in State}
    for mention in label_report(text).mentions:
        if mention.is_stated and mention.finding not in _NO_KINDS:
            found[mention.state] |= {Finding(mention.finding, side) for side in mention.sides or {""}}
    return Told(frozenset(found[State.PRESENT]), frozenset(found[State.ABSENT] - found[State.PRESENT]))


def may_be_same(one: Finding, other: Finding) -> bool:
    """Whether both may be one finding: of one kind, or one a kind of the other, and not on two sides.

    >>> may_be_same(Finding("Nodule", "left"), Finding("Lung Lesion"))
    True
    >>> may_be_same(Finding("Nodule", "left"), Finding("Nodule", "right"))
    False
    """
    is_kind = one.kind == other.kind or KINDS_OF.get(one.kind) == other.kind
    is_kind = is_kind or KINDS_OF.get(other.kind) == one.kind
    return is_kind and (not one.side or not other.side or one.side == other.side)


def is_among(finding: Finding, others: Iterable[Finding]) -> bool:
    return any(may_be_same(finding, other) for other in others)
