"""Turns signed readings into training data: pairs, labels, regions, and what readers must settle first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from rl_feedback.preferences.comparing import pairs_by_comparing
from rl_feedback.preferences.correcting import pairs_by_correcting
from rl_feedback.preferences.doubted import without_doubted, without_refuted
from rl_feedback.preferences.expert_regions import expert_regions
from rl_feedback.preferences.ground import judge
from rl_feedback.preferences.readers import Readers, find_readers
from rl_feedback.preferences.rows import (
    Dispute,
    ExpertRegion,
    Kind,
    Label,
    LeftOut,
    Pair,
    Row,
    in_order,
    lines_of,
    sha256_of,
)
from rl_feedback.preferences.ruling import rulings_of, sides_of
from rl_feedback.preferences.splits import Split, split_of
from rl_feedback.preferences.striking import Struck, doubt_strikes, find_strikes
from rl_feedback.preferences.words import corpus_of
from rl_feedback.readings import SignedReading


@dataclass(frozen=True)
class Preferences:
    """Everything that a set of readings teaches, in canonical order. `splits` by patient."""

    pairs: tuple[Pair, ...]
    labels: tuple[Label, ...]
    regions: tuple[ExpertRegion, ...]
    disputes: tuple[Dispute, ...]
    left_out: tuple[LeftOut, ...]
    readers: Readers
    struck: Struck
    splits: Mapping[str, Split]

    def lines(self) -> Iterator[str]:
        """Canonical JSON lines of pairs, labels and regions."""
        return lines_of({"pair": self.pairs, "label": self.labels, "region": self.regions})

    @cached_property
    def sha256(self) -> str:
        """Of the canonical lines, each ended by a line feed."""
        return sha256_of(self.lines())


def gather_preferences(
    readings: Iterable[SignedReading],
    *,
    anchors: Iterable[SignedReading] = (),
    side_of: Callable[[str], Split] = split_of,
) -> Preferences:
    """What the readings teach together. The same readings give the same lines and the same sha256, in
    whatever order they come.

    `anchors` are hidden repeats and control cases: they measure the readers and are never learned from.
    `side_of` gives the side of a patient. Where an adjudication says something of an item, it stands; where
    readers contradict each other, the item is in `disputes` and nowhere else. What a reader struck out and
    likely overlooked (`striking`) is in `disputes` too, and what rests on it is left out, until a judge says
    in words of their own whether it is there (`ruling`). Raises NotTrainingData for a reading that must not
    be learned from.
    """
    readings = list(readings)
    corpus = corpus_of(readings, anchors)
    rulings = rulings_of(readings)
    repeats = [anchor for anchor in corpus.anchors if anchor.kind == "repeat"]
    strikes = list(find_strikes([*(one for one in readings if one.kind != "adjudication"), *repeats]))
    refuted, confirmed = sides_of(rulings, strikes)
    corpus = replace(corpus, refuted=refuted, confirmed=confirmed)
    readers = find_readers(corpus)
    splits = {patient: side_of(patient) for patient in sorted({reading.patient for reading in readings})}
    patients = {completion.uid: reading.patient for reading in readings for completion in reading.completions}
    judged = {uid: judge(corpus, readers, uid, splits[patients[uid]]) for uid in corpus.judgements}
    rows: list[Row] = []
    for one in judged.values():
        rows += [*one.labels.values(), *one.disputes]
    rows += pairs_by_comparing(corpus, readers, judged)
    for one in judged.values():
        rows += pairs_by_correcting(corpus, readers, one)
        rows += expert_regions(corpus, one)
    struck = doubt_strikes(
        strikes,
        known={item: not one.is_there for item, one in rulings.items() if one.is_there is not None},
        untold={item: one.readings for item, one in rulings.items() if one.is_there is None},
    )
    rows = list(without_doubted(rows, struck, corpus))
    rows = list(without_refuted(rows, rulings, corpus))
    return Preferences(
        pairs=_only(Pair, rows),
        labels=_only(Label, rows),
        regions=_only(ExpertRegion, rows),
        disputes=_only(Dispute, rows),
        left_out=_only(LeftOut, rows),
        readers=readers,
        struck=struck,
        splits=splits,
    )


def _only(kind: type[Kind], rows: Iterable[Row]) -> tuple[Kind, ...]:
    return in_order([row for row in rows if isinstance(row, kind)])
