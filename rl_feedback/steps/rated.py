"""A reasoning step as readers rated it, and where in a text each step ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference.grounding import parse_completion


@dataclass(frozen=True)
class RatedStep:
    """`step` counts from 0 in the completion `text`; `value` is the mean rating in [0, 1], `weight` the
    effective number of readers behind it. `readers` and `patient` say with whom it may not be mixed."""

    film: str
    prompt: str
    text: str
    step: int
    value: float
    weight: float
    readers: tuple[str, ...]
    patient: str


def step_ends(text: str) -> tuple[int, ...]:
    """Where each step that the parser finds ends, as places in the text.

    >>> text = "<think> Big heart [1, 2, 3, 4]; clear lungs </think> \\\\boxed{big}"
    >>> [text[:end][-5:] for end in step_ends(text)]
    [', 4]', 'lungs']
    """
    ends = []
    begin = 0
    for step in parse_completion(text).steps:
        begin = text.index(step.text, begin) + len(step.text)
        ends.append(begin)
    return tuple(ends)


def lengths_and_places(rated: Sequence[RatedStep]) -> tuple[list[float], list[float]]:
    """Of each step: its characters, and its place among its completion's steps in [0, 1]."""
    lengths, places = [], []
    for one in rated:
        steps = parse_completion(one.text).steps
        lengths.append(float(len(steps[one.step].text)))
        places.append(one.step / max(1, len(steps) - 1))
    return lengths, places
