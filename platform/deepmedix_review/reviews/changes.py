"""The small changes of which a reading is made, each saved by itself the moment the reader makes it."""

import uuid
from dataclasses import dataclass

from deepmedix_review.reviews.models import RegionAnnotation, Vote

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class RateStep:
    """Plausibility 1 to 5, or None; `cannot_judge` stands in its place."""

    step: uuid.UUID
    plausibility: int | None
    cannot_judge: bool
    note: str


@dataclass(frozen=True)
class AnnotateRegion:
    """The box, in film pixels, belongs to the verdict "adjusted" alone. No verdict clears the annotation."""

    region: uuid.UUID
    verdict: RegionAnnotation.Verdict | None
    box: Box | None


@dataclass(frozen=True)
class RateAnswer:
    """Each 1 to 5, or None."""

    completion: uuid.UUID
    relevance: int | None
    correctness: int | None
    completeness: int | None


@dataclass(frozen=True)
class CastVote:
    """No side takes the vote back."""

    side: Vote.Side | None


@dataclass(frozen=True)
class SetWindow:
    """The window the reader looks through, in the film's stored values after rescale."""

    center: float
    width: float
    inverted: bool


@dataclass(frozen=True)
class AddActiveTime:
    seconds: int


Change = RateStep | AnnotateRegion | RateAnswer | CastVote | SetWindow | AddActiveTime

KINDS: dict[type[Change], str] = {
    RateStep: "rate_step",
    AnnotateRegion: "annotate_region",
    RateAnswer: "rate_answer",
    CastVote: "cast_vote",
    SetWindow: "set_window",
    AddActiveTime: "add_active_time",
}
