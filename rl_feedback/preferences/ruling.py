"""What judges say of findings that readers struck out: there, not there, or not to be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rl_feedback.preferences.settling import settled_kinds
from rl_feedback.preferences.striking import Item, Strike, case_of
from rl_feedback.readings import SignedReading


@dataclass(frozen=True)
class Ruling:
    """Whether the finding is there, None where its judges can't tell, and whose word that is."""

    is_there: bool | None
    readings: tuple[str, ...]


def rulings_of(readings: Iterable[SignedReading]) -> Mapping[Item, Ruling]:
    """By case and kind, of the adjudications among the readings; nothing where two contradict each other.

    A judge who was asked of a finding has said it outright, whatever else the judge marked; of the others the
    words on what names it count (`settling`).
    """
    said: dict[Item, dict[str, bool | None]] = defaultdict(dict)
    for reading in readings:
        if reading.kind != "adjudication":
            continue
        words: dict[str, bool | None] = {kind: not gone for kind, gone in settled_kinds(reading).items()}
        words.update({one.finding: one.is_there for one in reading.findings})
        for kind, word in words.items():
            said[case_of(reading), kind][reading.uid] = word
    rulings = {}
    for item, by_reading in said.items():
        told = set(by_reading.values()) - {None}
        if len(told) < 2:
            word = next(iter(told), None)
            behind = tuple(sorted(uid for uid, one in by_reading.items() if one is word))
            rulings[item] = Ruling(word, behind)
    return rulings


def sides_of(
    rulings: Mapping[Item, Ruling], strikes: Iterable[Strike]
) -> tuple[frozenset[str], frozenset[str]]:
    """Readings that struck out what is there, and those whose strikes are confirmed and none of them refuted.
    Who kept what is not there is no worse a reader of the rest."""
    refuted: set[str] = set()
    confirmed: set[str] = set()
    for strike in strikes:
        ruling = rulings.get(strike.item)
        if strike.is_struck and ruling is not None and ruling.is_there is not None:
            (refuted if ruling.is_there else confirmed).add(strike.reading.uid)
    return frozenset(refuted), frozenset(confirmed - refuted)
