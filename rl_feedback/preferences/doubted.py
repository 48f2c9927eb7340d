"""Keeps what rests on a likely oversight out of training data, and asks for another look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from inference.grounding import parse_completion
from rl_feedback.preferences.kinds import kinds_named, kinds_said
from rl_feedback.preferences.rows import Dispute, Label, LeftOut, Pair, Row
from rl_feedback.preferences.ruling import Ruling
from rl_feedback.preferences.striking import Case, Item, Struck
from rl_feedback.preferences.words import Corpus

FINDING = "finding"


def without_doubted(rows: Iterable[Row], struck: Struck, corpus: Corpus) -> Iterator[Row]:
    """The rows, less what rests on doubtful strikes, and a dispute for each of those.

    A rewritten text goes where it lacks a doubtful finding, whichever of the case's texts named it, and so do
    the case's texts of which regions alone were moved, for which the rewritten one stood; any other pair goes
    where its rejected text names one that the chosen one lacks; labels go with the case, since its reader
    judged all its texts by what was seen.
    """
    doubtful, untold = _by_completion(struck.doubtful), _by_completion(struck.untold)
    for row in rows:
        overlooked, unclear = doubtful.get(row.completion, set()), untold.get(row.completion, set())
        if not (overlooked or unclear) or not isinstance(row, Pair | Label):
            yield row
        elif isinstance(row, Pair):
            if lacking := _lacking(row, overlooked):
                yield _left_out(row, "It rests on what was likely overlooked", lacking)
            elif lacking := _lacking(row, unclear):
                yield _left_out(row, "It rests on what its judge can't tell", lacking)
            else:
                yield row
    for case, by_kind in struck.doubtful.items():
        for kind, readings in sorted(by_kind.items()):
            reason = f"{kind}: struck out, but its reader may have overlooked what is there."
            yield Dispute(_naming(corpus, case, kind), None, FINDING, reason, readings)
    for case, by_kind in struck.untold.items():
        for kind, readings in sorted(by_kind.items()):
            reason = (
                f"{kind}: struck out, and its judge can't tell whether it is there. Nothing is taught of it."
            )
            yield LeftOut("rewrite", _naming(corpus, case, kind), reason, readings)


def without_refuted(rows: Iterable[Row], rulings: Mapping[Item, Ruling], corpus: Corpus) -> Iterator[Row]:
    """The rows, less what contradicts a judge's word on a finding: pairs that rest on its absence where it is
    there, or on its presence where it is not, and labels by readers who struck out what is there."""
    there, absent = (_by_completion(_kinds(rulings, is_there=is_there)) for is_there in (True, False))
    for row in rows:
        if isinstance(row, Label) and corpus.refuted.intersection(row.readings):
            continue
        if isinstance(row, Pair):
            if lacking := _lacking(row, there.get(row.completion, set())):
                yield _left_out(row, "It lacks what its judge says is there", lacking)
                continue
            if kept := _keeping(row, absent.get(row.completion, set())):
                yield _left_out(row, "It keeps what its judge says is not there", kept)
                continue
        yield row


def _kinds(rulings: Mapping[Item, Ruling], *, is_there: bool) -> Mapping[Case, Iterable[str]]:
    found: dict[Case, set[str]] = defaultdict(set)
    for (case, kind), ruling in rulings.items():
        if ruling.is_there is is_there:
            found[case].add(kind)
    return found


def _by_completion(kinds_of: Mapping[Case, Iterable[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for case, kinds in kinds_of.items():
        for uid in case:
            found[uid].update(kinds)
    return found


def _naming(corpus: Corpus, case: Case, kind: str) -> str:
    return next(uid for uid in case if kind in kinds_named(corpus.completion(uid).text))


def _lacking(pair: Pair, doubtful: set[str]) -> set[str]:
    """The doubtful kinds on whose absence the pair rests."""
    if pair.origin == "region":
        return doubtful
    if pair.prefix:
        return doubtful & kinds_said([pair.rejected]) - kinds_said([pair.chosen])
    lacking = doubtful - kinds_named(pair.chosen)
    return lacking if pair.origin == "rewrite" else lacking & kinds_named(pair.rejected)


def _keeping(pair: Pair, absent: set[str]) -> set[str]:
    """The kinds that are not there on whose presence the pair rests."""
    if pair.prefix:
        return absent & kinds_said([pair.chosen]) - kinds_said([pair.rejected])
    if pair.origin == "region":
        return absent & kinds_said(step.text for step in parse_completion(pair.chosen).steps)
    kept = absent & kinds_named(pair.chosen)
    return kept if pair.origin == "rewrite" else kept - kinds_named(pair.rejected)


def _left_out(pair: Pair, why: str, kinds: Iterable[str]) -> LeftOut:
    reason = f"{why}: {', '.join(sorted(kinds))}."
    return LeftOut(pair.origin, pair.completion, reason, pair.readings)
