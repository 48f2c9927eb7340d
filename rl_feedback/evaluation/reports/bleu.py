"""BLEU over words: how many runs of one to four words of a report stand in the reference.

K. Papineni et al., BLEU (ACL 2002): a corpus has one BLEU, of summed counts, not the mean of its texts'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from rl_feedback.evaluation.reports.words import runs

Floats = npt.NDArray[np.float64]
MAX_ORDER = 4
# As sacrebleu writes it; without its version, since this is no sacrebleu.
SIGNATURE = "nrefs:1|case:lc|eff:no|tok:13a|smooth:exp"
NUM_COUNTS = 2 + 2 * MAX_ORDER
Smoothing = Literal["exp", "coco"]


def counts_of(given: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """What BLEU needs of one text: its length, that of the reference, then for each order the runs that both
    have, then all that the text has."""
    shared, total = [], []
    for order in range(1, MAX_ORDER + 1):
        ours, theirs = Counter(runs(given, order)), Counter(runs(wanted, order))
        shared.append(sum(min(count, theirs[run]) for run, count in ours.items() if run in theirs))
        total.append(max(0, len(given) - order + 1))
    return [len(given), len(wanted), *shared, *total]


def bleu_of(counts: Floats, *, order: int, smoothing: Smoothing = "exp") -> Floats:
    """BLEU of summed counts (… x 10), from 0 to 1.

    "exp" halves the precision once more for each order of which nothing is shared (NIST; sacrebleu's own);
    "coco" adds 1e-15 to what is shared and 1e-9 to all, as pycocoevalcap does.

    >>> both = counts_of("the cat sat on the mat".split(), "the cat is on the mat".split())
    >>> round(float(bleu_of(np.array(both, float), order=4)), 4)
    0.3799
    """
    length, wanted = counts[..., 0], counts[..., 1]
    shared, total = counts[..., 2 : 2 + order], counts[..., 2 + MAX_ORDER : 2 + MAX_ORDER + order]
    if smoothing == "coco":
        precision = np.prod((shared + 1e-15) / (total + 1e-9), axis=-1) ** (1 / order)
        ratio = (length + 1e-15) / (wanted + 1e-9)
        return np.asarray(precision * np.where(ratio < 1, np.exp(1 - 1 / np.minimum(ratio, 1)), 1.0))
    is_missed = shared == 0
    halved = 2.0 ** np.cumsum(is_missed, axis=-1)
    has_runs = (total > 0).all(axis=-1) & (shared.sum(axis=-1) > 0)
    precisions = np.where(is_missed, 1 / halved, shared) / np.maximum(total, 1)
    brevity = np.exp(np.minimum(0.0, 1 - wanted / np.maximum(length, 1)))
    return np.asarray(np.where(has_runs, brevity * np.exp(np.log(precisions).mean(axis=-1)), 0.0))
