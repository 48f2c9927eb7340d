"""Whether a finding that a reader struck out was made up by the model, or overlooked by the reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rl_feedback.raters.cells import require_equally_long

Floats = npt.NDArray[np.float64]
# A reader strikes out what is there one time in ten, and leaves what is not as often, until words tell:
# each as if seen in ten findings. Readers' misses of findings on chest films that were read once lie between
# a few per cent and a third (A. P. Brady, Error and discrepancy in radiology (2017), Insights into Imaging
# 8, 171-182).
ASSUMED = 0.1
_ASSUMED_WORDS = 10.0
# A kind's share of made-up findings is drawn to that of all kinds as if by two findings: kinds differ much.
_DRAWN_TO_ALL = 2.0
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """A share with its 95 % credible interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class KindStruck:
    """Of the findings of one kind that a model named: how many words readers said of them, how many struck
    the finding out, and what share of them was made up."""

    kind: Any
    num_words: int
    num_struck: int
    made_up: Share


@dataclass(frozen=True, eq=False)
class OversightModel:
    """`oversight`: how often a reader strikes out what is there; `strikes`: how often what is not.
    `num_shared_words` are of findings that were looked at twice or whose truth is known. `made_up`: of each
    item how likely it is made up, given every word on it; `if_struck_once` the same by kind, of a finding
    that its only reader struck out."""

    oversight: Share
    strikes: Share
    kinds: tuple[KindStruck, ...]
    made_up: Mapping[Any, float]
    if_struck_once: Mapping[Any, float]
    num_words: int
    num_shared_words: int
    num_known: int
    assumed: float
    note: str


def fit_oversight(
    items: Sequence[Any],
    kinds: Sequence[Any],
    struck: Sequence[bool],
    *,
    known: Mapping[Any, bool] | None = None,
) -> OversightModel:
    """Word n says of the finding `items[n]`, of the kind `kinds[n]`, that it is not there (`struck`) or lets
    it stand. `known` tells of some items whether they are made up.

    A finding of kind k is made up with probability p_k. A reader strikes out what is made up with
    probability c, and what is there, by oversight, with probability o. Then a words that strike and b that
    do not have the likelihood

        L(a, b) = p_k c^a (1 - c)^b + (1 - p_k) o^a (1 - o)^b

    and the first summand's share of it is how likely the finding is made up: the model of Dawid and Skene
    (1979) with two classes, kinds in place of one prevalence, and readers taken together, since of few words
    no reader's own rate can be told. With one word on each finding a kind's share of strikes is
    s_k = p_k c + (1 - p_k) o, so a kind that is struck about as rarely as readers overlook things is struck
    by oversight. Priors: o ~ Beta(1, 9), c ~ Beta(9, 1), p_k drawn to the mean of all kinds as by two
    findings (kinds may be of several models, since one that learned makes less up); all are summed over a
    grid, so what is unsure stays so. A reader's own repeat counts as another look.

    >>> found = fit_oversight(
    ...     items=[f"heart {n}" for n in range(40)] + [f"nodule {n}" for n in range(40)],
    ...     kinds=["heart"] * 40 + ["nodule"] * 40,
    ...     struck=[n < 2 for n in range(40)] + [n < 24 for n in range(40)],
    ... )
    >>> found.made_up["heart 0"] < 0.5 < 0.9 < found.made_up["nodule 0"]
    True
    """
    require_equally_long(items=items, kinds=kinds, struck=struck)
    counts, kind_of = _counts(items, kinds, struck)
    truths = {item: made_up for item, made_up in (known or {}).items() if item in counts}
    grid = _Grid()
    log_prior = grid.log_prior + grid.of_known([(counts[item], made_up) for item, made_up in truths.items()])
    groups = {
        kind: Counter(counts[item] for item in counts if kind_of[item] == kind and item not in truths)
        for kind in sorted(set(kind_of.values()))
    }
    pooled = grid.fit({"": sum(groups.values(), Counter())}, log_prior, drawn_to=None)
    found = grid.fit(groups, log_prior, drawn_to=pooled.made_up_shares[""].mean if groups else None)
    made_up = {
        item: float(truths[item]) if item in truths else found.made_up[kind_of[item], counts[item]]
        for item in counts
    }
    shared = sum(sum(said) for item, said in counts.items() if sum(said) > 1 or item in truths)
    return OversightModel(
        oversight=found.oversight,
        strikes=found.strikes,
        kinds=tuple(
            KindStruck(
                kind,
                num_words=sum(sum(said) for item, said in counts.items() if kind_of[item] == kind),
                num_struck=sum(said[0] for item, said in counts.items() if kind_of[item] == kind),
                made_up=found.made_up_shares[kind],
            )
            for kind in groups
        ),
        made_up=made_up,
        if_struck_once=found.if_struck_once,
        num_words=len(items),
        num_shared_words=shared,
        num_known=len(truths),
        assumed=ASSUMED,
        note=_note(shared),
    )


def _note(num_shared_words: int) -> str:
    if num_shared_words:
        return ""
    return (
        "No finding was looked at twice, and none has a known answer: how often readers overlook what is"
        f" there is told by an assumption ({ASSUMED:.0%}, as if seen in {_ASSUMED_WORDS:.0f} findings) and by"
        " the kinds that are struck out least."
    )


