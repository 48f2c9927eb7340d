"""How well a completion describes a drawn film: its answer, the findings named, the regions pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from inference.grounding import ParsedCompletion, ParsedStep, parse_completion
from inference.phantom_truth import ALL_LESIONS, KINDS, NO_FINDING, SIDES, Finding, PhantomTruth
from inference.regions import Box
from rl_feedback.constant_boxes import PlacedBox, constant_box_scores
from rl_feedback.gate.policy import KIND_RECALL, CaseScores
from rl_feedback.phantom_statements import statements

LABELS = {
    "well_formed": "Format",
    "exact_answer": "Exact answers",
    "finding_precision": "Finding precision",
    "finding_recall": "Finding recall",
    "finding_f1": "Finding F1",
    "heart_iou": "Heart region IoU",
    "lesion_iou": "Lesion region IoU",
    "lesion_recall": "Lesion recall",
    "hallucinated": "Hallucinated findings",
    "omitted": "Omitted findings",
    "negation_flips": "Negation flips",
    "laterality_flips": "Laterality flips",
    "num_characters": "Answer length",
    "num_boxes": "Regions drawn",
    "constant_box": "Regions in one place",
}
KIND_LABELS = {figure: f"{kind.capitalize()} recall" for kind, figure in KIND_RECALL.items()}

_DENIED = re.compile(r"\b(no|not|without|neither|nor|absent|free of)\b")
_LARGE_HEART = re.compile(r"\bcardiomegaly\b|\b(enlarged|large)\b.*\bheart\b|\bheart\b.*\b(enlarged|large)\b")
_HEART = re.compile(r"\bheart\b|\bcardi")


@dataclass(frozen=True)
class PhantomScore:
    """One completion against the truth; counts are of findings, IoUs lie in 0..1.

    `lesion_ious` has one entry per lesion that is there: 0 unless a step names its kind and side and points
    at it. A step that points at several places earns the mean over them, so that more boxes never pay.
    `kinds_affirmed` and `kinds_denied` are what the text says outright, `kinds_present` what is true.
    `found_by_kind` has for each kind that is there: the kind, how many there are, how many the answer names
    with their side; None of a score that was kept before these were counted.
    """

    well_formed: bool
    exact_answer: bool
    num_named: int
    num_present: int
    num_right: int
    heart_iou: float
    lesion_ious: tuple[float, ...]
    num_lesions_named: int
    num_hallucinated: int
    num_characters: int
    num_omitted: int
    num_on_wrong_side: int
    kinds_affirmed: tuple[str, ...]
    kinds_denied: tuple[str, ...]
    kinds_present: tuple[str, ...]
    boxes: tuple[PlacedBox, ...]
    found_by_kind: tuple[tuple[str, int, int], ...] | None

    @property
    def kinds_flipped(self) -> frozenset[str]:
        """Kinds that are said to be there and are not, or the other way round."""
        present = set(self.kinds_present)
        return frozenset((set(self.kinds_affirmed) - present) | (set(self.kinds_denied) & present))

    @property
    def kinds_right(self) -> frozenset[str]:
        """Kinds of which the text says outright what is true."""
        return frozenset({*self.kinds_affirmed, *self.kinds_denied}) - self.kinds_flipped


@dataclass(frozen=True)
class Figure:
    """A mean over cases with its bootstrap interval; `weight` counts what it was averaged over."""

    name: str
    label: str
    mean: float
    low: float
    high: float
    num_cases: int
    weight: float
    confidence: float
    num_resamples: int


def score_phantom(
    text: str,
    truth: PhantomTruth,
    *,
    model_size: tuple[int, int] = (112, 112),
    parsed: ParsedCompletion | None = None,
) -> PhantomScore:
    """Score a completion whose boxes are pixels of an image of `model_size` (width, height). `parsed`: the
    text as its dialect reads it, where that is not DeepMedix's.

    >>> from inference.phantoms import draw_phantom, ideal_reasoning
    >>> truth = draw_phantom(seed=6).truth
    >>> score = score_phantom(ideal_reasoning(truth), truth)
    >>> score.exact_answer, score.heart_iou > 0.9, score.num_hallucinated
    (True, True, 0)
    """
    parsed = parsed or parse_completion(text)
    seen = truth.resized(width=model_size[0], height=model_size[1])
    present = {finding.name for finding in seen.findings}
    named = named_findings(parsed.answer)
    claimed = {name for step in parsed.steps for name in claims(step.text)}
    said = statements([*(step.text for step in parsed.steps), parsed.answer or ""])
    return PhantomScore(
        well_formed=not parsed.problems,
        exact_answer=named == present and (bool(named) or _says_none(parsed.answer)),
        num_named=len(named),
        num_present=len(present),
        num_right=len(named & present),
        heart_iou=_pointed_iou([step for step in parsed.steps if speaks_of_heart(step.text)][:1], seen.heart),
        lesion_ious=tuple(_lesion_iou(parsed.steps, lesion) for lesion in seen.lesions),
        num_lesions_named=sum(lesion.name in named for lesion in seen.lesions),
        num_hallucinated=len((named | claimed) - present),
        num_characters=len(text),
        num_omitted=len(present - named - claimed),
        num_on_wrong_side=_num_on_wrong_side(seen.lesions, named | claimed),
        kinds_affirmed=said.affirmed,
        kinds_denied=said.denied,
        kinds_present=tuple(kind for kind in KINDS if kind in {finding.kind for finding in seen.findings}),
        boxes=tuple(_placed(parsed.steps, model_size)),
        found_by_kind=tuple(_found_by_kind(seen.findings, named)),
    )


def iou(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over union of two boxes; 0 for a box without area.

    >>> iou((0, 0, 2, 2), (1, 0, 3, 2))
    0.3333333333333333
    """
    common = _common_area(first, second)
    return common / (_area(first) + _area(second) - common) if common else 0.0


