"""What one SIMULATED reader says of one case: from what is on the film, through what this reader sees of it.

A reader first sees the film: of what was drawn some findings are overlooked, and every place is put a little
off. What `judge_completion` says of a completion against that is then said with the reader's own severity,
noise and carelessness.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inference.grounding import parse_completion
from inference.phantom_truth import Finding, PhantomTruth, lesion_step
from inference.regions import Box
from rl_feedback.phantom_figures import claims, iou, named_findings, speaks_of_heart
from rl_feedback.phantom_verdicts import CompletionVerdict, Harm, StepVerdict, judge_completion
from rl_feedback.readings import Verdict, Vote
from rl_feedback.simulated_readers.panel import Kind, SimulatedReader

SIDE_PX = 112
_BOXES = re.compile(r"\s*(?:with|and)?\s*\[[^\]]*\]")
_TIE = 0.02
_BOTH_BAD = 0.25
_NOWHERE = 2


@dataclass(frozen=True)
class SaidOfRegion:
    """`box` only where the verdict is "adjusted", in the model's pixels."""

    verdict: Verdict
    box: Box | None = None


@dataclass(frozen=True)
class SaidOfStep:
    """`plausibility` is None where steps are not asked for. `drawn` are regions added to the step."""

    plausibility: int | None
    edited_text: str
    regions: tuple[SaidOfRegion, ...]
    drawn: tuple[Box, ...] = ()


@dataclass(frozen=True)
class SaidOfCompletion:
    """`missed`: what should have been named, and where it is; ratings are None where not asked for."""

    steps: tuple[SaidOfStep, ...]
    missed: tuple[tuple[str, Box], ...]
    relevance: int | None
    correctness: int | None
    completeness: int | None
    harm: Harm | None
    rewrite: str


@dataclass(frozen=True)
class SimulatedVote:
    overall: Vote
    grounded: Vote


@dataclass(frozen=True)
class SimulatedReading:
    """All that one simulated reader says of one case. `seen` are the findings of the first read."""

    reader: SimulatedReader
    seen: tuple[Finding, ...]
    confidence: int
    completions: tuple[SaidOfCompletion, ...]
    vote: SimulatedVote | None
    seconds: float


def read_case(
    reader: SimulatedReader,
    truth: PhantomTruth,
    texts: Sequence[str],
    *,
    kind: Kind = "all",
    seed: int,
) -> SimulatedReading:
    """Read the film and one or two completions, of which the first stands on side A.

    Boxes are pixels of a film of 112 x 112, as the small model writes them. The same seed, the same words.

    >>> from inference.phantoms import draw_phantom, ideal_reasoning
    >>> from rl_feedback.simulated_readers.panel import PANEL
    >>> truth = draw_phantom(seed=6).truth
    >>> reading = read_case(PANEL[0], truth, [ideal_reasoning(truth)], seed=1)
    >>> [step.edited_text for step in reading.completions[0].steps]
    ['', '', '']
    """
    rng = np.random.default_rng(seed)
    seen = _as_seen(reader, truth.resized(width=SIDE_PX, height=SIDE_PX), rng)
    said = [_of_completion(reader, text, seen, kind, rng) for text in texts]
    votes = len(texts) == 2 and kind in ("votes", "all")
    vote = vote_between(reader, seen, texts, rng) if votes else None
    return SimulatedReading(
        reader=reader,
        seen=seen.findings,
        confidence=_points(reader, 4.0, rng),
        completions=tuple(said),
        vote=vote,
        seconds=_seconds(reader, said, has_vote=vote is not None),
    )


def vote_between(
    reader: SimulatedReader, seen: PhantomTruth, texts: Sequence[str], rng: np.random.Generator
) -> SimulatedVote:
    """Which of two texts this reader prefers, overall and by how well it points at the film."""
    if rng.random() < reader.favours_a:
        return SimulatedVote("a", "a")
    if texts[0] == texts[1]:
        return SimulatedVote("tie", "tie")
    verdicts = [judge_completion(text, seen, model_size=(SIDE_PX, SIDE_PX)) for text in texts]
    overall = _vote([verdict.quality for verdict in verdicts], reader, rng)
    grounded = _vote([_grounding(verdict) for verdict in verdicts], reader, rng)
    return SimulatedVote(overall, grounded)


