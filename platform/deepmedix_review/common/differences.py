"""Shows two texts side by side with the words marked in which they differ."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Piece:
    """Some words of one text; `differs` where the other text has none like them in this place."""

    text: str
    differs: bool


def differing_pieces(first: str, second: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts in pieces, in order; joined, each gives its text back."""
    a, b = _WORD.findall(first), _WORD.findall(second)
    in_first: list[Piece] = []
    in_second: list[Piece] = []
    for kind, a_from, a_to, b_from, b_to in SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes():
        for pieces, words in ((in_first, a[a_from:a_to]), (in_second, b[b_from:b_to])):
            if words:
                pieces.append(Piece("".join(words), kind != "equal"))
    return tuple(in_first), tuple(in_second)
