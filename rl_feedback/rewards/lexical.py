"""How much of one text's wording another text repeats: BLEU and ROUGE, as their papers define them.

Own code, because ten thousand answers must take seconds: nltk and rouge-score, against which the tests hold
these functions, take several times as long (benchmarks/rewards.py).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

_WORD = re.compile(r"[a-z0-9]+")


def bleu(candidate: str, reference: str, *, max_order: int) -> float:
    """Sentence BLEU over CHARACTERS, up to n-grams of `max_order`, each order weighing the same (Papineni
    2002), smoothed by one from order 2 on (Lin and Och 2004, Chen and Cherry's method 2).

    >>> bleu("no effusion", "no effusion", max_order=4), bleu("xyz", "no effusion", max_order=1)
    (1.0, 0.0)
    """
    logs = []
    for order in range(1, max_order + 1):
        given, wanted = _counts(candidate, order), _counts(reference, order)
        shared = sum(min(count, wanted[gram]) for gram, count in given.items() if gram in wanted)
        if order == 1 and not shared:
            return 0.0
        smoothing = 0 if order == 1 else 1
        total = max(1, len(candidate) - order + 1)
        logs.append(math.log((shared + smoothing) / (total + smoothing)))
    brevity = 1.0
    if len(candidate) <= len(reference):
        brevity = math.exp(1 - len(reference) / len(candidate))
    return brevity * math.exp(math.fsum(logs) / max_order)


def rouge_1(candidate: str, reference: str) -> float:
    """F1 of the stemmed words that both have, whatever their order (Lin 2004, ROUGE-1).

    >>> rouge_1("small effusions", "a small effusion")
    0.8
    """
    return overlap_f1(stems(candidate), stems(reference), order=1)


def overlap_f1(given: Sequence[str], wanted: Sequence[str], *, order: int) -> float:
    """F1 of the runs of `order` words that both texts have (ROUGE-N)."""
    ours, theirs = _runs(given, order), _runs(wanted, order)
    shared = sum(min(count, theirs[run]) for run, count in ours.items() if run in theirs)
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0


def longest_f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    """F1 of the longest series of words that both texts have in the same order (ROUGE-L)."""
    shared = longest_common(given, wanted)
    return 2 * shared / (len(given) + len(wanted)) if shared else 0.0


@lru_cache(maxsize=20_000)
def stems(text: str) -> tuple[str, ...]:
    """The text's words in small letters, cut to their stems as ROUGE does: words of over three letters.

    >>> stems("The lungs are clear.")
    ('the', 'lung', 'are', 'clear')
    """
    return tuple(stem for word in _WORD.findall(text.lower()) if (stem := _stem(word)))


@cache
def _stemmer() -> Callable[[str], str]:
    # Porter's algorithm with nltk's additions, as rouge-score uses it. Loading nltk takes a second.
    from nltk.stem.porter import PorterStemmer

    stemmer: Callable[[str], str] = PorterStemmer().stem
    return stemmer


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return _stemmer()(word) if len(word) > 3 else word


@lru_cache(maxsize=4_000)
def _counts(text: str, order: int) -> Counter[str]:
    return Counter(map("".join, zip(*(text[start:] for start in range(order)), strict=False)))


def _runs(words: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(order)), strict=False))


def longest_common(given: Sequence[str], wanted: Sequence[str]) -> int:
    """Length of the longest common subsequence, one machine word of the table at a time (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(wanted):
        places[word] = places.get(word, 0) | 1 << place
    everything = (1 << len(wanted)) - 1
    rows = everything
    for word in given:
        matched = rows & places.get(word, 0)
        rows = ((rows + matched) | (rows - matched)) & everything
    return (rows ^ everything).bit_count()
