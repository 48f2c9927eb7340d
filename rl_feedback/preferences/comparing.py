"""Pairs of two completions that readers saw side by side: by votes, by ratings, and by their first differing
step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

import scipy

from inference.grounding import parse_completion
from inference.regions import Frame
from rl_feedback.preferences.ground import Judged
from rl_feedback.preferences.readers import Readers
from rl_feedback.preferences.rows import LEAST_WEIGHT, Dispute, Label, LeftOut, Origin, Pair
from rl_feedback.preferences.words import Comparison, Corpus
from rl_feedback.readings import JudgedCompletion

# Points on the five-point scale by which one text must be rated higher than the other.
LEAST_MARGIN = 0.5
VOTE = "vote"


def pairs_by_comparing(
    corpus: Corpus, readers: Readers, judged: Mapping[str, Judged]
) -> Iterator[Pair | LeftOut | Dispute]:
    for both, comparisons in corpus.comparisons.items():
        voted: Pair | None = None
        for row in _by_votes(corpus, readers, judged, both, comparisons):
            voted = row if isinstance(row, Pair) else voted
            yield row
        if not _is_both_bad(_standing(comparisons)):
            yield from _by_ratings(corpus, judged, both, comparisons, voted)
            yield from _by_steps(corpus, judged, both)


def _standing(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The votes that count: those of adjudications, unless they contradict each other."""
    cast = tuple(one for one in comparisons if one.vote)
    settling = tuple(one for one in cast if one.reading.kind == "adjudication")
    return settling if len({one.vote for one in settling}) == 1 else cast


def _is_both_bad(votes: Sequence[Comparison]) -> bool:
    """At least half of the readers who voted find both bad."""
    return bool(votes) and 2 * sum(one.vote == "both_bad" for one in votes) >= len(votes)


def _by_votes(
    corpus: Corpus,
    readers: Readers,
    judged: Mapping[str, Judged],
    both: tuple[str, str],
    comparisons: Sequence[Comparison],
) -> Iterator[Pair | LeftOut | Dispute]:
    votes = _standing(comparisons)
    if not votes:
        return
    behind = _readings_of(votes)
    if _is_both_bad(votes):
        reason = "Readers find both outputs bad, so neither is an example to follow."
        yield LeftOut("vote", both[0], reason, behind)
        return
    found = readers.votes.between(*both)
    if found.is_disputed:
        reason = "The votes contradict each other: they prefer different outputs."
        yield Dispute(both[0], None, VOTE, reason, behind)
        return
    weight = 2 * abs(found.probability - 0.5)
    if weight < LEAST_WEIGHT:
        yield LeftOut("vote", both[0], "The votes name no better output.", behind)
        return
    chosen, rejected = both if found.probability > 0.5 else both[::-1]
    yield _pair(
        corpus,
        judged,
        "vote",
        chosen,
        rejected,
        probability=0.5 + weight / 2,
        variance=found.variance,
        num_readers=len({one.reading.reader for one in votes}),
        num_effective_readers=found.num_effective_readers,
        readings=behind,
    )


def _by_ratings(
    corpus: Corpus,
    judged: Mapping[str, Judged],
    both: tuple[str, str],
    comparisons: Sequence[Comparison],
    voted: Pair | None,
) -> Iterator[Pair | LeftOut]:
    labels = [judged[uid].overall() for uid in both]
    behind = _readings_of(comparisons)
    if labels[0] is None or labels[1] is None:
        disputed = any(row for uid in both for row in judged[uid].disputes)
        reason = "Readers contradict each other on an output." if disputed else "An output has no rating."
        yield LeftOut("rating", both[0], reason, behind)
        return
    better = _better(labels[0], labels[1])
    if better is None:
        yield LeftOut("rating", both[0], f"The ratings differ by less than {LEAST_MARGIN:g} points.", behind)
        return
    place, probability = better
    chosen, rejected = both[place], both[1 - place]
    if voted is not None:
        agree = voted.completion == chosen
        reason = "The vote says the same." if agree else "The vote contradicts the ratings; the vote stands."
        yield LeftOut("rating", chosen, reason, behind)
        return
    yield _pair(
        corpus,
        judged,
        "rating",
        chosen,
        rejected,
        probability=probability,
        variance=labels[0].variance + labels[1].variance,
        num_readers=min(label.num_readers for label in labels if label),
        num_effective_readers=min(label.num_effective_readers for label in labels if label),
        readings=tuple(sorted({*labels[0].readings, *labels[1].readings})),
    )


