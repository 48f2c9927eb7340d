"""How likely each answer of each reader is at each quality, and how that changes with the reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import scipy

from rl_feedback.raters.cells import Floats, Integers


class Answers:
    """Arrays are readers x answers x nodes x opinions; the answers of a second orientation follow those of
    the first. Source: F. Samejima, Estimation of latent ability using a response pattern of graded scores
    (1969), Psychometrika Monograph 17; with readers in place of test items V. E. Johnson, On Bayesian
    analysis of multirater ordinal data (1996), J Am Stat Assoc 91, 42-51."""

    def __init__(
        self,
        orientations: Sequence[int],
        log_a: Floats,
        severity: Floats,
        steps: Floats,
        nodes: Floats,
        opinions: Floats,
    ) -> None:
        num_steps = len(steps)
        answer = np.tile(np.arange(num_steps + 1), len(orientations))
        self.answer = answer
        self.is_lowest, self.is_highest = ((answer == end)[None, :, None, None] for end in (0, num_steps))
        is_inner = ~(self.is_lowest | self.is_highest)
        self.a = np.exp(log_a)[:, None, None, None]
        self.orientation = np.repeat(orientations, num_steps + 1)[None, :, None, None]
        place = (nodes[:, None] + opinions)[None, None] - severity[:, None, None, None] * self.orientation
        low = steps[np.maximum(answer - 1, 0)][None, :, None, None]
        high = steps[np.minimum(answer, num_steps - 1)][None, :, None, None]
        self.z_low, self.z_high = self.a * (place - low), self.a * (place - high)
        gap = np.where(is_inner, self.a * (high - low), 1.0)
        # log(sigmoid(x) - sigmoid(y)) without cancelling is
        # log sigmoid(x) + log sigmoid(-y) + log(1 - exp(y - x)).
        self.log_p = (
            np.where(self.is_lowest, 0.0, scipy.special.log_expit(self.z_low))
            + np.where(self.is_highest, 0.0, scipy.special.log_expit(-self.z_high))
            + np.where(is_inner, np.log(-np.expm1(-gap)), 0.0)
        )
        between = np.where(is_inner, np.exp(-gap) / -np.expm1(-gap), 0.0)
        self.below = np.where(self.is_lowest, 0.0, scipy.special.expit(-self.z_low) + between)
        self.above = np.where(self.is_highest, 0.0, -scipy.special.expit(self.z_high) - between)

    def slope_of_place(self) -> Floats:
        """Of log_p with the quality."""
        return np.asarray(self.a * (self.below + self.above))

    def slopes(self) -> dict[str, Floats]:
        """Of log_p with each reader's own numbers."""
        return {
            "log_a": self.below * self.z_low + self.above * self.z_high,
            "severity": -self.orientation * self.slope_of_place(),
        }

    def slopes_of_steps(self) -> Iterator[Floats]:
        """Of log_p with each step of the scale."""
        for step in range(int(self.answer.max())):
            begins, ends = ((self.answer == end)[None, :, None, None] for end in (step + 1, step))
            yield -self.a * (np.where(begins, self.below, 0.0) + np.where(ends, self.above, 0.0))


def column_sums(counts: Floats, table: Floats, reader: Integers) -> Floats:
    """Columns x nodes x opinions: the table's values of what each column's reader said, summed."""
    total = np.zeros((len(reader), *table.shape[2:]))
    for kind, count in enumerate(counts.T):
        said = np.flatnonzero(count)
        total[said] += count[said, None, None] * table[reader[said], kind]
    return total
