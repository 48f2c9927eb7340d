"""Whether a completion points at the right places for what it says there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from inference.grounding import LARGEST_NUMBER, ParsedCompletion, find_boxes
from inference.regions import Box, region_problem, to_image_px
from rl_feedback.agreement import iou_matrix
from rl_feedback.labels import KINDS_OF, State, label_report
from rl_feedback.rewards.lexical import stems
from rl_feedback.rewards.truth import CaseTruth, TruthRegion

_STRUCTURES = {
    "heart": r"heart|cardi\w+",
    "lung": r"lungs?|hemithorax",
    "mediastinum": r"mediastin\w+",
    "hilum": r"hil(?:um|a|ar)",
    "pleura": r"pleura|costophrenic",
    "diaphragm": r"(?:hemi)?diaphragms?",
    "aorta": r"aort\w+",
    "spine": r"spine|spinal|vertebra\w*",
    "ribs": r"ribs?",
    "trachea": r"trachea\w*",
}
_STRUCTURE = re.compile(
    r"\b(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _STRUCTURES.items()) + r")\b"
)
_SIDES = {"left": {"left"}, "right": {"right"}, "both": {"left", "right"}, "bilateral": {"left", "right"}}
# fmt: off
_SAYS_NOTHING = frozenset({
    "a", "an", "the", "is", "are", "was", "were", "be", "there", "here", "seen", "with", "and", "or", "of",
    "in", "on", "at", "to", "no", "not", "this", "that", "it", "its", "left", "right", "both", "bilateral",
    "side", "area", "region", "shows", "show",
})
# fmt: on


@dataclass(frozen=True)
class RegionScore:
    """`value` is the soft F1 of matched boxes: twice their summed IoU over all boxes, true and written.

    `num_invalid` of the `num_written` boxes can't be regions: corners swapped, no area, off the film, the
    whole film, not inside the reasoning, or numbers that no image has.
    """

    value: float
    num_expected: int
    num_written: int
    num_invalid: int
    ious: tuple[float, ...]


@dataclass(frozen=True)
class _Topic:
    """What a sentence or a region's name is about."""

    findings: tuple[tuple[str, State, frozenset[str]], ...]
    structures: frozenset[str]
    sides: frozenset[str]
    words: frozenset[str]


def score_regions(
    text: str, parsed: ParsedCompletion, truth: CaseTruth, *, max_boxes: int, forgives_spread: bool = False
) -> RegionScore | None:
    """A completion's boxes against the case's regions, matched one to one so that their IoUs sum to the
    most (Kuhn 1955), each box only with a region of what its step speaks of. With `forgives_spread` a region
    is taken where the experts' spread lets it lie nearest to the box. None where nobody drew regions.
    """
    if truth.regions is None:
        return None
    num_written = len(find_boxes(text))
    pointed = [
        (step.text, box)
        for step in parsed.steps
        for box in (_on_film(box, truth) for box in step.boxes)
        if box is not None
    ]
    expected = len(truth.regions)
    ious: tuple[float, ...] = ()
    if num_written <= max(max_boxes, 2 * expected):
        ious = _matched(pointed, truth, forgives_spread=forgives_spread)
    total = expected + num_written
    return RegionScore(
        value=2 * sum(ious) / total if total else 1.0,
        num_expected=expected,
        num_written=num_written,
        num_invalid=num_written - len(pointed),
        ious=ious,
    )


def speaks_of(step: str, region: str) -> bool:
    """Whether a step's sentence is about what a region shows, and says nothing that contradicts it.

    >>> speaks_of("There is a left pleural effusion", "left effusion")
    True
    >>> speaks_of("There is no effusion", "left effusion"), speaks_of("Right effusion", "left effusion")
    (False, False)
    """
    said, shown = _topic(step), _topic(region)
    if shown.findings:
        return any(
            _is_kind(name, other) and _agree(state, true_state) and _meet(sides, true_sides)
            for name, true_state, true_sides in shown.findings
            for other, state, sides in said.findings
        )
    if shown.structures:
        return bool(said.structures & shown.structures) and _meet(said.sides, shown.sides)
    return bool(said.words & shown.words) and _meet(said.sides, shown.sides)


def nearest_box(region: TruthRegion, box: Box) -> Box:
    """The region with each edge moved towards the box's, by no more than the experts' spread of that edge and
    never by more than a quarter of the region's side: who disagree widely do not make every place right.

    Moving an edge towards the box's never lowers their IoU, so a wider spread never costs; a box with every
    edge within the spread is the region itself.

    >>> heart = TruthRegion("heart", Box(10, 10, 50, 50), tolerance=Box(2, 2, 2, 2))
    >>> tuple(nearest_box(heart, Box(11, 5, 53, 50)))
    (11, 8, 52, 50)
    """
    if region.tolerance is None:
        return region.box
    x_min, y_min, x_max, y_max = region.box
    most = ((x_max - x_min) / 4, (y_max - y_min) / 4) * 2
    edges = (
        min(max(wanted, edge - reach), edge + reach)
        for wanted, edge, reach in zip(box, region.box, map(min, region.tolerance, most), strict=True)
    )
    return Box(*edges)


def _on_film(box: Box, truth: CaseTruth) -> Box | None:
    if max(map(abs, box)) > LARGEST_NUMBER:
        return None
    placed = to_image_px(box, frame=truth.box_frame, model_size=truth.model_size, image_size=truth.image_size)
    return None if region_problem(placed, truth.image_size) else placed


def _matched(
    pointed: Sequence[tuple[str, Box]], truth: CaseTruth, *, forgives_spread: bool
) -> tuple[float, ...]:
    regions = truth.regions or ()
    if not pointed or not regions:
        return ()
    allowed = np.array([[speaks_of(step, region.finding) for region in regions] for step, _ in pointed])
    ious = iou_matrix([box for _, box in pointed], [region.box for region in regions])
    if forgives_spread:
        for row, column in np.argwhere(allowed):
            box = pointed[row][1]
            ious[row, column] = iou_matrix([box], [nearest_box(regions[column], box)])[0, 0]
    ious = ious * allowed
    rows, columns = scipy.optimize.linear_sum_assignment(ious, maximize=True)
    return tuple(
        float(ious[row, column]) for row, column in zip(rows, columns, strict=True) if ious[row, column]
    )


@lru_cache(maxsize=20_000)
def _topic(text: str) -> _Topic:
    small = text.lower()
    words = re.findall(r"[a-z]+", small)
    return _Topic(
        findings=tuple((m.finding, m.state, m.sides) for m in label_report(text).mentions),
        structures=frozenset(match.lastgroup or "" for match in _STRUCTURE.finditer(small)),
        sides=frozenset().union(*(_SIDES[word] for word in words if word in _SIDES)),
        words=frozenset(stems(" ".join(word for word in words if word not in _SAYS_NOTHING))),
    )


def _is_kind(first: str, second: str) -> bool:
    """Whether both are the same finding, or one a kind of the other."""
    return first == second or second == KINDS_OF.get(first) or first == KINDS_OF.get(second)


def _agree(state: State, true_state: State) -> bool:
    return {state, true_state} != {State.PRESENT, State.ABSENT}


def _meet(a: frozenset[str], b: frozenset[str]) -> bool:
    return not a or not b or bool(a & b)