def seen_by(reader: SimulatedReader, truth: PhantomTruth, *, seed: int) -> PhantomTruth:
    """What the reader sees of the film, as `read_case` of the same seed does."""
    small = truth.resized(width=SIDE_PX, height=SIDE_PX)
    return _as_seen(reader, small, np.random.default_rng(seed))


def _as_seen(reader: SimulatedReader, truth: PhantomTruth, rng: np.random.Generator) -> PhantomTruth:
    findings = []
    for finding in truth.findings:
        is_seen, region = rng.random() >= reader.overlooks, _drawn(reader, finding.region, rng)
        if is_seen:
            findings.append(replace(finding, region=region))
    heart, right, left = (
        _drawn(reader, box, rng) for box in (truth.heart, truth.right_lung, truth.left_lung)
    )
    return replace(truth, findings=tuple(findings), heart=heart, right_lung=right, left_lung=left)


def _drawn(reader: SimulatedReader, box: Box, rng: np.random.Generator) -> Box:
    """A place as this reader draws it; never without area, never off the film."""
    noise = rng.normal(0, reader.box_noise_px, size=4)
    x_more = (box.x_max - box.x_min) * reader.box_growth / 2
    y_more = (box.y_max - box.y_min) * reader.box_growth / 2
    edges = np.array([box.x_min - x_more, box.y_min - y_more, box.x_max + x_more, box.y_max + y_more])
    x_min, y_min, x_max, y_max = np.clip(edges + noise, 0, SIDE_PX).tolist()
    x_min, y_min = min(x_min, SIDE_PX - 2.0), min(y_min, SIDE_PX - 2.0)
    return Box(x_min, y_min, max(x_max, x_min + 2), max(y_max, y_min + 2))


def _of_completion(
    reader: SimulatedReader, text: str, seen: PhantomTruth, kind: Kind, rng: np.random.Generator
) -> SaidOfCompletion:
    verdict = judge_completion(text, seen, model_size=(SIDE_PX, SIDE_PX))
    steps, missed = _corrected_steps(reader, verdict, seen)
    rates, corrects = kind in ("steps", "all"), kind in ("regions", "all")
    answer = parse_completion(text).answer
    is_right = named_findings(answer) == {finding.name for finding in seen.findings}
    said = []
    for step, judged in zip(steps, verdict.steps, strict=True):
        # What says nothing that could be wrong is plausible.
        points = _points(reader, 4.0 if judged.plausibility is None else judged.plausibility, rng)
        if _goes(step):
            points = min(points, _NOWHERE)
        if not corrects:
            step = SaidOfStep(None, "", ())
        said.append(replace(step, plausibility=points if rates else None))
    present = len(seen.findings) or 1
    right = 1 - min(1.0, (len(verdict.missed) + len(verdict.made_up)) / (present + 1))
    deserved = (5.0, 5.0 if verdict.answer_is_right else 1 + 3 * right, 5 - 4 * len(verdict.missed) / present)
    relevance, correctness, completeness = (_points(reader, points, rng) for points in deserved)
    return SaidOfCompletion(
        steps=tuple(said),
        missed=missed if corrects else (),
        relevance=relevance if rates else None,
        correctness=correctness if rates else None,
        completeness=completeness if rates else None,
        harm=verdict.harm if rates else None,
        rewrite="" if is_right or not corrects else seen.answer,
    )


def _corrected_steps(
    reader: SimulatedReader, verdict: CompletionVerdict, seen: PhantomTruth
) -> tuple[list[SaidOfStep], tuple[tuple[str, Box], ...]]:
    """Each step as the reader would have it, and the findings that no step is left to name."""
    right = set().union(*(claims(_wording(step) or step.text) for step in verdict.steps if step.should_read))
    unnamed = [lesion for lesion in seen.lesions if lesion.name not in right]
    steps = []
    for step in verdict.steps:
        if step.should_read:
            steps.append(SaidOfStep(None, _wording(step), _verdicts(reader, step)))
        elif unnamed:
            steps.append(_instead(unnamed.pop(0), step))
        elif not seen.lesions and not any(_speaks_of_lungs(one) for one in verdict.steps):
            steps.append(_clear_instead(seen, step))
        else:
            steps.append(SaidOfStep(None, "", tuple(SaidOfRegion("wrong") for _ in step.regions)))
    missed = [(_without_boxes(lesion_step(lesion)), lesion.region) for lesion in unnamed]
    if not any(speaks_of_heart(step.text) for step in verdict.steps):
        size = "enlarged" if seen.enlarged_heart else "normal"
        missed.insert(0, (f"The heart size is {size}", seen.heart))
    return steps, tuple(missed)


