"""What the gate guards, by which margin, and what it found for each figure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Any, Self

import numpy as np

from inference.phantom_truth import ALL_LESIONS

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


# Wide enough that chance seldom holds one of so many figures, narrow enough that a kind of which a third is
# lost is caught: docs/reference/gate.md has the shares.
KIND_MARGIN = 0.15
FEWEST_OF_A_KIND = 30

_FIRST_GUARDS = (
    Guard("lesion_recall", "Lesion recall", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("lesion_iou", "Lesion region IoU", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("heart_iou", "Heart region IoU", Direction.HIGHER_IS_BETTER, 0.02),
    Guard("finding_precision", "Finding precision", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("finding_f1", "Finding F1", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("exact_answer", "Exact answers", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("well_formed", "Format", Direction.HIGHER_IS_BETTER, 0.01),
    Guard("hallucinated", "Hallucinated findings", Direction.LOWER_IS_BETTER, 0.03),
    Guard("num_characters", "Answer length", Direction.SHOULD_NOT_DRIFT, 0.15),
)


def _cited(figure: str, label: str) -> Guard:
    return Guard(
        figure,
        label,
        Direction.LOWER_IS_BETTER,
        0.25,
        suite=Suite.CANARIES,
        limit=0.0,
        only_for_sure=True,
    )


def _canary(figure: str, label: str) -> Guard:
    return Guard(figure, label, Direction.HIGHER_IS_BETTER, 0.1, suite=Suite.CANARIES)


def _gap(figure: str, label: str) -> Guard:
    return Guard(figure, label, Direction.LOWER_IS_BETTER, 0.05, suite=Suite.TWINS, only_for_sure=True)


def _with_kinds(guards: tuple[Guard, ...]) -> tuple[Guard, ...]:
    """Recall of each kind stands behind lesion recall."""
    kinds = tuple(
        Guard(
            figure,
            f"{kind.capitalize()} recall",
            Direction.HIGHER_IS_BETTER,
            KIND_MARGIN,
            fewest=FEWEST_OF_A_KIND,
        )
        for kind, figure in KIND_RECALL.items()
    )
    return tuple(
        chain.from_iterable(
            (guard, *kinds) if (guard.suite, guard.figure) == (Suite.SEALED, "lesion_recall") else (guard,)
            for guard in guards
        )
    )


def _with_pieces(guards: tuple[Guard, ...]) -> tuple[Guard, ...]:
    """What is cited on chests in pieces stands behind what is cited on hands."""
    pieces = _cited("shuffled_cited", "Findings cited on chests in pieces")
    return tuple(
        chain.from_iterable(
            (guard, pieces) if guard.figure == "other_part_cited" else (guard,) for guard in guards
        )
    )


# Of sealed patients that readers have read, until a figure on them may hold a candidate.
FEWEST_PATIENTS = 30


def _on_patients(
    figure: str, label: str, direction: Direction, margin: float, *, holds: bool = True
) -> Guard:
    """Only for sure: some tens of patients can't tell a small loss from chance."""
    return Guard(
        figure,
        label,
        direction,
        margin,
        suite=Suite.PATIENTS,
        only_for_sure=True,
        fewest_patients=FEWEST_PATIENTS,
        only_shown=not holds,
    )


_PATIENTS = (
    _on_patients("confirmed_said", "Confirmed findings said", Direction.HIGHER_IS_BETTER, 0.05),
    _on_patients(
        "added_said",
        "Findings said that readers had to add",
        Direction.HIGHER_IS_BETTER,
        0.05,
        holds=False,
    ),
    _on_patients("confirmed_iou", "Region IoU with readers' regions", Direction.HIGHER_IS_BETTER, 0.05),
    _on_patients("struck_said", "Struck findings said again", Direction.LOWER_IS_BETTER, 0.05),
    _on_patients("denied_said", "Findings said that readers let be denied", Direction.LOWER_IS_BETTER, 0.05),
    _on_patients("answer_fit", "Answers as readers would have them", Direction.HIGHER_IS_BETTER, 0.05),
    _on_patients(
        "unjudged", "Findings that no reader judged, a film", Direction.LOWER_IS_BETTER, 1.0, holds=False
    ),
    _on_patients("well_formed", "Format", Direction.HIGHER_IS_BETTER, 0.02),
    _on_patients("num_boxes", "Regions drawn", Direction.SHOULD_NOT_DRIFT, 0.25),
    _on_patients("num_characters", "Answer length", Direction.SHOULD_NOT_DRIFT, 0.25),
)

# The margins are those within which two equally good models differ by chance, on 200 films of each site.
_POLICIES = (
    Policy(number=1, guards=_FIRST_GUARDS),
    Policy(
        number=2,
        guards=(
            *_FIRST_GUARDS,
            Guard("omitted", "Omitted findings", Direction.LOWER_IS_BETTER, 0.03),
            Guard("negation_flips", "Negation flips", Direction.LOWER_IS_BETTER, 0.03),
            Guard("reversed", "True statements reversed", Direction.LOWER_IS_BETTER, 0.05),
            Guard("laterality_flips", "Laterality flips", Direction.LOWER_IS_BETTER, 0.02),
            Guard("num_boxes", "Regions drawn", Direction.SHOULD_NOT_DRIFT, 0.25),
            Guard("constant_box", "Regions in one place", Direction.LOWER_IS_BETTER, 0.05),
            # The shipped model cites 1.2 findings on a blank film and 2.0 on a hand.
            _cited("blank_cited", "Findings cited on blank films"),
            _cited("other_part_cited", "Findings cited on hands"),
            _canary("mirrored_sides", "Sides that follow a mirrored film"),
            _canary("image_dependence", "Fit to the film shown"),
            _gap("exact_answer", "Exact answers, sealed films over twins"),
            _gap("finding_f1", "Finding F1, sealed films over twins"),
            _gap("lesion_recall", "Lesion recall, sealed films over twins"),
        ),
    ),
)
_WITH_STEPS = replace(
    _POLICIES[-1],
    number=3,
    guards=(
        *_POLICIES[-1].guards,
        Guard(
            "step_score",
            "Weakest step, as readers would rate it",
            Direction.HIGHER_IS_BETTER,
            0.03,
            suite=Suite.STEPS,
        ),
    ),
)
_WITH_KINDS = replace(_WITH_STEPS, number=4, guards=_with_kinds(_WITH_STEPS.guards))
_WITH_PIECES = replace(_WITH_KINDS, number=5, guards=_with_pieces(_WITH_KINDS.guards))
POLICIES = (
    *_POLICIES,
    _WITH_STEPS,
    _WITH_KINDS,
    _WITH_PIECES,
    replace(_WITH_PIECES, number=6, guards=(*_WITH_PIECES.guards, *_PATIENTS)),
)
POLICY = POLICIES[-1]


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
