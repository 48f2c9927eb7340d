"""What a reader who knows what was drawn would say of a completion: step by step, region by region, in all.

Readers are simulated from this by adding what readers differ in: how strict, how steady, how careful they
are. Nothing here is noisy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from inference.grounding import ParsedStep, parse_completion
from inference.phantom_truth import (
    GRAVITY,
    KINDS,
    Finding,
    PhantomTruth,
    heart_step,
    ideal_steps,
    lesion_step,
)
from inference.regions import Box
from rl_feedback.phantom_figures import claims, iou, named_findings, score_phantom, speaks_of_heart

Harm = Literal["none", "mild", "severe"]

_FITS, _NEAR, _SAME_PLACE = 0.7, 0.5, 0.3
_CLEAR = re.compile(r"\blungs?\b.*\bclear\b|\bno acute\b")


@dataclass(frozen=True)
class RegionVerdict:
    """One box as written, and where it should be, both in the model's units; `should_be` is None where
    nothing is there to point at."""

    box: Box
    should_be: Box | None
    overlap: float


@dataclass(frozen=True)
class StepVerdict:
    """One step. `plausibility` is 1 to 5, None where the step says nothing that the drawing could decide.

    `should_read` is the step as it ought to stand, "" where it ought to go.
    """

    text: str
    plausibility: int | None
    made_up: tuple[str, ...]
    regions: tuple[RegionVerdict, ...]
    should_read: str


@dataclass(frozen=True)
class CompletionVerdict:
    """`missed`: what neither a step nor the answer names, its region in the model's units; `made_up`: names
    that are said but not true; `quality` in 0..1 decides a vote between two completions."""

    steps: tuple[StepVerdict, ...]
    missed: tuple[Finding, ...]
    made_up: tuple[str, ...]
    answer_is_right: bool
    harm: Harm
    quality: float


def judge_completion(
    text: str, truth: PhantomTruth, *, model_size: tuple[int, int] = (112, 112)
) -> CompletionVerdict:
    """Judge a completion whose boxes are pixels of an image of `model_size` (width, height).

    >>> from inference.phantoms import draw_phantom, ideal_reasoning
    >>> truth = draw_phantom(seed=6).truth
    >>> verdict = judge_completion(ideal_reasoning(truth), truth)
    >>> [step.plausibility for step in verdict.steps], verdict.harm, verdict.quality > 0.95
    ([5, 5, 5], 'none', True)
    """
    seen = truth.resized(width=model_size[0], height=model_size[1])
    parsed = parse_completion(text)
    score = score_phantom(text, truth, model_size=model_size)
    said = [claims(step.text) for step in parsed.steps]
    claimed = named_findings(parsed.answer).union(*said)
    present = {finding.name for finding in seen.findings}
    missed = tuple(finding for finding in seen.findings if finding.name not in claimed)
    made_up = tuple(sorted(claimed - present))
    steps = _judge_steps(parsed.steps, said, seen)
    regions = fmean([score.heart_iou, *score.lesion_ious])
    return CompletionVerdict(
        steps=steps,
        missed=missed,
        made_up=made_up,
        answer_is_right=score.exact_answer,
        harm=_harm(missed, made_up),
        quality=0.5 * _agreement(seen, claimed) + 0.3 * regions + 0.2 * score.exact_answer,
    )


def _judge_steps(
    steps: Sequence[ParsedStep], said: Sequence[set[str]], seen: PhantomTruth
) -> tuple[StepVerdict, ...]:
    """Each step in turn; what no step names is what a wrong step may have meant."""
    unnamed = [lesion for lesion in seen.lesions if lesion.name not in set().union(*said)]
    verdicts = []
    for step, names in zip(steps, said, strict=True):
        verdict, meant = _judge_step(step, names, seen, unnamed)
        unnamed = [lesion for lesion in unnamed if lesion is not meant]
        verdicts.append(verdict)
    return tuple(verdicts)


def _judge_step(
    step: ParsedStep, names: set[str], seen: PhantomTruth, unnamed: Sequence[Finding]
) -> tuple[StepVerdict, Finding | None]:
    lesions = [lesion for lesion in seen.lesions if lesion.name in names]
    made_up = tuple(sorted(names - {finding.name for finding in seen.findings}))
    if lesions and not made_up:
        regions = _regions(step, [lesion.region for lesion in lesions])
        verdict = StepVerdict(
            step.text, _by_overlap(regions), (), regions, " and ".join(map(lesion_step, lesions))
        )
        return verdict, None
    if speaks_of_heart(step.text) and names <= {"cardiomegaly"}:
        regions = _regions(step, [seen.heart])
        right = ("cardiomegaly" in names) == seen.enlarged_heart
        points = _by_overlap(regions) if right else 2
        return StepVerdict(step.text, points, made_up, regions, heart_step(seen)), None
    if names:
        meant = _meant(step, made_up, unnamed)
        regions = _regions(step, [meant.region] if meant else [])
        should_read = lesion_step(meant) if meant else ""
        return StepVerdict(step.text, 2 if meant else 1, made_up, regions, should_read), meant
    if _CLEAR.search(step.text.lower()):
        regions = _regions(step, [seen.right_lung, seen.left_lung])
        points, should_read = (1, "") if seen.lesions else (_by_overlap(regions), ideal_steps(seen)[1])
        return StepVerdict(step.text, points, (), regions, should_read), None
    return StepVerdict(step.text, None, (), _regions(step, []), step.text), None


def _meant(step: ParsedStep, made_up: Sequence[str], unnamed: Sequence[Finding]) -> Finding | None:
    """The lesion that a wrong step took for another kind or placed on the other side, if one fits."""
    for lesion in unnamed:
        if any(iou(box, lesion.region) >= _SAME_PLACE for box in step.boxes):
            return lesion
    return next((lesion for lesion in unnamed if any(lesion.kind in name for name in made_up)), None)


def _regions(step: ParsedStep, places: Sequence[Box]) -> tuple[RegionVerdict, ...]:
    """Each box with the place it comes nearest to; a place that two boxes share goes to both."""
    verdicts = []
    for number, box in enumerate(step.boxes):
        overlaps = [iou(box, place) for place in places]
        best = max(range(len(places)), key=lambda at: overlaps[at]) if places else None
        if best is not None and not overlaps[best]:
            best = min(number, len(places) - 1)
        should_be = None if best is None else places[best]
        verdicts.append(RegionVerdict(box, should_be, 0.0 if best is None else overlaps[best]))
    return tuple(verdicts)


def _by_overlap(regions: Sequence[RegionVerdict]) -> int:
    """Points for a true step: 5 where its regions fit, 4 where they are near, 3 where they are off."""
    overlap = fmean(region.overlap for region in regions) if regions else 0.0
    return 5 if overlap >= _FITS else 4 if overlap >= _NEAR else 3


def _harm(missed: Sequence[Finding], made_up: Sequence[str]) -> Harm:
    graveness = [finding.gravity for finding in missed] + [_gravity_of(name) for name in made_up]
    worst = max(graveness, default=0)
    return "severe" if worst >= 3 else "mild" if worst else "none"


def _gravity_of(name: str) -> int:
    """The gravity of a finding that is only named; what is no kind we draw counts as middling."""
    return next((GRAVITY[kind] for kind in KINDS if kind in name), 2)


def _agreement(seen: PhantomTruth, claimed: set[str]) -> float:
    """F1 of what is claimed, each finding weighed by its gravity; 1 where nothing is there nor claimed."""
    present = {finding.name: finding.gravity for finding in seen.findings}
    right = sum(weight for name, weight in present.items() if name in claimed)
    whole = sum(present.values()) + sum(_gravity_of(name) for name in claimed)
    return 2 * right / whole if whole else 1.0
