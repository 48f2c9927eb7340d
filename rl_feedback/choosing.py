"""Which films are worth a reader's time: those of which a model says one thing now and another then."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import TypeVar

from inference.grounding import parse_completion
from inference.regions import Box, overlap

Name = TypeVar("Name", bound=Hashable)
_BOX = re.compile(r"\s*(?:\b(?:with|and)\b)?\s*\[[^\]]*\]", re.IGNORECASE)


def most_differing(texts: Mapping[Name, Sequence[str]], *, number: int) -> list[Name]:
    """Of films with what a model said of each, so many of which its samples differ most, in the order given.

    Which films those are follows from the samples alone: nothing needs to be known of the films.
    """
    apart = {
        name: fmean(difference(*two) for two in combinations(said, 2)) if len(said) > 1 else 0.0
        for name, said in texts.items()
    }
    chosen = set(sorted(texts, key=lambda name: -apart[name])[:number])
    return [name for name in texts if name in chosen]


def difference(one: str, other: str) -> float:
    """How far two completions differ, from 0 to 1: over all that either states, what the other does not
    state counts 1, and what both state 1 - IoU of its regions.

    >>> text = "<think> Big heart with [0, 0, {}, 10] </think> \\\\boxed{{x}}"
    >>> difference(text.format(10), text.format(10)), difference(text.format(10), text.format(5))
    (0.0, 0.25)
    """
    said, also = _statements(one), _statements(other)
    every = said.keys() | also.keys()
    if not every:
        return 0.0
    return fmean(_apart(said.get(words), also.get(words)) for words in every)


def _statements(text: str) -> dict[str, tuple[Box, ...]]:
    """Each step's words with its regions, and each part of the answer."""
    parsed = parse_completion(text)
    stated = {_plain(_BOX.sub("", step.text)): step.boxes for step in parsed.steps}
    parts = [_plain(part) for part in re.split(r"[,;|]", parsed.answer or "")]
    return {**stated, **{f"answer: {part}": () for part in parts if part}}


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold().rstrip(" .")


def _apart(one: tuple[Box, ...] | None, other: tuple[Box, ...] | None) -> float:
    if one is None or other is None:
        return 1.0
    most = max(len(one), len(other))
    return 1 - sum(map(overlap, one, other)) / most if most else 0.0
