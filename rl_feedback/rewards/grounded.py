"""Our reward: the form, the answer, the regions and the reasoning steps of a completion, all in [0, 1].

Unlike the published reward it reads what is said of each finding and where the completion points; what each
part sees and what it costs stands in docs/reference/rewards.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from inference.grounding import ParsedCompletion, parse_completion
from rl_feedback.rewards.answer import AnswerScore, score_answer
from rl_feedback.rewards.form import answers_after_reasoning, is_well_formed, length_factor
from rl_feedback.rewards.regions import RegionScore, score_regions
from rl_feedback.rewards.truth import CaseTruth
from rl_feedback.rewards.version import NEWEST, RewardVersion

PARTS = ("format", "answer", "regions", "steps")
NO_REGIONS = "Nobody drew regions for this case: their weight went to the other parts."
NO_STEP_SCORES = "No step scorer was used: its weight went to the other parts."
ANSWER_FIRST = "The answer stands before the end of the reasoning and earns nothing."


@dataclass(frozen=True)
class PartWeights:
    """What each part weighed in one reward; 0 for a part that was left out. They sum to 1."""

    format: float
    answer: float
    regions: float
    steps: float


@dataclass(frozen=True)
class GroundedReward:
    """`overall` is `length` times the weighted mean of the parts, all in [0, 1]; `regions` or `steps` is
    None where it was left out, and `notes` says so. The details are `answer_score` and `region_score`."""

    overall: float
    format: float
    answer: float
    regions: float | None
    steps: float | None
    length: float
    weights: PartWeights
    answer_score: AnswerScore
    region_score: RegionScore | None
    notes: tuple[str, ...]
    version: str


def grounded_reward(
    completions: Sequence[str],
    truths: Sequence[CaseTruth],
    *,
    step_scores: Sequence[Sequence[float]] | None = None,
    version: RewardVersion = NEWEST,
) -> list[GroundedReward]:
    """The reward of each completion against what is known of its case.

    `step_scores` holds, for each completion, the lower bound in [0, 1] of the learned score of each of its
    steps; None where no step scorer may be used. Raises ValueError where the numbers don't fit.

    >>> text = "<think> Clear lungs </think> The answer is: \\\\boxed{Yes.}"
    >>> reward = grounded_reward([text], [CaseTruth("yes")])[0]
    >>> reward.overall, reward.regions, len(reward.notes)
    (1.0, None, 2)
    """
    if len(completions) != len(truths):
        raise ValueError(
            f"There are {len(completions)} completions and {len(truths)} truths; give one truth for each."
        )
    if step_scores is not None and len(step_scores) != len(completions):
        raise ValueError(
            f"There are {len(completions)} completions and step scores of {len(step_scores)}; give the step "
            "scores of each, or None for all."
        )
    return [
        _reward(text, truth, None if step_scores is None else step_scores[place], version)
        for place, (text, truth) in enumerate(zip(completions, truths, strict=True))
    ]


def _reward(
    text: str, truth: CaseTruth, step_scores: Sequence[float] | None, version: RewardVersion
) -> GroundedReward:
    parsed = parse_completion(text)
    notes = []
    answer = parsed.answer
    if answer is not None and not answers_after_reasoning(parsed):
        answer = None
        notes.append(ANSWER_FIRST)
    answer_score = score_answer(
        answer, truth.answer, label_share=version.label_share, absent_weight=version.absent_weight
    )
    region_score = score_regions(
        text, parsed, truth, max_boxes=version.max_boxes, forgives_spread=version.forgives_spread
    )
    if region_score is None:
        notes.append(NO_REGIONS)
    if step_scores is None:
        notes.append(NO_STEP_SCORES)
    well_formed = float(is_well_formed(text, parsed))
    parts = {
        "format": well_formed,
        "answer": answer_score.value,
        "regions": None if region_score is None else region_score.value,
        "steps": None if step_scores is None else _steps(parsed, step_scores, version),
    }
    weights = _weights(version, {name for name, value in parts.items() if value is not None})
    length = length_factor(text, parsed, max_characters=version.max_characters)
    total = math.fsum(getattr(weights, name) * value for name, value in parts.items() if value is not None)
    return GroundedReward(
        overall=min(1.0, length * total),
        format=well_formed,
        answer=answer_score.value,
        regions=parts["regions"],
        steps=parts["steps"],
        length=length,
        weights=weights,
        answer_score=answer_score,
        region_score=region_score,
        notes=tuple(notes),
        version=version.name,
    )


def _steps(parsed: ParsedCompletion, step_scores: Sequence[float], version: RewardVersion) -> float:
    """What the steps are worth together; a text without steps is worth nothing."""
    if len(step_scores) != len(parsed.steps):
        raise ValueError(
            f"A completion has {len(parsed.steps)} reasoning steps and {len(step_scores)} step scores; score "
            "the steps that `parse_completion` finds."
        )
    if not all(0 <= score <= 1 for score in step_scores):
        raise ValueError("A step score must lie between 0 and 1.")
    if not step_scores:
        return 0.0
    return min(step_scores) if version.weakest_step else fmean(step_scores)


def _weights(version: RewardVersion, used: set[str]) -> PartWeights:
    total = math.fsum(getattr(version, name) for name in used)
    return PartWeights(**{name: getattr(version, name) / total if name in used else 0.0 for name in PARTS})
