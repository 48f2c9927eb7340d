"""The kinds of oddity for which a film waits for an admin, the gravest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class OddKind(StrEnum):
    """A held study stands under the gravest of its films' kinds, in this order."""

    NAME = "name"
    IDENTITY = "identity"
    SAME = "same"
    NEAR = "near"
    BLANK = "blank"
    BODY_PART = "body_part"
    POLARITY = "polarity"
    LATERALITY = "laterality"
    VIEW = "view"
    RESOLUTION = "resolution"
    ENCODING = "encoding"
    PART = "part"
    BY_HAND = "by_hand"


KIND_NAMES = {
    OddKind.NAME: "A name may be burned in",
    OddKind.IDENTITY: "Whose it is",
    OddKind.SAME: "The same picture again",
    OddKind.NEAR: "Nearly the same picture",
    OddKind.BLANK: "Blank",
    OddKind.BODY_PART: "Not a human chest",
    OddKind.POLARITY: "Polarity",
    OddKind.LATERALITY: "Side",
    OddKind.VIEW: "View",
    OddKind.RESOLUTION: "Resolution",
    OddKind.ENCODING: "How it is stored",
    OddKind.PART: "Part of an odd study",
    OddKind.BY_HAND: "Put on hold by hand",
}


@dataclass(frozen=True)
class Oddity:
    """`sentence`: for the admin who decides."""

    kind: OddKind
    sentence: str


def gravest(kinds: Iterable[str]) -> str:
    """Of these kinds; empty where there is none."""
    order = list(OddKind)
    return min((OddKind(kind) for kind in kinds if kind), key=order.index, default="")
