"""What the gate guards, by which margin, and what it found for each figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np

from inference.phantom_truth import ALL_LESIONS

# A model that ignores the film fits it no better than another one: 0 on average, against .6 to .8 seen.
LOOKS_FIGURE = "image_dependence"
_LOOKS = 0.2
_SAYS_REGARDLESS = frozenset(("constant_box", "hallucinated"))
# Recall of one kind of finding: of those that are there, the share that the answer names, side and all.
KIND_RECALL = {kind: f"{kind}_recall" for kind in (*ALL_LESIONS, "cardiomegaly")}


class Direction(StrEnum):
    """Which change of a figure harms: a fall, a rise, or a drift either way (relative to the parent)."""

    HIGHER_IS_BETTER = "higher_is_better"
    LOWER_IS_BETTER = "lower_is_better"
    SHOULD_NOT_DRIFT = "should_not_drift"


class Suite(StrEnum):
    """On which films a figure is measured: sealed ones, canaries, sealed ones against their twins, the
    reasoning steps on sealed ones, by a learned scorer where there is one, or films of sealed patients of the
    site, where readers have read some."""

    SEALED = "sealed"
    CANARIES = "canaries"
    TWINS = "twins"
    STEPS = "steps"
    PATIENTS = "patients"


class Verdict(StrEnum):
    """`held`: worse than the margin for sure. `unclear`: the interval reaches past the margin. `passes`: it
    does not. `too few`: the films show fewer findings of the kind, or rest on fewer patients, than the policy
    asks for, so it is shown and decides nothing. `shown`: it never decides anything."""

    PASSES = "passes"
    UNCLEAR = "unclear"
    HELD = "held"
    TOO_FEW = "too few"
    SHOWN = "shown"

    @property
    def tells(self) -> bool:
        """Whether it says anything of the candidate."""
        return self not in (Verdict.TOO_FEW, Verdict.SHOWN)


# Canaries and twins show what must not happen: nothing is gained on them.
GAINED_ON = (Suite.SEALED, Suite.STEPS, Suite.PATIENTS)
# What a policy that asks for a gain usually asks for, any one of it: right answers, findings named, regions,
# on drawn films and on the site's own, and steps as readers would rate them.
USUAL_GAINS = (
    "exact_answer",
    "lesion_recall",
    "lesion_iou",
    "step_score",
    "answer_fit",
    "confirmed_said",
    "confirmed_iou",
)


@dataclass(frozen=True)
class Guard:
    """One guarded figure and how much worse it may get; a drift's margin is a share of the parent's mean.

    `limit` is the most that a figure may be at all, asked only where the parent keeps it. With
    `only_for_sure` an unclear figure never holds. `fewest` above 0 is for recall of one kind: where a
    benchmark shows fewer findings of it, the figure is shown and decides nothing; so it is where the figure
    rests on fewer patients than `fewest_patients`, and with `only_shown` always.
    """

    figure: str
    label: str
    direction: Direction
    margin: float
    suite: Suite = Suite.SEALED
    limit: float | None = None
    only_for_sure: bool = False
    fewest: int = 0
    fewest_patients: int = 0
    only_shown: bool = False

    @property
    def may_be_gained(self) -> bool:
        """Whether a policy may ask for its improvement."""
        return (
            self.suite in GAINED_ON
            and self.direction is not Direction.SHOULD_NOT_DRIFT
            and not self.only_shown
            # Format is gained on sealed films or not at all: one name stands for one figure.
            and (self.suite is not Suite.PATIENTS or self.figure != "well_formed")
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **values,
                "direction": Direction(values["direction"]),
                "suite": Suite(values.get("suite", Suite.SEALED)),
            }
        )


@dataclass(frozen=True)
class Policy:
    """What a gate guards. Any change is another `number`: decisions keep the policy that they were made
    under. Of the figures in `required_gains`, of the suites in GAINED_ON, at least one must have improved for
    sure, where any is named.
    `preference_margin` is by how much less than a half readers may prefer the candidate."""

    number: int
    guards: tuple[Guard, ...]
    confidence: float = 0.95
    num_resamples: int = 2000
    seed: int = 7
    required_gains: tuple[str, ...] = ()
    preference_margin: float = 0.05

    def __post_init__(self) -> None:
        if not self.guards:
            raise ValueError("A policy guards at least one figure.")
        if not 0.5 <= self.confidence < 1:
            raise ValueError("The confidence of the intervals lies between 0.5 and 1, such as 0.95.")
        if not (math.isfinite(self.preference_margin) and 0 < self.preference_margin <= 0.5):
            raise ValueError("Readers' preference: a margin lies above 0 and is at most 0.5.")
        for guard in self.guards:
            if not (math.isfinite(guard.margin) and 0 < guard.margin <= 1):
                raise ValueError(f"{guard.label}: a margin lies above 0 and is at most 1.")
            if guard.limit is not None and not (math.isfinite(guard.limit) and guard.limit >= 0):
                raise ValueError(f"{guard.label}: a limit is a number from 0 up.")
            if guard.fewest < 0:
                raise ValueError(f"{guard.label}: the fewest findings are a number from 0 up.")
            if guard.fewest_patients < 0:
                raise ValueError(f"{guard.label}: the fewest patients are a number from 0 up.")
        unknown = set(self.required_gains) - {guard.figure for guard in self.guards if guard.may_be_gained}
        if unknown:
            raise ValueError(f"No guarded figure is called {', '.join(sorted(unknown))}: none can be gained.")

    def of(self, suite: Suite) -> tuple[Guard, ...]:
        """The guards of one suite."""
        return tuple(guard for guard in self.guards if guard.suite is suite)

    @property
    def gain_labels(self) -> tuple[str, ...]:
        """What has to improve, for a person."""
        labels = {guard.figure: guard.label for guard in self.guards if guard.may_be_gained}
        return tuple(labels[figure] for figure in self.required_gains)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "required_gains": list(self.required_gains)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Raises ValueError for what no gate could guard."""
        guards = tuple(Guard.from_json(guard) for guard in values["guards"])
        return cls(**{**values, "guards": guards, "required_gains": tuple(values.get("required_gains", ()))})