def _counts(
    items: Sequence[Any], kinds: Sequence[Any], struck: Sequence[bool]
) -> tuple[dict[Any, tuple[int, int]], dict[Any, Any]]:
    """Of each item how many words strike it out and how many let it stand, and its kind."""
    counts: dict[Any, tuple[int, int]] = {}
    kind_of: dict[Any, Any] = {}
    for item, kind, is_struck in zip(items, kinds, struck, strict=True):
        if kind_of.setdefault(item, kind) != kind:
            raise ValueError(f"{item} is said to be of the kinds {kind_of[item]} and {kind}: name one.")
        out, kept = counts.get(item, (0, 0))
        counts[item] = (out + is_struck, kept + (not is_struck))
    return counts, kind_of


@dataclass(frozen=True, eq=False)
class _Fit:
    oversight: Share
    strikes: Share
    made_up_shares: Mapping[Any, Share]
    made_up: Mapping[tuple[Any, tuple[int, int]], float]
    if_struck_once: Mapping[Any, float]


class _Grid:
    """Rates o (rows) x c (columns) x p (depth), at the middles of even cells."""

    def __init__(self) -> None:
        self.o = _middles(0.0, 0.6, 60)
        self.c = _middles(0.4, 1.0, 30)
        self.p = _middles(0.0, 1.0, 40)
        rare, common = ASSUMED * _ASSUMED_WORDS, (1 - ASSUMED) * _ASSUMED_WORDS
        self.log_prior = _log_beta(self.o, rare, common)[:, None] + _log_beta(self.c, common, rare)[None, :]

    def of_known(self, known: Sequence[tuple[tuple[int, int], bool]]) -> Floats:
        """The log-likelihood of words on what is known."""
        total = np.zeros((len(self.o), len(self.c)))
        for (out, kept), made_up in known:
            rate = self.c[None, :] if made_up else self.o[:, None]
            total = total + out * np.log(rate) + kept * np.log1p(-rate)
        return total

    def fit(
        self,
        groups: Mapping[Any, Mapping[tuple[int, int], int]],
        log_prior: Floats,
        *,
        drawn_to: float | None,
    ) -> _Fit:
        """`drawn_to` is the mean of all kinds' shares, None where nothing is known of it."""
        shares = _log_beta(self.p, 1.0, 1.0)
        if drawn_to is not None:
            shares = _log_beta(self.p, _DRAWN_TO_ALL * drawn_to, _DRAWN_TO_ALL * (1 - drawn_to))
        by_kind: dict[Any, Floats] = {}
        total = log_prior
        for kind, counted in groups.items():
            likely = np.broadcast_to(shares, (len(self.o), len(self.c), len(self.p)))
            for said, number in counted.items():
                likely = likely + number * np.log(sum(self._parts(said)))
            by_kind[kind] = likely
            total = total + _log_sum(likely)
        rates = np.exp(total - total.max())
        rates /= rates.sum()
        weights = {
            kind: np.exp(likely - _log_sum(likely)[..., None]) * rates[..., None]
            for kind, likely in by_kind.items()
        }
        return _Fit(
            oversight=_share(self.o, rates.sum(axis=1)),
            strikes=_share(self.c, rates.sum(axis=0)),
            made_up_shares={
                kind: _share(self.p, weight.sum(axis=(0, 1))) for kind, weight in weights.items()
            },
            made_up={
                (kind, said): self._made_up(said, weights[kind])
                for kind, counted in groups.items()
                for said in counted
            },
            if_struck_once={kind: self._made_up((1, 0), weight) for kind, weight in weights.items()},
        )

    def _made_up(self, said: tuple[int, int], weight: Floats) -> float:
        made_up, there = self._parts(said)
        return float((weight * (made_up / (made_up + there))).sum())

    def _parts(self, said: tuple[int, int]) -> tuple[Floats, Floats]:
        """The two summands of L(a, b)."""
        out, kept = said
        o, c, p = self.o[:, None, None], self.c[None, :, None], self.p[None, None, :]
        return p * c**out * (1 - c) ** kept, (1 - p) * o**out * (1 - o) ** kept


def _middles(low: float, high: float, number: int) -> Floats:
    edges = np.linspace(low, high, number + 1)
    return np.asarray((edges[1:] + edges[:-1]) / 2)


def _log_beta(values: Floats, a: float, b: float) -> Floats:
    """The log of the density, up to a constant."""
    density = (a - 1) * np.log(values) + (b - 1) * np.log1p(-values)
    return np.asarray(density - np.log(np.exp(density).sum()))


def _log_sum(values: Floats) -> Floats:
    highest = values.max(axis=-1)
    return np.asarray(highest + np.log(np.exp(values - highest[..., None]).sum(axis=-1)))


def _share(values: Floats, weights: Floats) -> Share:
    tail = (1 - _CONFIDENCE) / 2
    reached = np.cumsum(weights) / weights.sum()
    low, high = (float(values[np.searchsorted(reached, part)]) for part in (tail, 1 - tail))
    return Share(float((values * weights).sum() / weights.sum()), low, high)
