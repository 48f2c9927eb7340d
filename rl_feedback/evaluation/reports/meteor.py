"""METEOR of exact words and stems: how much of the reference a report says, and in how few pieces.

A. Lavie and A. Agarwal, METEOR (WMT 2007), without WordNet's synonyms: three figures go by the name METEOR,
and this one is named by its stages. Words are aligned from the end, each with the last that is free, as nltk
does it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import pairwise

VARIANT = "exact + stem (Porter), no synonyms; alpha .9, beta 3, gamma .5; aligned as nltk does"
ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5


def meteor(given: Sequence[str], wanted: Sequence[str]) -> float:
    """From 0 to 1.

    >>> round(meteor("the cat sat on the mat".split(), "on the mat sat the cat".split()), 4)
    0.5
    """
    pairs, ours, theirs = _match(dict(enumerate(given)), dict(enumerate(wanted)))
    by_stem, _, _ = _match(
        {place: _stem(word) for place, word in ours.items()},
        {place: _stem(word) for place, word in theirs.items()},
    )
    pairs = sorted(pairs + by_stem)
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(given), len(pairs) / len(wanted)
    mean: float = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    breaks = sum((after[0] - before[0], after[1] - before[1]) != (1, 1) for before, after in pairwise(pairs))
    penalty: float = GAMMA * ((breaks + 1) / len(pairs)) ** BETA
    return mean * (1 - penalty)


def _match(
    given: dict[int, str], wanted: dict[int, str]
) -> tuple[list[tuple[int, int]], dict[int, str], dict[int, str]]:
    """Pairs of places, and what is left of both."""
    free: dict[str, list[int]] = defaultdict(list)
    for place, word in wanted.items():
        free[word].append(place)
    pairs = [(place, free[given[place]].pop()) for place in reversed(given) if free.get(given[place])]
    ours, theirs = {place for place, _ in pairs}, {place for _, place in pairs}
    return (
        pairs,
        {place: word for place, word in given.items() if place not in ours},
        {place: word for place, word in wanted.items() if place not in theirs},
    )


@cache
def _stemmer() -> Callable[[str], str]:
    from nltk.stem.porter import PorterStemmer

    stem: Callable[[str], str] = PorterStemmer().stem
    return stem


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return _stemmer()(word)
