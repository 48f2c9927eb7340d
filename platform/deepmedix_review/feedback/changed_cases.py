"""Finds the held-out films on which a candidate's answer changed most against its parent's."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepmedix_review.common.differences import Piece, differing_pieces
from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.selectors import CasePair, case_pairs, chosen_pairs
from deepmedix_review.feedback.models import GateDecision
from inference.phantoms import truth_of
from rl_feedback.evaluation.phantoms import CaseResult, MeasuredOtherwise

# Shown at first, and so many more each time that more are asked for.
NUM_SHOWN = 6
# Kept of a decision: ten times that.
MOST_KEPT = 60


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
    """Over all benchmarks: lesions that only one of the two versions named, and of the films that changed
    most (`num_kept` of them are known) those that are shown."""

    num_lost: int
    num_gained: int
    num_kept: int
    cases: tuple[ChangedCase, ...]

    @property
    def num_with_more(self) -> int:
        """How many are shown once more are asked for; 0 where there are no more."""
        return min(self.num_kept, len(self.cases) + NUM_SHOWN) if len(self.cases) < self.num_kept else 0


@dataclass(frozen=True)
class Changed:
    """What of `Changes` is found out once, when the gate decides: `places` are the films that changed most,
    each as its benchmark and its number in it."""

    num_lost: int
    num_gained: int
    places: Sequence[tuple[int, int]]


def find_changed(both: Sequence[tuple[Evaluation, Evaluation]], *, number: int = MOST_KEPT) -> Changed | None:
    """Films with lost lesions first, then those whose score moved most, of the sealed films that parent and
    candidate answered. None where there are none, or where they are no longer measured so."""
    try:
        placed = [
            (pair, (pair.benchmark.pk, place))
            for before, after in both
            for place, pair in enumerate(case_pairs(before, after))
        ]
    except MeasuredOtherwise:
        return None
    if not placed:
        return None
    lost = [_named(pair.parent) - _named(pair.candidate) for pair, _ in placed]
    changed = [one for one in placed if one[0].parent.text != one[0].candidate.text]
    changed.sort(key=lambda one: _by_change(one[0]))
    return Changed(
        num_lost=sum(max(0, number) for number in lost),
        num_gained=sum(max(0, -number) for number in lost),
        places=[place for _, place in changed[:number]],
    )


def most_changed(decision: GateDecision, *, number: int = NUM_SHOWN) -> Changes | None:
    """The `number` films that changed most. None of a decision without figures, or on figures that are no
    longer measured so. Only the films that are shown are read."""
    both = _evaluations(decision)
    # Decisions from before it was kept are looked through at each view.
    found = Changed(**decision.changed) if decision.changed else find_changed(both)
    if found is None:
        return None
    shown = found.places[:number]
    try:
        pairs = [
            pair
            for before, after in both
            for pair in chosen_pairs(
                before, after, places=[at for key, at in shown if key == before.benchmark_id]
            )
        ]
    except MeasuredOtherwise:
        return None
    return Changes(
        num_lost=found.num_lost,
        num_gained=found.num_gained,
        num_kept=len(found.places),
        cases=tuple(_shown(pair) for pair in sorted(pairs, key=_by_change)),
    )


def _by_change(pair: CasePair) -> tuple[float, float, int]:
    return (_named(pair.candidate) - _named(pair.parent), -_moved(pair), pair.parent.seed)


def _evaluations(decision: GateDecision) -> list[tuple[Evaluation, Evaluation]]:
    by_benchmark: dict[int, dict[int, Evaluation]] = {}
    sealed = decision.evaluations.filter(benchmark__suite=Benchmark.Suite.SEALED).defer("cases")
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
    truth = truth_of(seed=pair.parent.seed, site=pair.benchmark.site)
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
