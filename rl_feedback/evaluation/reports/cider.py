"""CIDEr: how alike two reports are in the runs of words that are rare among all references.

R. Vedantam, C. L. Zitnick and D. Parikh, CIDEr (CVPR 2015). A score hangs on the whole set of references, so
it compares with no other set's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rl_feedback.evaluation.reports.words import runs

MAX_ORDER = 4
SIGMA = 6.0
VARIANT = "equation 3 of the paper, times 10: no clipping, no penalty on length; words not stemmed"
VARIANT_D = "CIDEr-D: clipped, Gaussian penalty on length (sigma 6), times 10; as pycocoevalcap's Cider"

_Runs = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class Rarity:
    """In how many of `num_texts` references each run of words stands."""

    num_with: Mapping[tuple[str, ...], int]
    num_texts: int


def rarity_of(references: Iterable[Sequence[str]]) -> Rarity:
    """Counted over all references of a benchmark."""
    num_with: _Runs = Counter()
    num_texts = 0
    for tokens in references:
        num_with.update(set(_all_runs(tokens)))
        num_texts += 1
    return Rarity(num_with, num_texts)


def cider(given: Sequence[str], wanted: Sequence[str], rarity: Rarity) -> tuple[float, float]:
    """CIDEr and CIDEr-D of one text, each from 0 to 10.

    >>> all_references = [("small", "left", "effusion"), ("clear", "lungs"), ("big", "heart")]
    >>> rarity = rarity_of(all_references)
    >>> cider(all_references[0], all_references[0], rarity)[0]
    7.5
    """
    ours, theirs = _weighed(_all_runs(given), rarity), _weighed(_all_runs(wanted), rarity)
    # Lengths in pairs of words, as pycocoevalcap counts them.
    apart = max(0, len(given) - 1) - max(0, len(wanted) - 1)
    penalty = math.exp(-(apart**2) / (2 * SIGMA**2))
    plain = clipped = 0.0
    for mine, other in zip(ours, theirs, strict=True):
        norms = math.sqrt(math.fsum(w * w for w in mine.values())) * math.sqrt(
            math.fsum(w * w for w in other.values())
        )
        if not norms:
            continue
        both = [(weight, other[run]) for run, weight in mine.items() if run in other]
        plain += math.fsum(a * b for a, b in both) / norms
        clipped += math.fsum(min(a, b) * b for a, b in both) / norms
    return 10 * plain / MAX_ORDER, 10 * penalty * clipped / MAX_ORDER


def _all_runs(tokens: Sequence[str]) -> _Runs:
    return Counter(run for order in range(1, MAX_ORDER + 1) for run in runs(tokens, order))


def _weighed(counted: _Runs, rarity: Rarity) -> list[dict[tuple[str, ...], float]]:
    """How often each run stands there times how rare it is, by order."""
    by_order: list[dict[tuple[str, ...], float]] = [{} for _ in range(MAX_ORDER)]
    most = math.log(rarity.num_texts)
    for run, count in counted.items():
        by_order[len(run) - 1][run] = count * (most - math.log(max(1, rarity.num_with.get(run, 0))))
    return by_order
