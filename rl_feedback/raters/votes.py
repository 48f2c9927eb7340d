"""Which of two outputs is better, given how precisely each reader votes and which side a reader favours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rl_feedback.agreement.estimate import check_confidence
from rl_feedback.raters.cells import (
    Cells,
    Floats,
    Integers,
    Names,
    cells_of,
    joined,
    known_cells,
    named,
    only,
    require_equally_long,
)
from rl_feedback.raters.fitted import Fitted
from rl_feedback.raters.graded import GradedModel
from rl_feedback.raters.labels import Labels, precision_of
from rl_feedback.raters.limits import limits_of
from rl_feedback.raters.linked import log_priors
from rl_feedback.raters.vote_model import (
    LOG_PRIOR,
    NODES,
    NUM_ANSWERS,
    NUM_KINDS,
    SCALE,
    SURE,
    PairsOfOutputs,
    VoteModel,
    even_steps,
    labels_of_pairs,
    voting_readers,
)

_MOST_PASSES = 25
_TOLERANCE = 1e-4


def fit_votes(
    on_a: Names,
    on_b: Names,
    readers: Names,
    votes: Names,
    *,
    known: Mapping[tuple[Any, Any], str] | None = None,
    sure: float = SURE,
    confidence: float = 0.95,
) -> VoteModel:
    """Fit outputs and readers to votes in long format: of the outputs `on_a[n]` and `on_b[n]` of one case,
    `readers[n]` voted `votes[n]`: "a", "b", "tie" or "both_bad", which names no better one and counts as a
    tie. The same reader and pair again is a hidden repeat.

    `known` holds, for a pair of outputs, the vote that is right ("a" for the first of the two), from an
    adjudication: such a pair's label rests on it alone. A pair is disputed when readers voted for different
    outputs and neither is the better one with probability `sure`.

    Qualities differ as in R. A. Bradley and M. E. Terry (1952), Biometrika 39, 324-345; ties by a margin
    (P. V. Rao and L. L. Kupper (1967), J Am Stat Assoc 62, 194-204); a side that a reader favours adds to the
    difference (R. R. Davidson and R. J. Beaver (1977), Biometrics 33, 693-702); each reader has a precision
    (X. Chen et al., Pairwise ranking aggregation in a crowdsourced setting (2013), WSDM 6, 193-202). An
    output's quality is standard normal. Priors: precision log-normal around a typical one with spread .5,
    that around 1.5; favoured side normal with spread .5.

    Raises ValueError for no vote, columns of unequal length, an unknown vote, or an output against itself.

    >>> found = fit_votes(["x", "y", "x"], ["y", "x", "y"], ["Ann", "Bob", "Cem"], ["a", "b", "a"])
    >>> preference = found.between("x", "y")
    >>> preference.probability > 0.9, preference.is_disputed
    (True, False)
    """
    check_confidence(confidence)
    require_equally_long(on_a=on_a, on_b=on_b, readers=readers, votes=votes)
    known = dict(known or {})
    num_votes, truths = len(votes), list(known)
    sides = [*zip(on_a, on_b, strict=True), *truths]
    outputs, place = named([output for side in zip(*sides, strict=True) for output in side], "votes")
    on_side_a, on_side_b = place[: len(sides)], place[len(sides) :]
    if (on_side_a == on_side_b).any():
        raise ValueError("A vote is between two different outputs; one names the same output twice.")
    answer = _answers([*np.asarray(votes).tolist(), *known.values()])
    is_turned = on_side_a > on_side_b
    kind = np.where(is_turned, NUM_ANSWERS + (NUM_ANSWERS - 1 - answer), answer)
    both = np.column_stack([np.minimum(on_side_a, on_side_b), np.maximum(on_side_a, on_side_b)])
    pairs, pair = np.unique(both, axis=0, return_inverse=True)
    pair = pair.ravel()
    reader_names, reader = named(readers, "votes")
    num_readers = len(reader_names)
    said = cells_of(pair[:num_votes], reader, kind[:num_votes], num_answers=NUM_KINDS)
    truth = known_cells(pair[num_votes:], kind[num_votes:], reader=num_readers, num_answers=NUM_KINDS)
    compared = PairsOfOutputs(pairs, np.isin(np.arange(len(pairs)), truth.item))
    fitted, log_prior = _fit(joined(said, truth), compared, num_readers=num_readers)
    deciding = joined(only(said, ~compared.is_known[said.item]), truth)
    names = tuple((outputs[one], outputs[other]) for one, other in pairs)
    labels, probability = labels_of_pairs(names, fitted, compared, said, deciding, log_prior, sure=sure)
    limits = limits_of(
        said,
        is_known=compared.is_known,
        place="the favoured side",
        needs_others_for_place=False,
    )
    return VoteModel(
        labels=labels,
        probability=probability,
        readers=tuple(voting_readers(reader_names, fitted, said, limits, confidence)),
        margin=float(fitted.steps[-1]),
        typical_precision=float(np.exp(fitted.typical_log_a)),
        omega=fitted.omega,
        log_likelihood=fitted.log_likelihood,
        num_votes=num_votes,
        num_known=len(known),
        num_linked_pairs=int(compared.is_linked.sum()),
        sure=sure,
        confidence=confidence,
        num_rounds=fitted.num_rounds,
        converged=fitted.converged,
        note=limits.note,
        _fitted=fitted,
    )


def assumed_votes(*, sure: float = SURE, confidence: float = 0.95) -> VoteModel:
    """Before any vote: readers are taken to be typical, as the priors of `fit_votes` describe them."""
    typical = SCALE.log_discrimination.mean
    steps, _ = even_steps(np.array([belief.mean for belief in SCALE.free_steps]))
    fitted = Fitted(
        scale=SCALE,
        steps=steps,
        log_a=np.array([typical]),
        severity=np.zeros(1),
        typical_log_a=typical,
        mean_precision=float(precision_of(np.array(typical), None)),
        omega=None,
        covariance=np.zeros((0, 0)),
        log_likelihood=0.0,
        num_rounds=0,
        converged=True,
    )
    nothing = np.zeros(0)
    return VoteModel(
        labels=Labels((), nothing, nothing, nothing.astype(int), nothing, nothing > 0, nothing > 0),
        probability=nothing,
        readers=(),
        margin=float(steps[-1]),
        typical_precision=float(np.exp(typical)),
        omega=None,
        log_likelihood=0.0,
        num_votes=0,
        num_known=0,
        num_linked_pairs=0,
        sure=sure,
        confidence=confidence,
        num_rounds=0,
        converged=True,
        note="No vote was cast: how precisely readers vote is assumed, not measured.",
        _fitted=fitted,
    )


def _answers(votes: Sequence[Any]) -> Integers:
    """0 where the output on side B won, 2 where that on A did."""
    places = {"b": 0, "tie": 1, "both_bad": 1, "a": 2}
    unknown = sorted({str(vote) for vote in votes} - set(places))
    if unknown:
        raise ValueError(f"A vote is a, b, tie or both_bad; one is {unknown[0]}.")
    return np.array([places[vote] for vote in votes], dtype=np.int64)


def _fit(cells: Cells, compared: PairsOfOutputs, *, num_readers: int) -> tuple[Fitted, Floats]:
    """Readers, and what all votes but a pair's own say of it (pairs x nodes). Where outputs are in several
    pairs the two are found in turn until neither moves."""
    many = len(compared.outputs)
    model = GradedModel(
        cells, SCALE, num_items=many, num_readers=num_readers, nodes=NODES, log_prior=LOG_PRIOR
    )
    fitted, free = model.fit()
    log_prior = np.broadcast_to(LOG_PRIOR, (many, len(NODES)))
    if not compared.is_linked.any():
        return fitted, log_prior
    for _ in range(_MOST_PASSES):
        likelihood = fitted.likelihood_of(cells, num_items=many, nodes=NODES)
        log_prior = log_priors(compared.outputs, likelihood, NODES)
        model.log_prior = log_prior
        before = free
        fitted, free = model.fit(free)
        if np.abs(free - before).max() < _TOLERANCE:
            return fitted, log_prior
    return replace(fitted, converged=False), log_prior
