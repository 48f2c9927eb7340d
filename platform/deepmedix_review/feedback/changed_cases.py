"""Finds the held-out films on which a candidate's answer changed most against its parent's."""

from dataclasses import dataclass

from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.selectors import CasePair, case_pairs
from deepmedix_review.feedback.differences import Piece, differing_pieces
from deepmedix_review.feedback.models import GateDecision
from inference.phantoms import draw_phantom
from rl_feedback.evaluation import CaseResult, MeasuredOtherwise


@dataclass(frozen=True)
class ChangedCase:
    """One film, what is true of it, and what each version said."""

    benchmark: Benchmark
    seed: int
    truth: str
    num_lost: int
    parent: tuple[Piece, ...]
    candidate: tuple[Piece, ...]


@dataclass(frozen=True)
class Changes:
    """Over all benchmarks: lesions that only one of the two versions named, and the films that changed
    most."""

    num_lost: int
    num_gained: int
    cases: tuple[ChangedCase, ...]


def most_changed(decision: GateDecision, *, number: int = 6) -> Changes | None:
    """Films with lost lesions first, then those whose score moved most. None of a decision on figures that
    are no longer measured so."""
    try:
        pairs = [pair for before, after in _evaluations(decision) for pair in case_pairs(before, after)]
    except MeasuredOtherwise:
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
    parent, candidate = differing_pieces(pair.parent.text, pair.candidate.text)
    return ChangedCase(
        benchmark=pair.benchmark,
        seed=pair.parent.seed,
        truth=draw_phantom(seed=pair.parent.seed, width=56, height=56, site=pair.benchmark.site).truth.answer,
        num_lost=max(0, _named(pair.parent) - _named(pair.candidate)),
        parent=parent,
        candidate=candidate,
    )