def _wording(step: StepVerdict) -> str:
    """The step as the reader would word it, "" where it may stand as it is."""
    words = _without_boxes(step.should_read)
    says_the_same = step.plausibility is None or step.plausibility >= 3
    return "" if says_the_same or words == _without_boxes(step.text) else words


def _verdicts(reader: SimulatedReader, step: StepVerdict) -> tuple[SaidOfRegion, ...]:
    said = []
    for region in step.regions:
        if region.should_be is None:
            said.append(SaidOfRegion("fits" if step.plausibility is None else "wrong"))
        elif iou(region.box, region.should_be) >= reader.redraws_below:
            said.append(SaidOfRegion("fits"))
        else:
            said.append(SaidOfRegion("adjusted", region.should_be))
    return tuple(said)


def _instead(lesion: Finding, step: StepVerdict) -> SaidOfStep:
    """A step that ought to go, reworded for a finding that no step names; its first region goes there."""
    moved = [SaidOfRegion("wrong") for _ in step.regions]
    moved[:1] = [SaidOfRegion("adjusted", lesion.region)] if moved else []
    drawn = () if moved else (lesion.region,)
    return SaidOfStep(None, _without_boxes(lesion_step(lesion)), tuple(moved), drawn)


def _clear_instead(seen: PhantomTruth, step: StepVerdict) -> SaidOfStep:
    """A made-up finding on a film without any: both lungs are clear."""
    lungs = [seen.right_lung, seen.left_lung]
    moved = [SaidOfRegion("adjusted", lung) for _, lung in zip(step.regions, lungs, strict=False)]
    moved += [SaidOfRegion("wrong") for _ in step.regions[2:]]
    return SaidOfStep(None, "Both lungs are clear", tuple(moved), tuple(lungs[len(step.regions) :]))


def _speaks_of_lungs(step: StepVerdict) -> bool:
    return bool(step.should_read) and not speaks_of_heart(step.should_read)


def _goes(step: SaidOfStep) -> bool:
    wrong = bool(step.regions) and all(region.verdict == "wrong" for region in step.regions)
    return wrong and not step.edited_text


def _without_boxes(text: str) -> str:
    return _BOXES.sub("", text).strip()


def _points(reader: SimulatedReader, deserved: float, rng: np.random.Generator) -> int:
    noise, is_careless, at_random = rng.normal(0, reader.noise), rng.random(), int(rng.integers(1, 6))
    if is_careless < reader.carelessness:
        return at_random
    return int(np.clip(round(deserved - reader.severity + noise), 1, 5))


def _vote(qualities: Sequence[float], reader: SimulatedReader, rng: np.random.Generator) -> Vote:
    a, b = (quality + rng.normal(0, reader.vote_noise) for quality in qualities)
    if max(a, b) < _BOTH_BAD:
        return "both_bad"
    return "tie" if abs(a - b) < _TIE else "a" if a > b else "b"


def _grounding(verdict: CompletionVerdict) -> float:
    overlaps = [region.overlap for step in verdict.steps for region in step.regions]
    return sum(overlaps) / (len(overlaps) + len(verdict.missed)) if overlaps else 0.0


def _seconds(reader: SimulatedReader, said: Sequence[SaidOfCompletion], *, has_vote: bool) -> float:
    """What the acts take, by the reader's committed seconds."""
    of = reader.seconds
    total = of.film + has_vote * of.vote
    for one in said:
        total += (
            len(one.missed) * of.finding + (bool(one.rewrite) + (one.correctness is not None)) * of.answer
        )
        for step in one.steps:
            total += (step.plausibility is not None) * of.step + bool(step.edited_text) * of.wording
            total += len(step.regions) * of.region + len(step.drawn) * of.redrawing
            total += sum(region.verdict == "adjusted" for region in step.regions) * of.redrawing
    return total
