"""Shows two texts side by side with the words marked in which they differ."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from inference.texts import seen_text

_WORD = re.compile(r"\s+|[^\s]+")
_MARKS = ".,;:!?()\"'"


@dataclass(frozen=True)
class Piece:
    """Some words of one text; `differs` where the other text has none like them in this place."""

    text: str
    differs: bool


def differing_pieces(
    first: str, second: str, *, forgives_marks: bool = False
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts in pieces, in order; joined, each gives its text back, with signs written out that can't be
    seen. `forgives_marks`: words are the same whatever their capitals, and the marks before and behind them.

    >>> [piece.text for piece in differing_pieces("Left nodule.", "left nodule", forgives_marks=True)[0]]
    ['Left nodule.']
    """
    a, b = (_WORD.findall(seen_text(text.replace("\r\n", "\n"))[0]) for text in (first, second))
    in_first: list[Piece] = []
    in_second: list[Piece] = []
    compared = [list(map(_without_marks, words)) if forgives_marks else words for words in (a, b)]
    matcher = SequenceMatcher(a=compared[0], b=compared[1], autojunk=False)
    for kind, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        for pieces, words in ((in_first, a[a_from:a_to]), (in_second, b[b_from:b_to])):
            if words:
                pieces.append(Piece("".join(words), kind != "equal"))
    return tuple(in_first), tuple(in_second)


def _without_marks(word: str) -> str:
    if word.isspace():
        return " "
    return word.strip(_MARKS).lower() or word
