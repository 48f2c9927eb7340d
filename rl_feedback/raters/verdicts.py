"""Whether a region fits, must be redrawn or is wrong, given how each reader errs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rl_feedback.agreement.estimate import check_confidence
from rl_feedback.agreement.observers import DawidSkene, dawid_skene
from rl_feedback.raters.cells import (
    SETTLED_READERS,
    Cells,
    Floats,
    Integers,
    Names,
    Truths,
    cells_of,
    counts_by_reader,
    named,
    require_equally_long,
    sums_of,
)
from rl_feedback.raters.labels import Label, normal_interval
from rl_feedback.raters.limits import Limits, limits_of

VERDICTS = ("fits", "adjusted", "wrong")
# Readers of whom one calls a region wrong and another doesn't contradict each other, unless one verdict is
# this certain.
SURE = 0.9
# Ten labels by every reader before the first, of each kind of region: eight right.
_ASSUMED_LABELS = np.array([[8.0, 1.0, 1.0], [1.0, 8.0, 1.0], [1.0, 1.0, 8.0]])
_ASSUMED_ITEMS = np.ones(3)


@dataclass(frozen=True, kw_only=True)
class VerdictReader:
    """`accuracy` is the share of regions of which the reader says what is most likely true; its interval
    takes those truths as given. `strictness` is how much more of them than deserved the reader would redraw
    or take out. None where these verdicts can't tell. `consistency` is the share of hidden repeats that got
    the same verdict."""

    reader: Any
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None
    strictness: float | None
    consistency: float | None
    num_verdicts: int
    num_items: int
    num_repeated: int
    group: int


@dataclass(frozen=True, kw_only=True, eq=False)
class VerdictModel:
    """`shares` (items x VERDICTS, read-only) tell how likely each verdict is the right one; `observers` is
    all that was found of the readers. `note` says what these verdicts can't tell."""

    items: tuple[Any, ...]
    shares: Floats
    num_readers_of: Integers
    num_effective_readers_of: Floats
    is_disputed: Truths
    is_settled: Truths
    readers: tuple[VerdictReader, ...]
    observers: DawidSkene
    sure: float
    confidence: float
    note: str

    def __contains__(self, item: object) -> bool:
        return item in self._places

    def shares_of(self, item: Any) -> dict[str, float]:
        return dict(zip(VERDICTS, self.shares[self._places[item]].tolist(), strict=True))

    def label(self, item: Any, *, values: Sequence[float]) -> Label:
        """What the item is worth where the verdicts of VERDICTS are worth `values`, from 0 to 1."""
        at = self._places[item]
        worth = np.asarray(values, dtype=np.float64)
        mean = float(self.shares[at] @ worth)
        return Label(
            mean=mean,
            variance=max(0.0, float(self.shares[at] @ worth**2) - mean**2),
            num_readers=int(self.num_readers_of[at]),
            num_effective_readers=float(self.num_effective_readers_of[at]),
            is_disputed=bool(self.is_disputed[at]),
            is_settled=bool(self.is_settled[at]),
        )

    @cached_property
    def _places(self) -> dict[Any, int]:
        return {item: place for place, item in enumerate(self.items)}


