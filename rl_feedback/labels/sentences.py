"""Where the sentences of a report begin and end: denials and sides reach no further than their sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(
    r"(?<=[.!?])(?<!\b(?i:vs)\.)(?<!\b(?i:dr)\.)(?<!\b(?i:approx)\.)(?=\s|[A-Z])"  # not an abbreviation's
    r"|[;|]"
    r"|\n\s*\n"
    r"|\n(?=\s*(?:\d{1,2}[.)]|[-*•–])\s)",  # a list's next item
)
_NUMBER_ALONE = re.compile(r"\s*\(?\d{1,2}[.)]\s*")
_SPACE = re.compile(r"\s")
_BOX = re.compile(r"\[[-+\d.,eE\s]*\]")


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Start and words of each sentence, in small letters, boxes and line breaks blanked; lengths are kept.

    >>> list(sentences("1. No effusion. Heart\\nnormal"))
    [(0, '1. no effusion.'), (15, ' heart normal')]
    """
    plain = _BOX.sub(lambda box: " " * len(box.group()), text)
    start = left = 0
    for end in [*(match.end() for match in _END.finditer(plain)), len(plain)]:
        piece = plain[left:end]
        left = end
        if _NUMBER_ALONE.fullmatch(piece):
            continue
        piece = plain[start:end]
        if any(character.isalpha() for character in piece):
            yield start, _small(piece)
        start = end


def _small(piece: str) -> str:
    """In small letters, one for one: some capitals become two letters, and would move all that follows."""
    small = piece.lower()
    if len(small) > len(piece):
        small = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in piece)
    return _SPACE.sub(" ", small)


def spaced(pattern: str) -> str:
    """The pattern with any number of spaces where it has one.

    >>> spaced("chest tube")
    'chest +tube'
    """
    return re.sub(r" (?![*+?])", " +", pattern)
