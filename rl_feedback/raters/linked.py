"""What the votes between other outputs say of each pair, where outputs are compared in more than one pair.

Two outputs that are compared with each other alone need none of this: what each pair's votes say is all there
is. In a larger net the qualities of all its outputs are inferred together by expectation propagation
(T. P. Minka, Expectation propagation for approximate Bayesian inference (2001), UAI 17, 362-369).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy

from rl_feedback.raters.cells import Floats, Integers, Truths
from rl_feedback.raters.fitted import log_shares

# An output's quality is standard normal, so the difference of two has this variance.
PRIOR_VARIANCE = 2.0
_MOST_ROUNDS = 200
_TOLERANCE = 1e-6
_DAMPING = 0.7
_SMALLEST = 1e-9


def linked_pairs(pairs: Integers) -> Truths:
    """Which pairs (rows of two outputs) have an output that another pair has too."""
    times = np.bincount(pairs.ravel())
    return np.asarray((times[pairs] > 1).any(axis=1))


def log_priors(pairs: Integers, log_likelihood: Floats, nodes: Floats) -> Floats:
    """Pairs x nodes: how the difference of each pair's qualities is distributed by all votes but its own."""
    mean, variance = np.zeros(len(pairs)), np.full(len(pairs), PRIOR_VARIANCE)
    linked = np.flatnonzero(linked_pairs(pairs))
    if len(linked):
        for chosen, local, num_outputs in _nets_by_size(pairs[linked]):
            places = linked[chosen]
            mean[places], variance[places] = _cavities(local, num_outputs, log_likelihood[places], nodes)
    return normal_log_shares(mean, variance, nodes)


def normal_log_shares(mean: Floats, variance: Floats, nodes: Floats) -> Floats:
    return log_shares(-0.5 * (nodes - mean[:, None]) ** 2 / variance[:, None])


def _nets_by_size(pairs: Integers) -> Iterator[tuple[Integers, Integers, int]]:
    """Nets of equally many outputs together: which pairs; (net, first, second) of each by places within its
    net; and how many outputs a net has."""
    outputs, place = np.unique(pairs, return_inverse=True)
    place = place.reshape(-1, 2)
    graph = scipy.sparse.csr_matrix((np.ones(len(pairs)), place.T), shape=(len(outputs), len(outputs)))
    _, net_of = scipy.sparse.csgraph.connected_components(graph, directed=False)
    order = np.argsort(net_of, kind="stable")
    sizes = np.bincount(net_of)
    within = np.empty(len(outputs), dtype=np.int64)
    within[order] = np.arange(len(outputs)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    net = net_of[place[:, 0]]
    for size in np.unique(sizes).tolist():
        chosen = np.flatnonzero(sizes[net] == size)
        _, number = np.unique(net[chosen], return_inverse=True)
        yield chosen, np.column_stack([number, within[place[chosen]]]), size


def _cavities(
    local: Integers, num_outputs: int, log_likelihood: Floats, nodes: Floats
) -> tuple[Floats, Floats]:
    """Mean and variance of each difference by everything but the pair's own votes."""
    net, first, second = local.T
    num_nets = int(net.max()) + 1
    precision, shift = np.zeros(len(net)), np.zeros(len(net))
    mean, variance = np.zeros(len(net)), np.full(len(net), PRIOR_VARIANCE)
    for _ in range(_MOST_ROUNDS):
        information = np.tile(np.eye(num_outputs), (num_nets, 1, 1))
        for one, other, sign in (
            (first, first, 1),
            (second, second, 1),
            (first, second, -1),
            (second, first, -1),
        ):
            np.add.at(information, (net, one, other), sign * precision)
        pull = np.zeros((num_nets, num_outputs))
        np.add.at(pull, (net, first), shift)
        np.add.at(pull, (net, second), -shift)
        covariance = np.linalg.inv(information)
        centre = np.einsum("nij,nj->ni", covariance, pull)
        whole = (
            covariance[net, first, first]
            + covariance[net, second, second]
            - 2 * covariance[net, first, second]
        )
        difference = centre[net, first] - centre[net, second]
        variance = 1 / np.maximum(1 / whole - precision, _SMALLEST)
        mean = variance * (difference / whole - shift)
        weight = np.exp(log_shares(log_likelihood + normal_log_shares(mean, variance, nodes)))
        found = weight @ nodes
        spread = np.maximum(weight @ nodes**2 - found**2, _SMALLEST)
        new_precision = np.maximum(1 / spread - 1 / variance, 0.0)
        new_shift = found / spread - mean / variance
        moved = max(np.abs(new_precision - precision).max(), np.abs(new_shift - shift).max())
        precision = precision + _DAMPING * (new_precision - precision)
        shift = shift + _DAMPING * (new_shift - shift)
        if moved < _TOLERANCE:
            break
    return mean, variance
