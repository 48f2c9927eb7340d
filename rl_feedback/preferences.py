"""Turns signed readings into training data: pairs of a better and a worse text, and single judgements.

Three origins of a pair: the reader's vote; one completion rated higher than the other; and a completion with
its regions corrected by the reader against the same completion as the model wrote it. What gives no pair is
listed with its reason. The same readings give the same lines and the same sha256, in whatever order they
come.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Literal

from rl_feedback.corrections import CorrectionRefused, corrected_text, overlap
from rl_feedback.readings import JudgedCompletion, JudgedRegion, SignedReading

Origin = Literal["vote", "rating", "region"]

# Points on the five-point scale by which one completion must be rated higher; 0.5 weighs .125 of a clear
# vote.
LEAST_MARGIN = 0.5
# A pair weighs 1 when it is as sure as a vote; below this it is noise (the pair weight's floor in
# CheXalign-style aggregation, 2 * (P(chosen > rejected) - .5) < .1).
LEAST_WEIGHT = 0.1


@dataclass(frozen=True)
class Pair:
    """The same film and prompt, two texts, and which is better. `completion` is the chosen one, or, for a
    corrected text, its original. `weight` in (0, 1]."""

    origin: Origin
    reading: str
    completion: str
    prompt: str
    chosen: str
    rejected: str
    weight: float


@dataclass(frozen=True)
class Label:
    """A judgement of one completion (`step` None) or one step of it, scaled to [0, 1]."""

    reading: str
    completion: str
    step: str | None
    criterion: str
    value: float


@dataclass(frozen=True)
class LeftOut:
    """What gave no pair, and why, in a sentence for a person."""

    reading: str
    origin: Origin
    reason: str


@dataclass(frozen=True)
class Preferences:
    """Everything that a set of readings teaches, in canonical order."""

    pairs: tuple[Pair, ...]
    labels: tuple[Label, ...]
    left_out: tuple[LeftOut, ...]

    def lines(self) -> Iterator[str]:
        """Canonical JSON lines: sorted keys, no spaces, ASCII; weights and values to 6 decimals."""
        for kind, rows in (("pair", self.pairs), ("label", self.labels)):
            for row in rows:
                yield _canonical({"kind": kind, **asdict(row)})

    @property
    def sha256(self) -> str:
        """Of the canonical lines, each ended by a line feed."""
        digest = hashlib.sha256()
        for line in self.lines():
            digest.update(line.encode("ascii") + b"\n")
        return digest.hexdigest()


def gather_preferences(readings: Iterable[SignedReading]) -> Preferences:
    """Pairs, labels and what was left out of the given readings; see the module's sentence."""
    pairs: list[Pair] = []
    labels: list[Label] = []
    left_out: list[LeftOut] = []
    for reading in readings:
        for found in _pairs_of(reading):
            (pairs if isinstance(found, Pair) else left_out).append(found)  # type: ignore[arg-type]
        labels.extend(_labels_of(reading))
    return Preferences(
        pairs=tuple(sorted(pairs, key=lambda row: _canonical(asdict(row)))),
        labels=tuple(sorted(labels, key=lambda row: _canonical(asdict(row)))),
        left_out=tuple(sorted(left_out, key=lambda row: _canonical(asdict(row)))),
    )


def _pairs_of(reading: SignedReading) -> Iterator[Pair | LeftOut]:
    if reading.completion_b is not None:
        yield from _pairs_between(reading, reading.completion_a, reading.completion_b)
    for completion in reading.completions:
        yield from _pairs_of_correction(reading, completion)


