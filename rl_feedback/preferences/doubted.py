"""Keeps what rests on a likely oversight out of training data, and asks for another look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rl_feedback.preferences.kinds import kinds_named, kinds_said
from rl_feedback.preferences.rows import Dispute, Label, LeftOut, Pair, Row
from rl_feedback.preferences.striking import Struck
from rl_feedback.preferences.words import Corpus

FINDING = "finding"


def without_doubted(rows: Iterable[Row], struck: Struck, corpus: Corpus) -> Iterator[Row]:
    """The rows, less what rests on doubtful strikes, and a dispute for each of those.

    A rewritten text goes where it lacks a doubtful finding, whichever of the case's texts named it, and so do
    the case's texts of which regions alone were moved, for which the rewritten one stood; any other pair goes
    where its rejected text names one that the chosen one lacks; labels go with the case, since its reader
    judged all its texts by what was seen.
    """
    doubtful = _by_completion(struck)
    for row in rows:
        kinds = doubtful.get(row.completion)
        if kinds is None or not isinstance(row, Pair | Label):
            yield row
        elif isinstance(row, Pair):
            lacking = _lacking(row, kinds)
            yield _left_out(row, lacking) if lacking else row
    for case, by_kind in struck.doubtful.items():
        for kind, readings in sorted(by_kind.items()):
            named = next(uid for uid in case if kind in kinds_named(corpus.completion(uid).text))
            reason = f"{kind}: struck out, but its reader may have overlooked what is there."
            yield Dispute(named, None, FINDING, reason, readings)


def _by_completion(struck: Struck) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for case, kinds in struck.doubtful.items():
        for uid in case:
            found[uid].update(kinds)
    return found


def _lacking(pair: Pair, doubtful: set[str]) -> set[str]:
    """The doubtful kinds on whose absence the pair rests."""
    if pair.origin == "region":
        return doubtful
    if pair.prefix:
        return doubtful & kinds_said([pair.rejected]) - kinds_said([pair.chosen])
    lacking = doubtful - kinds_named(pair.chosen)
    return lacking if pair.origin == "rewrite" else lacking & kinds_named(pair.rejected)


def _left_out(pair: Pair, kinds: Iterable[str]) -> LeftOut:
    reason = f"It rests on what was likely overlooked: {', '.join(sorted(kinds))}."
    return LeftOut(pair.origin, pair.completion, reason, pair.readings)
