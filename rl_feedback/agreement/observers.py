"""What is most likely true of each item, and how each reader errs, when nobody knows the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rl_feedback.agreement.estimate import Estimate, Floats, read_only

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


def dawid_skene(
    items: Sequence[Any] | npt.NDArray[Any],
    readers: Sequence[Any] | npt.NDArray[Any],
    labels: Sequence[Any] | npt.NDArray[Any],
    *,
    most_rounds: int = 1000,
    tolerance: float = 1e-10,
) -> DawidSkene:
    """Estimate by EM what each item is and each reader's error rates, from labels in long format: label n was
    given by `readers[n]` to `items[n]`. Gaps and repeated labels are allowed; names may be texts or numbers.

    It starts from the shares of labels per item and stops when a round raises the log-likelihood by less than
    `tolerance` per label. The likelihood can have several peaks, and readers who are wrong more often than
    right can swap classes: look at `confusions`. There is no interval. Raises ValueError for empty or
    unequally long input, or a NaN label.

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
    classes, label = _named(labels, "labels")
    if not len(item) == len(reader) == len(label):
        raise ValueError(
            f"items, readers and labels name one label each and must be equally long; they are {len(item)},"
            f" {len(reader)} and {len(label)} long."
        )
    many, num_readers = len(classes), len(names_of_readers)
    given = sparse.csr_matrix(
        (np.ones(len(item)), (item, reader * many + label)), shape=(len(names_of_items), num_readers * many)
    )
    given.sum_duplicates()
    turned = given.T.tocsr()
    posteriors = _shares(given @ np.tile(np.eye(many), (num_readers, 1)))
    reached, rounds, converged = -np.inf, 0, False
    while rounds < most_rounds and not converged:
        priors, confusions = _error_rates(turned, posteriors, num_readers)
        posteriors, likelihood = _true_classes(given, priors, confusions)
        rounds += 1
        converged = likelihood - reached < tolerance * len(item)
        reached = likelihood
    notes = [] if converged else [f"Not settled after {rounds} rounds: raise most_rounds."]
    if many == 1:
        notes.append("One class only was given: nothing tells the readers apart.")
    return DawidSkene(
        value=float(reached),
        note=" ".join(notes),
        classes=classes,
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
    )


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


def _error_rates(turned: Any, posteriors: Floats, num_readers: int) -> tuple[Floats, Floats]:
    """Equations 2.3 and 2.4: class shares and each reader's table, were the posteriors the truth."""
    many = posteriors.shape[1]
    weighed = (turned @ posteriors).reshape(num_readers, many, many).transpose(0, 2, 1)
    return posteriors.mean(axis=0), _shares(weighed)


def _true_classes(given: Any, priors: Floats, confusions: Floats) -> tuple[Floats, float]:
    """Equation 2.5: each item's classes, were the error rates the truth; and the log-likelihood."""
    num_readers, many, _ = confusions.shape
    of_label = np.log(np.maximum(confusions, _TINY)).transpose(0, 2, 1).reshape(num_readers * many, many)
    joint = given @ of_label + np.log(np.maximum(priors, _TINY))
    highest = joint.max(axis=1, keepdims=True)
    unscaled = np.exp(joint - highest)
    total = unscaled.sum(axis=1, keepdims=True)
    return unscaled / total, float((np.log(total) + highest).sum())


def _shares(counts: Floats) -> Floats:
    """Each row by its sum; a row of zeros stays."""
    sums = counts.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0))