def _by_steps(corpus: Corpus, judged: Mapping[str, Judged], both: tuple[str, str]) -> Iterator[Pair]:
    """The first steps in which two completions differ, where the one is more plausible than the other."""
    texts = [corpus.completion(uid) for uid in both]
    if any(one.is_malformed for one in texts) or texts[0].prompt != texts[1].prompt:
        return
    if not _count_alike(*texts):
        return
    parsed = [parse_completion(one.text).steps for one in texts]
    if any(len(one.steps) != len(steps) for one, steps in zip(texts, parsed, strict=True)):
        return
    same = len(list(takewhile(lambda two: two[0].text == two[1].text, zip(*parsed, strict=False))))
    if same >= min(map(len, parsed)):
        return
    prefixes = {one.text[: steps[same].span[0]] for one, steps in zip(texts, parsed, strict=True)}
    labels = [judged[uid].plausibility(one.steps[same].uid) for uid, one in zip(both, texts, strict=True)]
    if len(prefixes) > 1 or labels[0] is None or labels[1] is None:
        return
    better = _better(labels[0], labels[1])
    if better is None:
        return
    place, probability = better
    weight = 2 * (probability - 0.5)
    yield Pair(
        origin="step",
        completion=both[place],
        rejected_completion=both[1 - place],
        step=texts[place].steps[same].uid,
        prompt=texts[0].prompt,
        prefix=prefixes.pop(),
        chosen=parsed[place][same].text,
        rejected=parsed[1 - place][same].text,
        weight=weight,
        probability=probability,
        variance=labels[0].variance + labels[1].variance,
        num_readers=min(label.num_readers for label in labels if label),
        num_effective_readers=min(label.num_effective_readers for label in labels if label),
        split=judged[both[0]].split,
        readings=tuple(sorted({*labels[0].readings, *labels[1].readings})),
    )


def _better(one: Label, other: Label) -> tuple[int, float] | None:
    """Which of the two deserves more, by its place, and how likely that is; None where they are too close."""
    apart = one.value - other.value
    if abs(apart) < LEAST_MARGIN / 4:
        return None
    spread = (one.variance + other.variance) ** 0.5
    probability = float(scipy.stats.norm.cdf(abs(apart) / spread)) if spread > 0 else 1.0
    if 2 * (probability - 0.5) < LEAST_WEIGHT:
        return None
    return (0 if apart > 0 else 1), probability


def _pair(
    corpus: Corpus,
    judged: Mapping[str, Judged],
    origin: Origin,
    chosen: str,
    rejected: str,
    *,
    probability: float,
    variance: float,
    num_readers: int,
    num_effective_readers: float,
    readings: tuple[str, ...],
) -> Pair | LeftOut:
    good, bad = corpus.completion(chosen), corpus.completion(rejected)
    reason = _unfit(good, bad)
    if reason:
        return LeftOut(origin, chosen, reason, readings)
    return Pair(
        origin=origin,
        completion=chosen,
        rejected_completion=rejected,
        step=None,
        prompt=good.prompt,
        prefix="",
        chosen=good.text,
        rejected=bad.text,
        weight=2 * (probability - 0.5),
        probability=probability,
        variance=variance,
        num_readers=num_readers,
        num_effective_readers=num_effective_readers,
        split=judged[chosen].split,
        readings=readings,
    )


def _unfit(chosen: JudgedCompletion, rejected: JudgedCompletion) -> str:
    if chosen.is_malformed:
        return "The preferred output is malformed, so it is no example to follow."
    if chosen.text == rejected.text:
        return "Both outputs say the same."
    if chosen.prompt != rejected.prompt:
        return "The two outputs answer different questions."
    if not _count_alike(chosen, rejected):
        return (
            "The two outputs count their regions in different coordinates, so no model can learn from both."
        )
    return ""


def _count_alike(one: JudgedCompletion, other: JudgedCompletion) -> bool:
    """Whether the same numbers mean the same place in both texts; where neither names a region they do."""

    def counting(completion: JudgedCompletion) -> tuple[str, tuple[int, int] | None]:
        size = completion.model_size if completion.box_frame == Frame.PROCESSED else None
        return completion.box_frame, size

    if counting(one) == counting(other):
        return True
    return not any(step.boxes for text in (one.text, other.text) for step in parse_completion(text).steps)


def _readings_of(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    return tuple(sorted({one.reading.uid for one in comparisons}))
