"""The small changes of which a reading is made, each saved by itself the moment the reader makes it."""

import uuid
from dataclasses import dataclass
from typing import Literal

from deepmedix_review.reviews.models import AnswerRating, Reading, RegionAnnotation, Vote

Box = tuple[float, float, float, float]
# Before the completions are shown, and the change of mind after.
FirstReadMoment = Literal["first", "after_reveal"]
CriterionValue = int | str | tuple[int | str, ...]


@dataclass(frozen=True)
class RateStep:
    """Plausibility 1 to 5, or None; `cannot_judge` stands in its place.

    `edited_text` is the step as the reader would write it; empty, as it is.
    """

    step: uuid.UUID
    plausibility: int | None
    cannot_judge: bool
    note: str
    edited_text: str = ""


@dataclass(frozen=True)
class AnnotateRegion:
    """The box, in film pixels, belongs to the verdict "adjusted" alone. No verdict clears the annotation."""

    region: uuid.UUID
    verdict: RegionAnnotation.Verdict | None
    box: Box | None


@dataclass(frozen=True)
class RateAnswer:
    """Each 1 to 5, or None; no harm said is empty. `rewrite` is the answer as the reader would write it."""

    completion: uuid.UUID
    relevance: int | None
    correctness: int | None
    completeness: int | None
    harm: AnswerRating.Harm | Literal[""] = ""
    rewrite: str = ""


@dataclass(frozen=True)
class CastVote:
    """No side takes the vote back."""

    side: Vote.Side | None
    kind: Vote.Kind = Vote.Kind.OVERALL


@dataclass(frozen=True)
class DrawRegion:
    """A region of the reader's own, for one step, one missed finding or the first read.

    The client makes the uid: sent again it moves the region, and without a box it takes it away.
    """

    uid: uuid.UUID
    step: uuid.UUID | None
    missed_finding: uuid.UUID | None
    first_read: FirstReadMoment | None
    box: Box | None


@dataclass(frozen=True)
class AddFinding:
    """What a completion should have named. No text takes the finding away, and its regions with it."""

    uid: uuid.UUID
    completion: uuid.UUID
    text: str | None


@dataclass(frozen=True)
class RateCriterion:
    """The answer to a criterion of the reader study's own; no value takes it back."""

    criterion: uuid.UUID
    completion: uuid.UUID | None
    step: uuid.UUID | None
    region: uuid.UUID | None
    value: CriterionValue | None


@dataclass(frozen=True)
class SayFirstRead:
    """What the reader sees on the film alone, or the change of mind after the reveal."""

    is_after_reveal: bool
    choice: str
    findings: tuple[str, ...]
    impression: str
    confidence: int | None


@dataclass(frozen=True)
class Look:
    """One of the film's windows and tables, or its whole range: its place among them, and its name."""

    index: int
    name: str
    curve: Reading.Curve


@dataclass(frozen=True)
class SetWindow:
    """The window the reader looks through, on one of the film's looks; None is the first.

    In the film's stored values after rescale, or, on a table, in what the table puts out.
    """

    center: float
    width: float
    inverted: bool
    look: Look | None = None


@dataclass(frozen=True)
class MeasureLines:
    """The lines that the reader measures on the film, in their order: from x, y to x, y in film pixels."""

    lines: tuple[Box, ...]


@dataclass(frozen=True)
class AddActiveTime:
    seconds: int


Change = (
    RateStep
    | AnnotateRegion
    | RateAnswer
    | CastVote
    | DrawRegion
    | AddFinding
    | RateCriterion
    | SayFirstRead
    | SetWindow
    | MeasureLines
    | AddActiveTime
)

KINDS: dict[type[Change], str] = {
    RateStep: "rate_step",
    AnnotateRegion: "annotate_region",
    RateAnswer: "rate_answer",
    CastVote: "cast_vote",
    DrawRegion: "draw_region",
    AddFinding: "add_finding",
    RateCriterion: "rate_criterion",
    SayFirstRead: "say_first_read",
    SetWindow: "set_window",
    MeasureLines: "measure_lines",
    AddActiveTime: "add_active_time",
}
