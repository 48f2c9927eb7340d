"""Where in a text each reasoning step ends, how long it is, and where it stands among the others."""

from __future__ import annotations

from collections.abc import Sequence

from inference.grounding import parse_completion
from rl_feedback.preferences.kinds import kinds_said
from rl_feedback.training.examples import RatedStep


def step_ends(text: str) -> tuple[int, ...]:
    """Where each step that the parser finds ends, as places in the text.

    >>> text = "<think> Big heart [1, 2, 3, 4]; clear lungs </think> \\\\boxed{big}"
    >>> [text[:end][-5:] for end in step_ends(text)]
    [', 4]', 'lungs']
    """
    return tuple(step.span[1] for step in parse_completion(text).steps)


def kinds_rated(rated: Sequence[RatedStep]) -> frozenset[str]:
    """The kinds of findings that rated steps name."""
    texts = {(one.text, one.step) for one in rated}
    return frozenset().union(*(kinds_said([parse_completion(text).steps[step].text]) for text, step in texts))


def lengths_and_places(rated: Sequence[RatedStep]) -> tuple[list[float], list[float]]:
    """Of each step: its characters, and its place among its completion's steps in [0, 1]."""
    lengths, places = [], []
    for one in rated:
        steps = parse_completion(one.text).steps
        lengths.append(float(len(steps[one.step].text)))
        places.append(one.step / max(1, len(steps) - 1))
    return lengths, places
