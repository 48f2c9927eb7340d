"""Sorts what readers said by what they said it of, and sees to it that nothing but data becomes data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rl_feedback.preferences.leaving import as_it_stands
from rl_feedback.readings import CRITERIA, JudgedCompletion, SignedReading

PLAUSIBILITY = "plausibility"
RATED = (*CRITERIA, PLAUSIBILITY)


class NotTrainingData(ValueError):
    """A reading that must not be learned from; the message names it and says why."""


@dataclass(frozen=True)
class Judgement:
    """What one reading says of one completion."""

    reading: SignedReading
    completion: JudgedCompletion

    @property
    def is_adjudication(self) -> bool:
        return self.reading.kind == "adjudication"


@dataclass(frozen=True)
class Comparison:
    """What one reading says of two completions: `vote` names the first (a), the second (b), or neither."""

    reading: SignedReading
    vote: str


@dataclass
class Words:
    """One column of words in long format, and the words that adjudications settled."""

    items: list[Any] = field(default_factory=list)
    readers: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    settled: dict[Any, Any] = field(default_factory=dict)

    def add(self, item: Any, reader: str, value: Any) -> None:
        self.items.append(item)
        self.readers.append(reader)
        self.values.append(value)


@dataclass(frozen=True)
class Corpus:
    """All that is learned from. `judgements` by completion and `comparisons` by pair of completions, both in
    the order of readings' names; `anchors` are hidden repeats and controls, which tell of readers alone.
    Of a case that a judge settled, `refuted` readings struck out what is there and fill none of its gaps; of
    `confirmed` ones the wording stands too where the judge wrote none."""

    judgements: Mapping[str, tuple[Judgement, ...]]
    comparisons: Mapping[tuple[str, str], tuple[Comparison, ...]]
    anchors: tuple[SignedReading, ...]
    refuted: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()

    def completion(self, uid: str) -> JudgedCompletion:
        return self.judgements[uid][0].completion

    def standing(self, uid: str) -> tuple[Judgement, ...]:
        """The judgements that count: adjudications where there are any, with what they leave as the readers
        have it, else all."""
        every = self.judgements[uid]
        settling = [one for one in every if one.is_adjudication]
        return tuple(replace(one, completion=self._as_it_stands(one.completion)) for one in settling) or every

    def _as_it_stands(self, settling: JudgedCompletion) -> JudgedCompletion:
        every = self.judgements[settling.uid]
        readers = [one for one in every if not one.is_adjudication and one.reading.uid not in self.refuted]
        return as_it_stands(
            settling,
            [(one.reading.reader, one.completion) for one in readers],
            writers=[one.completion for one in readers if one.reading.uid in self.confirmed],
        )

    def ratings(self, criterion: str) -> Words:
        """Items are completions, of plausibility steps."""
        return self._words(lambda completion: _ratings_of(completion, criterion))

    def verdicts(self) -> Words:
        """Items are regions by `region_name`; controls settle theirs."""
        words = self._words(_verdicts_of)
        for reading in self.anchors:
            if reading.role != "control":
                continue
            for name, region in _regions_of(reading):
                if region.known is not None and region.verdict is not None:
                    words.add(name, reading.reader, region.verdict)
                    words.settled[name] = region.known
        return words

    def votes(self) -> Words:
        """Items are (on side A, on side B)."""
        words = Words()
        settled: dict[tuple[str, str], set[str]] = defaultdict(set)
        adjudicated = []
        repeats = [reading for reading in self.anchors if reading.kind == "repeat"]
        for reading in [*self._readings(), *repeats]:
            sides = vote_of(reading)
            if sides is None:
                continue
            pair, vote = sides
            if reading.kind == "adjudication":
                first, turned = in_name_order(*pair)
                settled[first].add(_turned(vote) if turned else vote)
                adjudicated.append((pair, reading.reader, vote))
            else:
                words.add(pair, reading.reader, vote)
        words.settled = {pair: votes.pop() for pair, votes in settled.items() if len(votes) == 1}
        for pair, reader, vote in adjudicated:
            if in_name_order(*pair)[0] not in words.settled:
                words.add(pair, reader, vote)
        return words

    def _readings(self) -> Iterator[SignedReading]:
        seen = {one.reading.uid: one.reading for every in self.judgements.values() for one in every}
        yield from (seen[uid] for uid in sorted(seen))

    def _words(self, of_completion: Any) -> Words:
        """An adjudication settles its items, unless two contradict each other: then they are words as any."""
        words, settled, adjudicated = Words(), defaultdict(set), []
        judgements = [one for every in self.judgements.values() for one in every]
        judgements += [
            Judgement(reading, completion)
            for reading in self.anchors
            if reading.kind == "repeat"
            for completion in reading.completions
        ]
        for judgement in judgements:
            for item, value in of_completion(judgement.completion):
                if judgement.is_adjudication:
                    settled[item].add(value)
                    adjudicated.append((item, judgement.reading.reader, value))
                else:
                    words.add(item, judgement.reading.reader, value)
        words.settled = {item: values.pop() for item, values in settled.items() if len(values) == 1}
        for item, reader, value in adjudicated:
            if item not in words.settled:
                words.add(item, reader, value)
        return words


def corpus_of(readings: Iterable[SignedReading], anchors: Iterable[SignedReading] = ()) -> Corpus:
    """Raises NotTrainingData for a control, a case that teaches or tests readers, or a hidden repeat among
    the readings, and ValueError where two readings say different things of what a completion says."""
    judgements: dict[str, list[Judgement]] = defaultdict(list)
    comparisons: dict[tuple[str, str], list[Comparison]] = defaultdict(list)
    for reading in sorted(readings, key=lambda one: one.uid):
        _require_data(reading)
        for completion in reading.completions:
            judgements[completion.uid].append(Judgement(reading, completion))
        if reading.completion_b is not None:
            pair, turned = in_name_order(reading.completion_a.uid, reading.completion_b.uid)
            vote = reading.vote or ""
            comparisons[pair].append(Comparison(reading, _turned(vote) if turned else vote))
    for uid, every in judgements.items():
        if len({_as_written(one.completion) for one in every}) > 1:
            raise ValueError(f"Two readings say different things of what completion {uid} says.")
    return Corpus(
        judgements={uid: tuple(judgements[uid]) for uid in sorted(judgements)},
        comparisons={pair: tuple(comparisons[pair]) for pair in sorted(comparisons)},
        anchors=tuple(sorted(anchors, key=lambda one: one.uid)),
    )


def region_name(step: str, number: int) -> str:
    return f"{step} region {number}"


def in_name_order(one: str, other: str) -> tuple[tuple[str, str], bool]:
    """The two names in order, and whether that turned them."""
    return ((one, other), False) if one < other else ((other, one), True)


def vote_of(reading: SignedReading) -> tuple[tuple[str, str], str] | None:
    """(on side A, on side B) and the vote; None without one."""
    if reading.completion_b is None or reading.vote is None:
        return None
    return (reading.completion_a.uid, reading.completion_b.uid), reading.vote


def _turned(vote: str) -> str:
    return {"a": "b", "b": "a"}.get(vote, vote)


def _require_data(reading: SignedReading) -> None:
    if reading.role != "data":
        raise NotTrainingData(
            f"Reading {reading.uid} is of a {reading.role} case: those teach or test readers, and nothing is"
            " learned from them."
        )
    if reading.kind == "repeat":
        raise NotTrainingData(
            f"Reading {reading.uid} is a hidden repeat: it tells of its reader. Pass it as an anchor."
        )
    if any(completion.is_altered for completion in reading.completions):
        raise NotTrainingData(
            f"Reading {reading.uid} is of an output that was altered to test readers; nothing is learned from"
            " it."
        )


def _as_written(completion: JudgedCompletion) -> tuple[object, ...]:
    """All of a completion that is not a reader's word."""
    regions = tuple((step.uid, tuple(region.box for region in step.regions)) for step in completion.steps)
    sizes = (completion.image_size, completion.model_size, completion.box_frame)
    return (completion.prompt, completion.text, completion.is_malformed, *sizes, regions)


def _ratings_of(completion: JudgedCompletion, criterion: str) -> Iterator[tuple[str, int]]:
    if criterion == PLAUSIBILITY:
        for step in completion.steps:
            if step.plausibility is not None:
                yield step.uid, step.plausibility
    elif criterion in (given := completion.answer.given()):
        yield completion.uid, given[criterion]


def _verdicts_of(completion: JudgedCompletion) -> Iterator[tuple[str, str]]:
    for step in completion.steps:
        for number, region in enumerate(step.regions):
            if region.verdict is not None:
                yield region_name(step.uid, number), region.verdict


def _regions_of(reading: SignedReading) -> Iterator[tuple[str, Any]]:
    for completion in reading.completions:
        for step in completion.steps:
            for number, region in enumerate(step.regions):
                yield region_name(step.uid, number), region