def share_inside(box: Sequence[float], whole: Sequence[float]) -> float:
    """Which share of `box` lies within `whole`; 0 for a box without area.

    >>> share_inside((0, 0, 2, 2), (1, 0, 9, 9))
    0.5
    """
    common = _common_area(box, whole)
    return common / _area(box) if common else 0.0


def _common_area(first: Sequence[float], second: Sequence[float]) -> float:
    """0 where they don't meet, or where one has no area."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return width * height if width > 0 and height > 0 else 0.0


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def case_scores(scores: Sequence[PhantomScore]) -> dict[str, CaseScores]:
    """Each figure case by case, as the gate compares them.

    Weights make the weighted mean the pooled figure: findings named for precision, lesions for their IoU.
    Recall of a kind that no film shows has no weight. Raises ValueError for scores that were kept before
    findings were counted by kind.
    """
    table = [_figures_of(score) for score in scores]
    by_film = {
        name: CaseScores(
            values=tuple(row[name][0] for row in table), weights=tuple(row[name][1] for row in table)
        )
        for name in LABELS
        if name != "constant_box"
    }
    return {
        **by_film,
        **_kind_scores(scores),
        "constant_box": constant_box_scores([score.boxes for score in scores]),
    }


def _kind_scores(scores: Sequence[PhantomScore]) -> dict[str, CaseScores]:
    """Recall by kind, each film weighing as many findings of the kind as it shows."""
    table: list[dict[str, tuple[int, int]]] = []
    for score in scores:
        if score.found_by_kind is None:
            raise ValueError("These films were scored before findings were counted by kind: evaluate again.")
        table.append({kind: (named, there) for kind, there, named in score.found_by_kind})
    found = {}
    for kind, figure in KIND_RECALL.items():
        cases = [row.get(kind, (0, 0)) for row in table]
        found[figure] = CaseScores(
            values=tuple(_share(named, there) for named, there in cases),
            weights=tuple(float(there) for _, there in cases),
        )
    return found


def both_case_scores(
    parent: Sequence[PhantomScore], candidate: Sequence[PhantomScore]
) -> tuple[dict[str, CaseScores], dict[str, CaseScores]]:
    """Each version's figures on the same films, and beside them what only the two together show: how many
    kinds of findings the candidate says the opposite of where the parent was right (`reversed`)."""
    reversed_by_candidate = [
        float(len(before.kinds_right & after.kinds_flipped))
        for before, after in zip(parent, candidate, strict=True)
    ]
    even = (1.0,) * len(reversed_by_candidate)
    return (
        {**case_scores(parent), "reversed": CaseScores((0.0,) * len(even), even)},
        {**case_scores(candidate), "reversed": CaseScores(tuple(reversed_by_candidate), even)},
    )


def aggregate(
    scores: Sequence[PhantomScore], *, confidence: float = 0.95, num_resamples: int = 2000, seed: int = 7
) -> dict[str, Figure]:
    """Every figure of a version's scores, recall of those kinds alone that some film shows; see `figures_of`.
    Raises ValueError when there is no score."""
    if not scores:
        raise ValueError("There are no scores to average; score at least one completion.")
    by_name = {
        name: cases
        for name, cases in case_scores(scores).items()
        if name not in KIND_LABELS or any(cases.weights)
    }
    return figures_of(
        by_name, LABELS | KIND_LABELS, confidence=confidence, num_resamples=num_resamples, seed=seed
    )


def figures_of(
    by_name: Mapping[str, CaseScores],
    labels: Mapping[str, str],
    *,
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 7,
) -> dict[str, Figure]:
    """Every figure with its percentile bootstrap interval over cases (Efron and Tibshirani 1993, ch. 13)."""
    rng = np.random.default_rng(seed)
    num_cases = len(next(iter(by_name.values())).values)
    counts = rng.multinomial(num_cases, np.full(num_cases, 1 / num_cases), size=num_resamples)
    tail = (1 - confidence) / 2
    figures = {}
    for name, cases in by_name.items():
        values, weights = np.array(cases.values), np.array(cases.weights)
        total = counts @ weights
        drawn = (counts @ (values * weights))[total > 0] / total[total > 0]
        mean = float(values @ weights / weights.sum()) if weights.sum() > 0 else 0.0
        low, high = np.quantile(drawn, [tail, 1 - tail]) if len(drawn) else (0.0, 0.0)
        figures[name] = Figure(
            name=name,
            label=labels[name],
            mean=mean,
            low=float(low),
            high=float(high),
            num_cases=num_cases,
            weight=float(weights.sum()),
            confidence=confidence,
            num_resamples=num_resamples,
        )
    return figures


def _figures_of(score: PhantomScore) -> dict[str, tuple[float, float]]:
    """Value and weight of each figure for one case."""
    lesions, named, present = len(score.lesion_ious), score.num_named, score.num_present
    return {
        "well_formed": (float(score.well_formed), 1.0),
        "exact_answer": (float(score.exact_answer), 1.0),
        "finding_precision": (_share(score.num_right, named), float(named)),
        "finding_recall": (_share(score.num_right, present), float(present)),
        "finding_f1": (_share(2 * score.num_right, named + present), float(named + present)),
        "heart_iou": (score.heart_iou, 1.0),
        "lesion_iou": (fmean(score.lesion_ious) if lesions else 0.0, float(lesions)),
        "lesion_recall": (_share(score.num_lesions_named, lesions), float(lesions)),
        "hallucinated": (float(score.num_hallucinated), 1.0),
        "omitted": (float(score.num_omitted), 1.0),
        "negation_flips": (float(len(score.kinds_flipped)), 1.0),
        "laterality_flips": (float(score.num_on_wrong_side), 1.0),
        "num_characters": (float(score.num_characters), 1.0),
        "num_boxes": (float(len(score.boxes)), 1.0),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def named_findings(answer: str | None) -> set[str]:
    """The findings that an answer lists; whatever else it says counts as a finding that is not there."""
    parts = re.split(r",|;|\||\band\b", (answer or "").lower())
    names = {" ".join(part.strip(" .").split()) for part in parts}
    return names - {"", NO_FINDING}


def _says_none(answer: str | None) -> bool:
    return (answer or "").lower().strip(" .") == NO_FINDING


def claims(step: str) -> set[str]:
    """The findings that a step says are there: "left effusion", "cardiomegaly"."""
    text = step.lower()
    denied = _DENIED.search(text)
    names = set()
    for kind in KINDS:
        found = _LARGE_HEART.search(text) if kind == "cardiomegaly" else re.search(rf"\b{kind}", text)
        if found and not (denied and denied.start() < found.end()):
            names |= {kind} if kind not in ALL_LESIONS else {f"{side} {kind}" for side in _sides(text)}
    return names


def speaks_of_heart(step: str) -> bool:
    """Whether a step is about the heart, whatever it says of it."""
    return bool(_HEART.search(step.lower()))


def _found_by_kind(findings: Sequence[Finding], named: set[str]) -> Iterator[tuple[str, int, int]]:
    """Of each kind that is there: the kind, how many there are, how many of them are named."""
    for kind in KINDS:
        there = [finding.name for finding in findings if finding.kind == kind]
        if there:
            yield kind, len(there), sum(name in named for name in there)


def _num_on_wrong_side(lesions: Sequence[Finding], said: set[str]) -> int:
    """Lesions that are named on the other side, where nothing of their kind is, and not on their own."""
    there = {lesion.name for lesion in lesions}
    others = [f"{SIDES[1 - SIDES.index(str(lesion.side))]} {lesion.kind}" for lesion in lesions]
    return sum(
        lesion.name not in said and other in said and other not in there
        for lesion, other in zip(lesions, others, strict=True)
    )


def _placed(steps: Sequence[ParsedStep], model_size: tuple[int, int]) -> Iterator[PlacedBox]:
    """Every box with what its step points at: the findings it claims, the heart, or anything else."""
    width, height = model_size
    for step in steps:
        subject = ", ".join(sorted(claims(step.text) - {"cardiomegaly"}))
        subject = subject or ("heart" if speaks_of_heart(step.text) else "anything else")
        for number, box in enumerate(step.boxes):
            # A step's second box is another place: of two lungs each is compared with its like.
            place = f"{subject} {number + 1}" if number else subject
            edges = (box.x_min / width, box.y_min / height, box.x_max / width, box.y_max / height)
            yield place, *edges


def _sides(text: str) -> list[str]:
    if re.search(r"\b(bilateral|both)\b", text):
        return list(SIDES)
    return [side for side in SIDES if re.search(rf"\b{side}\b", text)]


def _lesion_iou(steps: Sequence[ParsedStep], lesion: Finding) -> float:
    return _pointed_iou([step for step in steps if lesion.name in claims(step.text)], lesion.region)


def _pointed_iou(steps: Sequence[ParsedStep], region: Box) -> float:
    """Mean IoU of all boxes of these steps with the region; 0 when they point nowhere."""
    boxes = [box for step in steps for box in step.boxes]
    return fmean(iou(box, region) for box in boxes) if boxes else 0.0
