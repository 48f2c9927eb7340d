"""What one reader said of one case, as training data sees it: the texts, and every judgement of them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from inference.regions import Box

Side = Literal["a", "b"]


@dataclass(frozen=True)
class JudgedRegion:
    """A region of a step and the reader's verdict. Boxes in film pixels; `adjusted` only with that
    verdict."""

    box: Box
    verdict: Literal["fits", "adjusted", "wrong"] | None
    adjusted: Box | None = None


@dataclass(frozen=True)
class JudgedStep:
    """One reasoning step; `plausibility` 1 to 5, None where the reader could not judge or did not."""

    uid: str
    plausibility: int | None
    regions: tuple[JudgedRegion, ...] = ()


@dataclass(frozen=True)
class JudgedAnswer:
    """The three ratings of an answer, 1 to 5, None where not given."""

    relevance: int | None = None
    correctness: int | None = None
    completeness: int | None = None

    def given(self) -> dict[str, int]:
        ratings = {
            "relevance": self.relevance,
            "correctness": self.correctness,
            "completeness": self.completeness,
        }
        return {name: value for name, value in ratings.items() if value is not None}


@dataclass(frozen=True)
class JudgedCompletion:
    """A completion as a reader saw it. Sizes are (width, height) in pixels, `box_frame` as in
    inference.regions."""

    uid: str
    prompt: str
    text: str
    is_malformed: bool
    image_size: tuple[int, int]
    model_size: tuple[int, int]
    box_frame: str
    steps: tuple[JudgedStep, ...]
    answer: JudgedAnswer

    def mean_rating(self) -> float | None:
        """The mean, 1 to 5, of the answer's mean rating and the steps' mean plausibility; None without
        either."""
        parts = [
            list(self.answer.given().values()),
            [s.plausibility for s in self.steps if s.plausibility is not None],
        ]
        means = [fmean(part) for part in parts if part]
        return fmean(means) if means else None


@dataclass(frozen=True)
class SignedReading:
    """One signed reading of a case with one or two completions; `vote` names the better side overall.

    "both_bad" is no tie: neither is of use, so neither is an example to follow.
    """

    uid: str
    completion_a: JudgedCompletion
    completion_b: JudgedCompletion | None
    vote: Side | Literal["tie", "both_bad"] | None

    @property
    def completions(self) -> tuple[JudgedCompletion, ...]:
        return (self.completion_a,) if self.completion_b is None else (self.completion_a, self.completion_b)
