"""What one reader said of one case, as training data sees it: the texts, and every judgement of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inference.regions import Box

Vote = Literal["a", "b", "tie", "both_bad"]
Verdict = Literal["fits", "adjusted", "wrong"]
CRITERIA = ("relevance", "correctness", "completeness")
# Points up to which a step without any right region is one that its reader would not have written.
MOST_IMPLAUSIBLE = 2


@dataclass(frozen=True)
class JudgedRegion:
    """A region of a step and the reader's verdict. Boxes in film pixels; `adjusted` only with that verdict.

    `known` is the right verdict where somebody made the region wrong on purpose, to test readers.
    """

    box: Box
    verdict: Verdict | None
    adjusted: Box | None = None
    known: Verdict | None = None


@dataclass(frozen=True)
class JudgedStep:
    """One reasoning step; `plausibility` 1 to 5, None where the reader could not judge or did not.

    `edited_text` is the step as the reader would write it, empty as it is; `drawn` are regions that the
    reader added to it.
    """

    uid: str
    plausibility: int | None
    regions: tuple[JudgedRegion, ...] = ()
    edited_text: str = ""
    drawn: tuple[Box, ...] = ()

    @property
    def goes(self) -> bool:
        """Whether the reader would have the step gone: it points at nothing right, is not plausible, and is
        left without other words."""
        is_implausible = self.plausibility is None or self.plausibility <= MOST_IMPLAUSIBLE
        points_nowhere = bool(self.regions) and all(region.verdict == "wrong" for region in self.regions)
        return points_nowhere and is_implausible and not self.edited_text and not self.drawn


@dataclass(frozen=True)
class JudgedAnswer:
    """The three ratings of an answer, 1 to 5, None where not given; `rewrite` as the reader would write it,
    empty as it is."""

    relevance: int | None = None
    correctness: int | None = None
    completeness: int | None = None
    rewrite: str = ""

    def given(self) -> dict[str, int]:
        ratings = {name: getattr(self, name) for name in CRITERIA}
        return {name: value for name, value in ratings.items() if value is not None}


@dataclass(frozen=True)
class MissedFinding:
    """A finding that the completion should have named, and where the reader saw it, in film pixels."""

    text: str
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class FindingWord:
    """What a judge says who was asked whether a finding that readers struck out is there; None: can't tell.
    `finding` is its kind, as the rules that read reports name it."""

    finding: str
    is_there: bool | None


@dataclass(frozen=True)
class JudgedCompletion:
    """A completion as a reader saw it. Sizes are (width, height) in pixels, `box_frame` as in
    inference.regions. `is_altered`: made wrong on purpose, to test readers. `model`: which one wrote it,
    empty where that is not known; what it makes up is counted apart from what others do."""

    uid: str
    prompt: str
    text: str
    is_malformed: bool
    image_size: tuple[int, int]
    model_size: tuple[int, int]
    box_frame: str
    steps: tuple[JudgedStep, ...]
    answer: JudgedAnswer
    missed: tuple[MissedFinding, ...] = ()
    is_altered: bool = False
    model: str = ""

    @property
    def is_reworded(self) -> bool:
        """Whether the reader would write or point otherwise than the model did, beyond moving its regions."""
        of_steps = any(step.edited_text or step.drawn or step.goes for step in self.steps)
        return bool(of_steps or self.missed or self.answer.rewrite)


@dataclass(frozen=True)
class SignedReading:
    """One signed reading of a case with one or two completions; `vote` names the better side overall.

    "both_bad" is no tie: neither is of use, so neither is an example to follow. `reader` and `patient` are
    names that mean nothing outside; `film` is the film's file, where that is of use. `kind` and `role` say
    why the case was read: only first readings and adjudications of data are data. `findings`: of an
    adjudication alone, what it was asked of findings in doubt.
    """

    uid: str
    reader: str
    patient: str
    completion_a: JudgedCompletion
    completion_b: JudgedCompletion | None = None
    vote: Vote | None = None
    kind: Literal["first", "repeat", "adjudication"] = "first"
    role: Literal["data", "training", "calibration", "control"] = "data"
    film: str = ""
    findings: tuple[FindingWord, ...] = ()

    @property
    def completions(self) -> tuple[JudgedCompletion, ...]:
        return (self.completion_a,) if self.completion_b is None else (self.completion_a, self.completion_b)
