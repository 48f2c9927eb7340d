"""Readers as they were found, or assumed, and what follows from them for whatever was said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy

from rl_feedback.raters.answers import Answers, column_sums
from rl_feedback.raters.cells import Cells, Floats, sums_of
from rl_feedback.raters.labels import normal_interval, precision_of

# Of the lasting opinion: 7 nodes integrate polynomials up to degree 13 exactly.
_NUM_OPINION_NODES = 7


@dataclass(frozen=True)
class Belief:
    """A normal prior."""

    mean: float
    sd: float


@dataclass(frozen=True, eq=False)
class Scale:
    """What is assumed before any word is known, in standard deviations of the items' quality.

    `steps(x)` gives the steps of the scale for free numbers x, and how each step changes with each number.
    Known answers, where there are any, are given by typical readers.
    """

    num_answers: int
    orientations: tuple[int, ...]
    steps: Callable[[Floats], tuple[Floats, Floats]]
    free_steps: tuple[Belief, ...]
    log_discrimination: Belief
    spread_of_log_discrimination: float
    spread_of_severity: float
    log_omega: Belief


@dataclass(frozen=True, eq=False)
class Fitted:
    """The most probable readers. `log_a` and `severity` have one entry more than there are readers: the known
    answer's. `mean_precision` is that of the readers' words; `covariance` is of (log a_1 …, s_1 …) of the
    readers alone."""

    scale: Scale
    steps: Floats
    log_a: Floats
    severity: Floats
    typical_log_a: float
    mean_precision: float
    omega: float | None
    covariance: Floats
    log_likelihood: float
    num_rounds: int
    converged: bool

    @property
    def num_readers(self) -> int:
        return len(self.log_a) - 1

    def centred(self) -> Fitted:
        """The same readers, each one's severity told against the mean reader instead of against 0."""
        many = self.num_readers
        middle = float(self.severity[:-1].mean())
        turn = scipy.linalg.block_diag(np.eye(many), np.eye(many) - 1 / many)
        return replace(
            self,
            steps=self.steps + middle,
            severity=np.append(self.severity[:-1] - middle, 0.0),
            covariance=turn @ self.covariance @ turn,
        )

    def readers(self) -> ReaderNumbers:
        spread = np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        return ReaderNumbers(
            place=self.severity[:-1],
            place_sd=spread[self.num_readers :],
            log_a=self.log_a[:-1],
            log_a_sd=spread[: self.num_readers],
        )

    def effective_readers(self, cells: Cells, *, num_items: int) -> Floats:
        """By item: the precision of all that was said of it, over that of the mean word of all readers."""
        precision = precision_of(self.log_a[cells.reader], self.omega, cells.num_said)
        return sums_of(cells.item, precision / self.mean_precision, num_items)

    def likelihood_of(self, cells: Cells, *, num_items: int, nodes: Floats) -> Floats:
        """Items x nodes: the log-likelihood of all that the cells say of each item."""
        opinions, log_weights = opinion_nodes(self.omega)
        answers = Answers(self.scale.orientations, self.log_a, self.severity, self.steps, nodes, opinions)
        columns = Columns(cells, num_items=num_items)
        by_opinion = column_sums(columns.counts, answers.log_p, columns.reader) + log_weights
        return np.asarray(columns.given @ scipy.special.logsumexp(by_opinion, axis=-1))

    def typical_share(self, nodes: Floats) -> Floats:
        """What a typical reader gives to each quality on average, as a share of the scale."""
        shares = self.expected_shares(np.array([self.typical_log_a]), np.zeros(1), nodes)
        return np.asarray(shares[0])

    def expected_shares(self, log_a: Floats, severity: Floats, nodes: Floats) -> Floats:
        """Readers x nodes: the mean answer, as a share of the scale from 0 to 1."""
        opinions, log_weights = opinion_nodes(self.omega)
        answers = Answers((1,), log_a, severity, self.steps, nodes, opinions)
        share = np.linspace(0, 1, self.scale.num_answers)[None, :, None, None]
        return np.asarray((np.exp(answers.log_p + log_weights) * share).sum(axis=(1, 3)))


@dataclass(frozen=True, eq=False)
class ReaderNumbers:
    """By reader: place on the quality's axis (severity, side bias) and log discrimination, each with its
    standard deviation."""

    place: Floats
    place_sd: Floats
    log_a: Floats
    log_a_sd: Floats

    def a(self, reader: int) -> float:
        return float(np.exp(self.log_a[reader]))

    def interval_of_a(self, reader: int, confidence: float) -> tuple[float, float]:
        low, high = normal_interval(float(self.log_a[reader]), float(self.log_a_sd[reader]), confidence)
        return float(np.exp(low)), float(np.exp(high))

    def interval_of_place(self, reader: int, confidence: float) -> tuple[float, float]:
        return normal_interval(float(self.place[reader]), float(self.place_sd[reader]), confidence)


class Columns:
    """Cells that say the same, by the same reader, are one column: `given` is items x columns."""

    def __init__(self, cells: Cells, *, num_items: int) -> None:
        kinds = np.column_stack([cells.reader, cells.counts])
        columns, place = np.unique(kinds, axis=0, return_inverse=True)
        self.reader, self.counts = columns[:, 0], columns[:, 1:].astype(np.float64)
        self.given = scipy.sparse.csr_matrix(
            (np.ones(len(place)), (cells.item, place.ravel())), shape=(num_items, len(columns))
        )


def log_shares(logarithms: Floats) -> Floats:
    """The logarithms of shares that sum to 1 over the last axis."""
    return np.asarray(logarithms - scipy.special.logsumexp(logarithms, axis=-1, keepdims=True))


def opinion_nodes(omega: float | None) -> tuple[Floats, Floats]:
    """Nodes of the lasting opinion and the logarithms of their weights; one node where it is not known."""
    if omega is None:
        return np.zeros(1), np.zeros(1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NUM_OPINION_NODES)
    return omega * nodes, np.log(weights / weights.sum())
