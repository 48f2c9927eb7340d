"""What is most likely true of each item, and how each reader errs, when nobody knows the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from rl_feedback.agreement.estimate import Estimate, Floats, Numbers, read_only

# Keeps the logarithm of an impossible answer finite.
_TINY = 1e-300


@dataclass(frozen=True, kw_only=True, eq=False)
class DawidSkene(Estimate):
    """`value` is the log-likelihood reached. Arrays are read-only:

    `priors` (classes), how common each class is; `posteriors` (items x classes), how likely each item is of
    each class; `confusions` (readers x true class x class given), how often a reader gives which label to
    items of a class. A row of zeros: this reader labelled no item of that class.
    """

    classes: tuple[Any, ...]
    items: tuple[Any, ...]
    readers: tuple[Any, ...]
    priors: Floats
    posteriors: Floats
    confusions: Floats
    num_rounds: int
    converged: bool
    most_rounds: int
    tolerance: float
    num_items: int
    num_readers: int
    num_labels: int
    num_known: int
    prior_counts: Floats | None
    prior_shares: Floats | None


def dawid_skene(
    items: Sequence[Any] | npt.NDArray[Any],
    readers: Sequence[Any] | npt.NDArray[Any],
    labels: Sequence[Any] | npt.NDArray[Any],
    *,
    weights: Numbers | None = None,
    known: Mapping[Any, Any] | None = None,
    classes: Sequence[Any] | None = None,
    prior_counts: Numbers | None = None,
    prior_shares: Numbers | None = None,
    most_rounds: int = 1000,
    tolerance: float = 1e-10,
) -> DawidSkene:
    """Estimate by EM what each item is and each reader's error rates, from labels in long format: label n was
    given by `readers[n]` to `items[n]`. Gaps and repeated labels are allowed; names may be texts or numbers.

    `known` holds what some items are, from a gold standard: they stay so, and the readers are measured by
    them. `classes` lists every class there is, seen or not, in the order wanted. `weights` count labels as
    parts of one. Two Dirichlet priors keep few labels from proving too much (S. Paun et al., Comparing
    Bayesian models of annotation (2018), TACL 6, 571-585): `prior_counts` (classes x classes, true x given)
    are labels that every reader is taken to have given before, `prior_shares` (classes) items that are taken
    to have been seen before.

    It starts from the shares of labels per item and stops when a round raises the log-likelihood (with a
    prior, the log of the posterior density) by less than `tolerance` per label. The likelihood can have
    several peaks, and readers who are wrong more often than right can swap classes: look at `confusions`.
    There is no interval. Raises ValueError for empty or unequally long input, a NaN label, or a class that
    is not among `classes`.

    Source: A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using the EM
    algorithm (1979), Applied Statistics 28, 20-28, equations 2.3 to 2.5 and 3.1. Its 45 patients, seen by 5
    anaesthetists, give class shares .40 .42 .11 .07, and for the first observer .89 right in class 1.

    >>> found = dawid_skene(
    ...     items=["film 1", "film 1", "film 2", "film 2", "film 3", "film 3"],
    ...     readers=["A", "B", "A", "B", "A", "B"],
    ...     labels=["normal", "normal", "nodule", "nodule", "normal", "normal"],
    ... )
    >>> found.classes, found.priors.round(3).tolist()
    (('nodule', 'normal'), [0.333, 0.667])
    """
    names_of_items, item = _named(items, "items")
    names_of_readers, reader = _named(readers, "readers")
    seen, label = _named(labels, "labels")
    if not len(item) == len(reader) == len(label):
        raise ValueError(
            f"items, readers and labels name one label each and must be equally long; they are {len(item)},"
            f" {len(reader)} and {len(label)} long."
        )
    every = seen if classes is None else tuple(classes)
    label = _places(seen, every)[label]
    prior = _Prior.of(prior_counts, prior_shares, many=len(every))
    many, num_readers = len(every), len(names_of_readers)
    parts = np.ones(len(item)) if weights is None else np.asarray(weights, dtype=np.float64)
    given = scipy.sparse.csr_matrix(
        (parts, (item, reader * many + label)), shape=(len(names_of_items), num_readers * many)
    )
    given.sum_duplicates()
    turned = given.T.tocsr()
    truth = _truth_of(names_of_items, known or {}, every)
    posteriors = np.where(np.isnan(truth), _shares(given @ np.tile(np.eye(many), (num_readers, 1))), truth)
    reached, rounds, converged = -np.inf, 0, False
    likelihood = reached
    while rounds < most_rounds and not converged:
        priors, confusions = _error_rates(turned, posteriors, num_readers, prior)
        posteriors, likelihood = _true_classes(given, priors, confusions, truth)
        density = likelihood + prior.log_density(priors, confusions)
        rounds += 1
        converged = density - reached < tolerance * len(item)
        reached = density
    notes = [] if converged else [f"Not settled after {rounds} rounds: raise most_rounds."]
    if len(seen) == 1:
        notes.append("One class only was given: nothing tells the readers apart.")
    return DawidSkene(
        value=float(likelihood),
        note=" ".join(notes),
        classes=every,
        items=names_of_items,
        readers=names_of_readers,
        priors=read_only(priors),
        posteriors=read_only(posteriors),
        confusions=read_only(confusions),
        num_rounds=rounds,
        converged=bool(converged),
        most_rounds=most_rounds,
        tolerance=tolerance,
        num_items=len(names_of_items),
        num_readers=num_readers,
        num_labels=len(item),
        num_known=int((~np.isnan(truth).any(axis=1)).sum()),
        prior_counts=None if prior_counts is None else read_only(prior.counts),
        prior_shares=None if prior_shares is None else read_only(prior.shares),
    )


@dataclass(frozen=True, eq=False)
class _Prior:
    """What was seen before: labels by every reader (true x given), and items."""

    counts: Floats
    shares: Floats

    @classmethod
    def of(cls, counts: Numbers | None, shares: Numbers | None, *, many: int) -> _Prior:
        made = cls(
            np.zeros((many, many)) if counts is None else np.array(counts, dtype=np.float64),
            np.zeros(many) if shares is None else np.array(shares, dtype=np.float64),
        )
        if made.counts.shape != (many, many) or made.shares.shape != (many,):
            raise ValueError(
                f"There are {many} classes: prior_counts must be {many} x {many}, prior_shares {many} long."
            )
        return made

    def log_density(self, priors: Floats, confusions: Floats) -> float:
        """Up to a constant."""
        of_readers = (self.counts * np.log(np.maximum(confusions, _TINY))).sum()
        return float(of_readers + (self.shares * np.log(np.maximum(priors, _TINY))).sum())


def _places(seen: tuple[Any, ...], every: tuple[Any, ...]) -> npt.NDArray[np.int64]:
    strange = [name for name in seen if name not in every]
    if strange:
        raise ValueError(f"{strange[0]} is not among the classes: add it, or mend what names it.")
    return np.array([every.index(name) for name in seen], dtype=np.int64)


def _truth_of(items: tuple[Any, ...], known: Mapping[Any, Any], classes: tuple[Any, ...]) -> Floats:
    """Items x classes: 1 for what an item is known to be, NaN where nothing is known of it."""
    truth = np.full((len(items), len(classes)), np.nan)
    _places(tuple(known.values()), classes)
    for place, item in enumerate(items):
        if item in known:
            truth[place] = np.eye(len(classes))[classes.index(known[item])]
    return truth


def _named(
    values: Sequence[Any] | npt.NDArray[Any], called: str
) -> tuple[tuple[Any, ...], npt.NDArray[np.int64]]:
    """The distinct names in order, and the place of each value among them."""
    array = np.asarray(values)
    if array.ndim != 1 or len(array) == 0:
        raise ValueError(f"{called} must be a list with one entry per label, and not empty.")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{called} hold a gap (NaN): leave out labels that were not given.")
    names, places = np.unique(array, return_inverse=True)
    return tuple(names.tolist()), places


def _error_rates(turned: Any, posteriors: Floats, num_readers: int, prior: _Prior) -> tuple[Floats, Floats]:
    """Equations 2.3 and 2.4: class shares and each reader's table, were the posteriors the truth."""
    many = posteriors.shape[1]
    weighed = (turned @ posteriors).reshape(num_readers, many, many).transpose(0, 2, 1)
    return _shares(posteriors.sum(axis=0) + prior.shares), _shares(weighed + prior.counts)


def _true_classes(given: Any, priors: Floats, confusions: Floats, truth: Floats) -> tuple[Floats, float]:
    """Equation 2.5: each item's classes, were the error rates the truth; and the log-likelihood."""
    num_readers, many, _ = confusions.shape
    of_label = np.log(np.maximum(confusions, _TINY)).transpose(0, 2, 1).reshape(num_readers * many, many)
    joint = given @ of_label + np.log(np.maximum(priors, _TINY))
    joint = np.where(truth == 0, -np.inf, joint)
    highest = joint.max(axis=1, keepdims=True)
    unscaled = np.exp(joint - highest)
    total = unscaled.sum(axis=1, keepdims=True)
    return unscaled / total, float((np.log(total) + highest).sum())


def _shares(counts: Floats) -> Floats:
    """Each row by its sum; a row of zeros stays."""
    sums = counts.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0))