@dataclass(frozen=True)
class CaseScores:
    """One figure over cases: `values` and `weights` have one entry per case, in the same order for both
    versions.

    The figure is the weighted mean. A case in which the figure is undefined (recall without a lesion) weighs
    0; recall over all lesions is found / present with the number of lesions as weight.
    """

    values: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.weights):
            raise ValueError(
                f"{len(self.values)} values have {len(self.weights)} weights; give one for each case."
            )
        if (
            not np.isfinite(self.values).all()
            or not np.isfinite(self.weights).all()
            or min(self.weights, default=0) < 0
        ):
            raise ValueError("Values must be finite numbers, weights also at least 0.")


@dataclass(frozen=True)
class Comparison:
    """One guarded figure of candidate and parent. `difference` and its interval are shares for a drift.

    `counts_against` holds the candidate: the verdict is `held`, or it is `unclear` and the best estimate lies
    beyond the margin, or the candidate is past a `limit` that its parent keeps. `note` says what else there
    is to know, such as a limit that is not asked because the parent breaks it. `num_findings`, of recall by
    kind alone, says how many findings of the kind the films show; `num_patients`, of sealed patients alone,
    on how many of them the figure rests.
    """

    benchmark: str
    figure: str
    label: str
    direction: Direction
    margin: float
    parent: float
    candidate: float
    difference: float
    low: float
    high: float
    verdict: Verdict
    counts_against: bool
    num_cases: int
    suite: Suite = Suite.SEALED
    limit: float | None = None
    is_past_limit: bool = False
    note: str = ""
    num_findings: int | None = None
    num_patients: int | None = None

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def improved(self) -> bool:
        return self.verdict.tells and is_better(self.direction, low=self.low, high=self.high)


def is_better(direction: Direction, *, low: float, high: float) -> bool:
    """For sure: the whole interval of the change lies on the good side of none."""
    if direction is Direction.HIGHER_IS_BETTER:
        return low > 0
    return direction is Direction.LOWER_IS_BETTER and high < 0


def harm(direction: Direction, change: float) -> float:
    """How far a change goes the wrong way; negative for an improvement."""
    if direction is Direction.HIGHER_IS_BETTER:
        return -change
    return change if direction is Direction.LOWER_IS_BETTER else abs(change)


def is_blind(against: Iterable[tuple[str, float]]) -> bool:
    """Whether a candidate answers without looking at the film: `against` are the figures that hold it, each
    with its own value. One that only names less fits the film shown less, too, so it has to say what is not
    there, or to draw in one place."""
    held = dict(against)
    return LOOKS_FIGURE in held and held[LOOKS_FIGURE] < _LOOKS and bool(held.keys() & _SAYS_REGARDLESS)
