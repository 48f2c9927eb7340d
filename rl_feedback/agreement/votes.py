"""Do readers prefer a side of the screen, whatever stands there."""

from __future__ import annotations

from dataclasses import dataclass

import scipy

from rl_feedback.agreement.estimate import Estimate, check_confidence


@dataclass(frozen=True, kw_only=True)
class SideBias(Estimate):
    """`value` is the share of votes for side A among those for a side; `p` tests that it is a half."""

    p: float | None
    num_a: int
    num_b: int
    num_tie: int


def side_bias(num_a: int, num_b: int, num_tie: int, *, confidence: float = 0.95) -> SideBias:
    """Whether votes lean to side A or B when sides were dealt at random; ties are told but don't count.

    `p` is the exact two-sided binomial test of a half (scipy.stats.binomtest), the interval E. B. Wilson's
    score interval (1927), J Am Stat Assoc 22, 209-212. Without a vote for a side the value is None. Worked
    example: 10 of 10 for A, p = 2 / 1024, and Wilson's lower end n / (n + z^2) = .722.

    >>> found = side_bias(10, 0, 3)
    >>> found.value, found.p, round(found.interval[0], 3)
    (1.0, 0.001953125, 0.722)
    """
    check_confidence(confidence)
    if any(number < 0 or number != int(number) for number in (num_a, num_b, num_tie)):
        raise ValueError(f"Votes are counted from 0 up; these are {num_a}, {num_b} and {num_tie}.")
    decided = num_a + num_b
    value = p = interval = None
    if decided:
        test = scipy.stats.binomtest(num_a, decided, 0.5)
        low_high = test.proportion_ci(confidence_level=confidence, method="wilson")
        value, p = num_a / decided, float(test.pvalue)
        interval = (float(low_high.low), float(low_high.high))
    return SideBias(
        value=value,
        interval=interval,
        confidence=confidence,
        note="" if decided else "No vote fell on a side.",
        p=p,
        num_a=num_a,
        num_b=num_b,
        num_tie=num_tie,
    )
