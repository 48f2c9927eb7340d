"""How the step scorer of a run was judged, laid out for a page: its rivals, and score against rating."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIDE = 120


@dataclass(frozen=True)
class Rival:
    """What a step's length or place alone would have said; `gain` is how much more it errs, squared."""

    name: str
    error: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Fifth:
    """Steps that were scored alike; x and y in pixels of the plot."""

    score: float
    rating: float
    num_steps: int
    x: float
    y: float


@dataclass(frozen=True)
class StepScoring:
    """`error`, `rivals` and `fifths` are empty where none could be judged."""

    sentence: str
    may_be_used: bool
    num_ratings: int
    num_readers: int
    num_patients: int
    seconds: float
    error: float | None
    rivals: tuple[Rival, ...]
    fifths: tuple[Fifth, ...]
    side: int = SIDE

    @property
    def line(self) -> str:
        return " ".join(f"{one.x},{one.y}" for one in self.fifths)


def step_scoring_of(about: Mapping[str, Any]) -> StepScoring | None:
    """Of what a run or a model's card keeps; None where no part of it asked for a scorer."""
    said = about.get("step_scorer")
    if not isinstance(said, dict):
        return None
    judged = said["judgement"] or {"error": None, "gains": {}, "baseline_errors": {}, "calibration": []}
    return StepScoring(
        sentence=said["sentence"],
        may_be_used=said["may_be_used"],
        num_ratings=said["num_ratings"],
        num_readers=said["num_readers"],
        num_patients=said["num_patients"],
        seconds=said["seconds"],
        error=judged["error"],
        rivals=tuple(
            Rival(name, judged["baseline_errors"][name], *three) for name, three in judged["gains"].items()
        ),
        fifths=tuple(
            Fifth(
                one["score"],
                one["rating"],
                one["num_steps"],
                round(SIDE * one["score"], 1),
                round(SIDE * (1 - one["rating"]), 1),
            )
            for one in judged["calibration"]
        ),
    )
