"""How far the findings of a report are those of the reference, by rules: never CheXbert's figures."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rl_feedback.labels import CHEXPERT_5, CHEXPERT_14, NO_FINDING, label_report

Floats = npt.NDArray[np.float64]
VARIANT = (
    "rule labels of rl_feedback.labels, not CheXbert: present or uncertain against absent or not mentioned"
)
_FIVE = [CHEXPERT_14.index(name) for name in CHEXPERT_5]
NUM_COUNTS = 3 * len(CHEXPERT_14)


def counts_of(given: str, wanted: str) -> list[int]:
    """For each of the fourteen labels whether both say it, then those that the report alone says, then those
    that the reference alone says."""
    ours, theirs = said(given), said(wanted)
    both = [a and b for a, b in zip(ours, theirs, strict=True)]
    made_up = [a and not b for a, b in zip(ours, theirs, strict=True)]
    left_out = [b and not a for a, b in zip(ours, theirs, strict=True)]
    return list(map(int, (*both, *made_up, *left_out)))


@lru_cache(maxsize=20_000)
def said(text: str) -> tuple[bool, ...]:
    """Which of the fourteen a text says, or doubts.

    >>> [name for name, is_said in zip(CHEXPERT_14, said("Possible pneumonia. No edema.")) if is_said]
    ['Pneumonia']
    """
    labels = label_report(text).as_chexpert()
    return tuple(labels[name] in (1, -1) for name in CHEXPERT_14)


def f1_of(counts: Floats, *, of_five: bool, is_macro: bool) -> Floats:
    """F1 of summed counts (… x 42): micro of all labels together, macro the mean of each label's, where one
    that nobody says has 0, as in scikit-learn."""
    both, made_up, left_out = np.split(counts, 3, axis=-1)
    if of_five:
        both, made_up, left_out = both[..., _FIVE], made_up[..., _FIVE], left_out[..., _FIVE]
    if not is_macro:
        both, made_up, left_out = (part.sum(axis=-1) for part in (both, made_up, left_out))
    whole = 2 * both + made_up + left_out
    f1 = np.divide(2 * both, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.asarray(f1.mean(axis=-1) if is_macro else f1)


def never_said(counts: Floats) -> tuple[str, ...]:
    """The labels that no reference says: their F1 is 0 and pulls the macro mean down."""
    both, _, left_out = np.split(counts.sum(axis=0), 3)
    return tuple(name for name, number in zip(CHEXPERT_14, both + left_out, strict=True) if not number)


def findings_said(text: str) -> frozenset[str]:
    """The findings that a text says are there or may be, without "No Finding".

    >>> findings_said("Small left effusion.")
    frozenset({'Pleural Effusion'})
    """
    return frozenset(
        name for name, is_said in zip(CHEXPERT_14, said(text), strict=True) if is_said and name != NO_FINDING
    )
