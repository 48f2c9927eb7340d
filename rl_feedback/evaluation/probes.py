"""Changes a report into one that is wrong, to see which measures notice: every denial turned round, or left
and right swapped."""

from __future__ import annotations

import re

_SWAPS = {"left": "right", "lll": "rll", "lul": "rul"}
_SWAPS |= {other: one for one, other in _SWAPS.items()}
_SIDE = re.compile(rf"\b({'|'.join(_SWAPS)})\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+")
_DENIAL = re.compile(
    r"\b(no evidence of|no signs? of|without evidence of|negative for|free of|without|not|no)\b\s*",
    re.IGNORECASE,
)
_IS = re.compile(r"\b(is|are|was|were|has|have)\b(?!\s+not\b)", re.IGNORECASE)


def flip_denials(text: str) -> str:
    """Each sentence says the opposite.

    >>> flip_denials("No pneumothorax. The heart is enlarged. Small effusion.")
    'Pneumothorax. The heart is not enlarged. No small effusion.'
    """
    return " ".join(map(_flipped, filter(None, _SENTENCE.split(text.strip()))))


def swap_sides(text: str) -> str:
    """Left is right, and right is left; a text without sides stays as it is.

    >>> swap_sides("Left effusion, RLL opacity.")
    'Right effusion, LLL opacity.'
    """
    return _SIDE.sub(lambda found: _as(found[0], _SWAPS[found[0].lower()]), text)


def _flipped(sentence: str) -> str:
    denied, count = _DENIAL.subn("", sentence)
    if count:
        return denied[:1].upper() + denied[1:]
    affirmed, count = _IS.subn(lambda found: f"{found[0]} not", sentence, count=1)
    if count:
        return affirmed
    return f"No {sentence[:1].lower()}{sentence[1:]}"


def _as(model: str, word: str) -> str:
    """With the capitals of the word that it stands for."""
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[0].isupper() else word
