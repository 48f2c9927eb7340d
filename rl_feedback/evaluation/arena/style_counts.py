"""Counts what a report's style is: its length, its boxes, and how often it hedges."""

from __future__ import annotations

import re

from rl_feedback.evaluation.arena.judgements import Counts

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|\n+")
_BOX = re.compile(r"[\[(]\s*\d+(?:\.\d*)?(?:\s*,\s*\d+(?:\.\d*)?){3}\s*[\])]")
# Words by which doctors hedge: D. A. Hanauer et al. (2012), Hedging their mets, AMIA Annu Symp Proc, 321-330.
_HEDGE = re.compile(
    r"\b(may|might|could|possib\w+|probab\w+|likely|unlikely|suspect\w*|suspicious|suggest\w*|appears?|seems?|"
    r"questionable|cannot\s+(?:be\s+)?exclude\w*|can't\s+exclude|not\s+excluded|concern\w*\s+for|"
    r"consistent\s+with|compatible\s+with|differential)\b",
    re.IGNORECASE,
)


def style_of(text: str) -> Counts:
    """Tokens are words and single signs; a box is four numbers in brackets and counts as none of them.

    >>> style_of("A nodule [10, 20, 30, 40] is likely. It may be old.")
    Counts(tokens=10, sentences=2, boxes=1, hedges=2)
    """
    without = _BOX.sub(" ", text)
    parts = [part for part in _SENTENCE_END.split(without) if part.strip()]
    return Counts(
        tokens=len(_TOKEN.findall(without)),
        sentences=len(parts),
        boxes=len(_BOX.findall(text)),
        hedges=len(_HEDGE.findall(without)),
    )