def _pairs_between(
    reading: SignedReading, a: JudgedCompletion, b: JudgedCompletion
) -> Iterator[Pair | LeftOut]:
    """At most one pair of two completions: the vote decides, the ratings where there is no vote or a tie.

    None where the reader finds both bad, however far apart the ratings lie.
    """
    if reading.vote == "both_bad":
        yield LeftOut(reading.uid, "vote", "The reader finds both bad, so neither is an example to follow.")
        return
    if reading.vote in ("a", "b"):
        chosen, rejected = (a, b) if reading.vote == "a" else (b, a)
        yield _pair(reading, "vote", chosen, rejected, weight=1.0)
    elif reading.vote == "tie":
        yield LeftOut(reading.uid, "vote", "The vote is a tie.")
    margin = _margin(a, b)
    if margin is None:
        yield LeftOut(reading.uid, "rating", "One of the two completions has no rating.")
    elif abs(margin) < LEAST_MARGIN:
        yield LeftOut(reading.uid, "rating", f"The ratings differ by less than {LEAST_MARGIN:g} points.")
    elif reading.vote in ("a", "b"):
        agree = (margin > 0) == (reading.vote == "a")
        reason = "The vote says the same." if agree else "The vote contradicts the ratings; the vote stands."
        yield LeftOut(reading.uid, "rating", reason)
    else:
        chosen, rejected = (a, b) if margin > 0 else (b, a)
        yield _pair(reading, "rating", chosen, rejected, weight=abs(margin) / 4)


def _margin(a: JudgedCompletion, b: JudgedCompletion) -> float | None:
    """How much higher a is rated than b, in points of the five-point scale."""
    mean_a, mean_b = a.mean_rating(), b.mean_rating()
    return None if mean_a is None or mean_b is None else mean_a - mean_b


def _pair(
    reading: SignedReading,
    origin: Origin,
    chosen: JudgedCompletion,
    rejected: JudgedCompletion,
    *,
    weight: float,
) -> Pair | LeftOut:
    if chosen.is_malformed:
        return LeftOut(
            reading.uid, origin, "The preferred completion is malformed, so it is no example to follow."
        )
    if chosen.text == rejected.text:
        return LeftOut(reading.uid, origin, "Both completions say the same.")
    if chosen.prompt != rejected.prompt:
        return LeftOut(reading.uid, origin, "The two completions answer different questions.")
    return Pair(origin, reading.uid, chosen.uid, chosen.prompt, chosen.text, rejected.text, round(weight, 6))


def _pairs_of_correction(reading: SignedReading, completion: JudgedCompletion) -> Iterator[Pair | LeftOut]:
    regions = [region for step in completion.steps for region in step.regions]
    if all(region.verdict in ("fits", None) for region in regions):
        return
    if completion.is_malformed:
        yield LeftOut(
            reading.uid, "region", "The corrected completion is malformed, so it is no example to follow."
        )
        return
    weight = round(max(_correction(region) for region in regions), 6)
    if weight < LEAST_WEIGHT:
        yield LeftOut(
            reading.uid, "region", f"The correction moved no region by more than {LEAST_WEIGHT:.0%}."
        )
        return
    try:
        chosen = corrected_text(completion)
    except CorrectionRefused as refusal:
        yield LeftOut(reading.uid, "region", str(refusal))
        return
    if chosen == completion.text:
        yield LeftOut(
            reading.uid, "region", "In the model's own whole pixels the corrected regions are the same."
        )
        return
    yield Pair("region", reading.uid, completion.uid, completion.prompt, chosen, completion.text, weight)


def _correction(region: JudgedRegion) -> float:
    """How wrong the region was: 0 where it fits, 1 where it is wrong, else 1 - IoU with the corrected one."""
    if region.verdict == "wrong":
        return 1.0
    return 0.0 if region.adjusted is None else 1 - overlap(region.box, region.adjusted)


def _labels_of(reading: SignedReading) -> Iterator[Label]:
    for completion in reading.completions:
        for criterion, rating in completion.answer.given().items():
            yield Label(reading.uid, completion.uid, None, criterion, _share(rating))
        for step in completion.steps:
            if step.plausibility is not None:
                yield Label(reading.uid, completion.uid, step.uid, "plausibility", _share(step.plausibility))
            judged = [region for region in step.regions if region.verdict is not None]
            if judged:
                grounding = round(fmean(1 - _correction(region) for region in judged), 6)
                yield Label(reading.uid, completion.uid, step.uid, "grounding", grounding)


def _share(rating: int) -> float:
    return (rating - 1) / 4


def _canonical(row: dict[str, object]) -> str:
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
