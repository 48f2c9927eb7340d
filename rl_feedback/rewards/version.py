"""The versions of our reward: what each part weighs, where its limits are, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class RewardVersion:
    """What a reward is made of. A trained model names its version, so a version never changes: another
    weight is another version.

    The four weights sum to 1. A completion of more than `max_characters` loses reward, down to nothing at
    twice as many; more than `max_boxes` boxes earn nothing for regions. `label_share` is what rule labels
    count within the answer of a report, the rest is its wording; a finding that is absent and said to be so
    counts `absent_weight` of one that is there. With `forgives_spread` a box is right anywhere within the
    spread of the experts' own boxes; with `weakest_step` the steps are worth what the weakest of them is,
    without it what they are on the mean.
    """

    name: str
    format: float
    answer: float
    regions: float
    steps: float
    max_characters: int
    max_boxes: int
    label_share: float
    absent_weight: float
    source: str
    forgives_spread: bool = False
    weakest_step: bool = False

    def __post_init__(self) -> None:
        weights = (self.format, self.answer, self.regions, self.steps)
        if min(weights) < 0 or not math.isclose(sum(weights), 1, abs_tol=1e-9):
            raise ValueError(f"The weights of {self.name} must not be negative and must sum to 1: {weights}.")
        if self.format + self.answer == 0:
            raise ValueError(
                f"Form and answer of {self.name} can't both weigh 0: some cases have nothing else."
            )
        if not (0 <= self.label_share <= 1 and 0 <= self.absent_weight <= 1):
            raise ValueError(f"The shares within the answer of {self.name} must lie between 0 and 1.")
        if self.max_characters < 1 or self.max_boxes < 1:
            raise ValueError(f"The limits of {self.name} must be at least 1.")


GROUNDED_1 = RewardVersion(
    name="grounded-1",
    format=0.10,
    answer=0.45,
    regions=0.30,
    steps=0.15,
    # DeepMedix-R1 was trained with at most 2,048 tokens a response, some two characters a token in boxes and
    # four in words; its published outputs stay under 3,000 characters.
    max_characters=4000,
    max_boxes=16,
    label_share=0.6,
    absent_weight=0.5,
    source=(
        "Weights: this project's design for learning from experts' regions. Regions: soft F1 of matched "
        "boxes, as in RadVLM-GRPO (arXiv 2512.10691). Steps: process reward, as in ChestX-Reasoner "
        "(arXiv 2504.20930), by its lower bound. Caps on length and boxes: outputs were seen to grow 3.2 "
        "times under rewards without them (CheXalign, arXiv 2410.07025)."
    ),
)
GROUNDED_2 = replace(
    GROUNDED_1,
    name="grounded-2",
    forgives_spread=True,
    weakest_step=True,
    source=(
        f"{GROUNDED_1.source} Spread: experts who mean the same place draw edges some pixels apart, and no "
        "model can be nearer to them than they are to each other. Steps: by the weakest, since a mean is "
        "raised by printing more good steps (PURE, arXiv 2504.15275, on summed process rewards)."
    ),
)
VERSIONS: dict[str, RewardVersion] = {version.name: version for version in (GROUNDED_1, GROUNDED_2)}
NEWEST = GROUNDED_2
