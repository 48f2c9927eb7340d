"""What kind of readers stand behind a data set: severity, reliability, and how far they agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rl_feedback.agreement import Estimate, gwet_ac1, krippendorff_alpha
from rl_feedback.preferences.words import RATED, Corpus, Words, in_name_order
from rl_feedback.raters import (
    VERDICTS,
    RatingModel,
    VerdictModel,
    VoteModel,
    assumed_votes,
    fit_ratings,
    fit_verdicts,
    fit_votes,
)

ALPHA = "Krippendorff's alpha, ordinal"
AC1 = "Gwet's AC1"
SIDES = ("a", "tie", "b", "both_bad")


@dataclass(frozen=True)
class Agreement:
    """How far readers agree by one criterion; `value` is None where that can't be told, `note` says why."""

    criterion: str
    statistic: str
    value: float | None
    low: float | None
    high: float | None
    num_items: int
    num_words: int
    note: str


@dataclass(frozen=True)
class Readers:
    """The models of readers by what they said, and their agreement. Without votes `votes` is assumed."""

    ratings: Mapping[str, RatingModel]
    verdicts: VerdictModel | None
    votes: VoteModel
    agreement: tuple[Agreement, ...]

    def as_json(self) -> dict[str, Any]:
        """Every parameter of every model; labels leave with the data set's rows."""
        return {
            "ratings": {name: _told(model) for name, model in self.ratings.items()},
            "verdicts": None if self.verdicts is None else _told_of_verdicts(self.verdicts),
            "votes": _told(self.votes),
            "agreement": [asdict(row) for row in self.agreement],
        }


def find_readers(corpus: Corpus) -> Readers:
    ratings = {name: corpus.ratings(name) for name in RATED}
    verdicts, votes = corpus.verdicts(), corpus.votes()
    return Readers(
        ratings={
            name: fit_ratings(words.items, words.readers, words.values, known=words.settled)
            for name, words in ratings.items()
            if words.items
        },
        verdicts=fit_verdicts(verdicts.items, verdicts.readers, verdicts.values, known=verdicts.settled)
        if verdicts.items
        else None,
        votes=_votes(votes),
        agreement=tuple(_agreements(ratings, verdicts, votes)),
    )


def _votes(words: Words) -> VoteModel:
    if not words.items:
        return assumed_votes()
    on_a, on_b = ([pair[side] for pair in words.items] for side in (0, 1))
    return fit_votes(on_a, on_b, words.readers, words.values, known=words.settled)


def _agreements(ratings: Mapping[str, Words], verdicts: Words, votes: Words) -> list[Agreement]:
    rows = [
        _agreement(name, ALPHA, words.items, words, lambda table: krippendorff_alpha(table, "ordinal"))
        for name, words in ratings.items()
    ]
    by_verdict = Words(verdicts.items, verdicts.readers, [VERDICTS.index(one) for one in verdicts.values])
    pairs = [in_name_order(*pair) for pair in votes.items]
    won = [_won(vote, turned) for vote, (_, turned) in zip(votes.values, pairs, strict=True)]
    return [
        *rows,
        _agreement("region verdict", AC1, by_verdict.items, by_verdict, _ac1(len(VERDICTS))),
        _agreement(
            "vote", AC1, [pair for pair, _ in pairs], Words(votes.items, votes.readers, won), _ac1(len(SIDES))
        ),
    ]


def _ac1(num_values: int) -> Callable[[Any], Estimate]:
    return lambda table: gwet_ac1(table, categories=list(range(num_values)))


def _won(vote: str, turned: bool) -> int:
    place = SIDES.index(vote)
    return 2 - place if turned and place < 3 else place


def _agreement(
    criterion: str, statistic: str, items: list[Any], words: Words, computed: Callable[[Any], Estimate]
) -> Agreement:
    """Each reader's first word of an item counts; the table has a row for each reader."""
    first: dict[tuple[str, Any], float] = {}
    for item, reader, value in zip(items, words.readers, words.values, strict=True):
        first.setdefault((reader, item), value)
    readers = {reader: row for row, reader in enumerate(sorted({reader for reader, _ in first}))}
    places = {item: column for column, item in enumerate(sorted({item for _, item in first}))}
    table = np.full((len(readers), len(places)), np.nan)
    for (reader, item), value in first.items():
        table[readers[reader], places[item]] = value
    several = (~np.isnan(table)).sum(axis=0) > 1
    shared = table[:, several]
    found = Estimate(value=None, note="No item has the word of two readers.")
    if shared.size:
        try:
            found = computed(shared)
        except ValueError as reason:
            found = Estimate(value=None, note=str(reason))
    low, high = found.interval or (None, None)
    return Agreement(
        criterion=criterion,
        statistic=statistic,
        value=found.value,
        low=low,
        high=high,
        num_items=int(several.sum()),
        num_words=int((~np.isnan(shared)).sum()),
        note=found.note,
    )


def _told(model: RatingModel | VoteModel) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in vars(model).items()
        if name not in ("labels", "probability", "readers") and not name.startswith("_")
    }
    return {**kept, "readers": [asdict(reader) for reader in model.readers]}


def _told_of_verdicts(model: VerdictModel) -> dict[str, Any]:
    observers = model.observers
    return {
        "classes": list(VERDICTS),
        "shares": observers.priors.tolist(),
        "sure": model.sure,
        "confidence": model.confidence,
        "log_likelihood": observers.value,
        "num_words": observers.num_labels,
        "num_known": observers.num_known,
        "num_rounds": observers.num_rounds,
        "converged": observers.converged,
        "note": model.note,
        "readers": [
            {**asdict(reader), "confusion": table.tolist()}
            for reader, table in zip(model.readers, observers.confusions, strict=True)
        ],
    }
