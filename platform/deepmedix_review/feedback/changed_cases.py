"""Finds the held-out films on which a candidate's answer changed most against its parent's."""

from dataclasses import dataclass

from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.selectors import CasePair, case_pairs
from deepmedix_review.feedback.differences import Piece, differing_pieces
from deepmedix_review.feedback.models import GateDecision
from inference.phantoms import draw_phantom
from rl_feedback.evaluation import CaseResult, MeasuredOtherwise


@dataclass(frozen=True)
class ShownRegion:
    """A region in hundredths of the film's sides."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ChangedSide:
    """What one version said of the film, and where it pointed."""

    is_candidate: bool
    pieces: tuple[Piece, ...]
    regions: tuple[ShownRegion, ...]


@dataclass(frozen=True)
class ChangedCase:
    """One film, what is true of it, and what each version said: the parent, then the candidate."""

    benchmark: Benchmark
    seed: int
    truth: str
    num_lost: int
    truth_regions: tuple[ShownRegion, ...]
    sides: tuple[ChangedSide, ...]


@dataclass(frozen=True)
class Changes:
    """Over all benchmarks: lesions that only one of the two versions named, and the films that changed
    most."""

    num_lost: int
    num_gained: int
    cases: tuple[ChangedCase, ...]


def most_changed(decision: GateDecision, *, number: int = 6) -> Changes | None:
    """Films with lost lesions first, then those whose score moved most. None of a decision without
    figures, or on figures that are no longer measured so."""
    try:
        pairs = [pair for before, after in _evaluations(decision) for pair in case_pairs(before, after)]
    except MeasuredOtherwise:
        return None
    if not pairs:
        return None
    lost = [_named(pair.parent) - _named(pair.candidate) for pair in pairs]
    changed = [pair for pair in pairs if pair.parent.text != pair.candidate.text]
    changed.sort(
        key=lambda pair: (_named(pair.candidate) - _named(pair.parent), -_moved(pair), pair.parent.seed)
    )
    return Changes(
        num_lost=sum(max(0, number) for number in lost),
        num_gained=sum(max(0, -number) for number in lost),
        cases=tuple(_shown(pair) for pair in changed[:number]),
    )


def _evaluations(decision: GateDecision) -> list[tuple[Evaluation, Evaluation]]:
    by_benchmark: dict[int, dict[int, Evaluation]] = {}
    sealed = decision.evaluations.filter(benchmark__suite=Benchmark.Suite.SEALED)
    for evaluation in sealed.select_related("benchmark").order_by("benchmark_id"):
        by_benchmark.setdefault(evaluation.benchmark_id, {})[evaluation.model_version_id] = evaluation
    return [(both[decision.parent_id], both[decision.candidate_id]) for both in by_benchmark.values()]


def _named(result: CaseResult) -> int:
    return result.score.num_lesions_named


def _moved(pair: CasePair) -> float:
    before, after = pair.parent.score, pair.candidate.score
    regions = sum(abs(a - b) for a, b in zip(before.lesion_ious, after.lesion_ious, strict=True))
    return regions + abs(before.heart_iou - after.heart_iou) + (before.exact_answer != after.exact_answer)


def _shown(pair: CasePair) -> ChangedCase:
    before, after = differing_pieces(pair.parent.text, pair.candidate.text)
    truth = draw_phantom(seed=pair.parent.seed, width=56, height=56, site=pair.benchmark.site).truth
    seen = truth.resized(width=100, height=100)
    return ChangedCase(
        benchmark=pair.benchmark,
        seed=pair.parent.seed,
        truth=truth.answer,
        num_lost=max(0, _named(pair.parent) - _named(pair.candidate)),
        truth_regions=tuple(_region(*lesion.region) for lesion in seen.lesions),
        sides=(
            ChangedSide(False, before, _regions_of(pair.parent)),
            ChangedSide(True, after, _regions_of(pair.candidate)),
        ),
    )


def _regions_of(result: CaseResult) -> tuple[ShownRegion, ...]:
    return tuple(_region(*(100 * edge for edge in edges)) for _, *edges in result.score.boxes)


def _region(x_min: float, y_min: float, x_max: float, y_max: float) -> ShownRegion:
    """The part on the film; SVG draws no negative sizes."""
    x_min, y_min, x_max, y_max = (min(100.0, max(0.0, edge)) for edge in (x_min, y_min, x_max, y_max))
    return ShownRegion(
        round(x_min, 1), round(y_min, 1), round(max(0.0, x_max - x_min), 1), round(max(0.0, y_max - y_min), 1)
    )