def fit_verdicts(
    items: Names,
    readers: Names,
    verdicts: Names,
    *,
    known: Mapping[Any, str] | None = None,
    sure: float = SURE,
    confidence: float = 0.95,
) -> VerdictModel:
    """Fit readers and regions to verdicts in long format: `verdicts[n]`, one of VERDICTS, was given by
    `readers[n]` to `items[n]`. A reader's repeats of one item share one word.

    `known` holds the right verdict of items, from control cases or an adjudication. An item is disputed when
    one reader calls it wrong and another does not, and no verdict is right with probability `sure`.

    Readers err as A. P. Dawid and A. M. Skene (1979) describe, see `rl_feedback.agreement.dawid_skene`;
    before the first verdict each is taken to have given ten of each kind, eight of them right. Raises
    ValueError for no verdict, columns of unequal length, or an unknown verdict.

    >>> regions, readers = ["r1", "r1", "r1", "r2", "r2"], ["Ann", "Bob", "Cem", "Ann", "Bob"]
    >>> found = fit_verdicts(regions, readers, ["fits", "fits", "wrong", "wrong", "wrong"])
    >>> max(found.shares_of("r1").items(), key=lambda one: one[1])[0]
    'fits'
    """
    check_confidence(confidence)
    require_equally_long(items=items, readers=readers, verdicts=verdicts)
    known = dict(known or {})
    unknown = sorted({str(one) for one in (*verdicts, *known.values())} - set(VERDICTS))
    if unknown:
        raise ValueError(f"A verdict is {', '.join(VERDICTS)}; one is {unknown[0]}.")
    names, item = named(items, "verdicts")
    reader_names, reader = named(readers, "verdicts")
    answer = np.array([VERDICTS.index(one) for one in verdicts], dtype=np.int64)
    said = cells_of(item, reader, answer, num_answers=len(VERDICTS))
    row, verdict = np.nonzero(said.counts)
    found = dawid_skene(
        said.item[row],
        said.reader[row],
        verdict,
        weights=said.counts[row, verdict] / said.num_said[row],
        known={place: VERDICTS.index(known[name]) for place, name in enumerate(names) if name in known},
        classes=range(len(VERDICTS)),
        prior_counts=_ASSUMED_LABELS,
        prior_shares=_ASSUMED_ITEMS,
    )
    is_known = np.array([name in known for name in names])
    limits = limits_of(
        said,
        is_known=is_known,
        place="strictness",
        needs_others_for_place=True,
    )
    shares = np.array(found.posteriors)
    shares.setflags(write=False)
    return VerdictModel(
        items=names,
        shares=shares,
        num_readers_of=np.bincount(said.item, minlength=len(names)),
        num_effective_readers_of=np.where(is_known, SETTLED_READERS, _effective_readers(found, said)),
        is_disputed=~is_known & _contradicted(said, len(names)) & (shares.max(axis=1) < sure),
        is_settled=is_known,
        readers=tuple(_readers(reader_names, found, said, limits, confidence)),
        observers=found,
        sure=sure,
        confidence=confidence,
        note=limits.note,
    )


def _contradicted(said: Cells, num_items: int) -> Truths:
    calls_wrong = said.counts[:, 2] > 0
    wrong, kept = (np.bincount(said.item[who], minlength=num_items) for who in (calls_wrong, ~calls_wrong))
    return np.asarray((wrong > 0) & (kept > 0))


def _effective_readers(found: DawidSkene, said: Cells) -> Floats:
    """A reader counts by how much a verdict of theirs tells of the truth (mutual information), over that of
    the mean verdict."""
    joint = found.priors[None, :, None] * found.confusions
    apart = found.priors[None, :, None] * joint.sum(axis=1, keepdims=True)
    told = (joint * np.log(joint / apart)).sum(axis=(1, 2))
    typical = float(told[said.reader].mean())
    weight = told / typical if typical > 0 else np.ones(len(told))
    return sums_of(said.item, weight[said.reader], len(found.items))


def _readers(
    names: tuple[Any, ...], found: DawidSkene, said: Cells, limits: Limits, confidence: float
) -> Iterator[VerdictReader]:
    counts = counts_by_reader(said, len(names))
    for place, name in enumerate(names):
        table = found.confusions[place]
        own = said.reader == place
        seen = found.posteriors[said.item[own]].sum(axis=0) + _ASSUMED_LABELS.sum(axis=1)
        right = np.diag(table)
        accuracy = float(found.priors @ right)
        spread = float(np.sqrt((found.priors**2 * right * (1 - right) / (seen + 1)).sum()))
        low, high = normal_interval(accuracy, spread, confidence)
        knows = limits.knows_place and limits.knows_weight
        yield VerdictReader(
            reader=name,
            accuracy=accuracy if knows else None,
            accuracy_interval=(max(0.0, low), min(1.0, high)) if knows else None,
            strictness=float(found.priors @ (1 - table[:, 0]) - (1 - found.priors[0])) if knows else None,
            consistency=_consistency(said.counts[own]),
            num_verdicts=int(counts.said[place]),
            num_items=int(counts.items[place]),
            num_repeated=int(counts.repeated[place]),
            group=int(limits.group[place]),
        )


def _consistency(counts: Integers) -> float | None:
    """Of all pairs of verdicts that a reader gave to one item, how many are equal."""
    number = counts.sum(axis=1)
    pairs = int((number * (number - 1)).sum())
    return float((counts * (counts - 1)).sum() / pairs) if pairs else None
