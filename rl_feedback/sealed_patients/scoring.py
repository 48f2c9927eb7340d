"""How a completion stands to what readers said of its film: findings, regions and answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from inference.dialects import Dialect
from inference.grounding import ParsedCompletion, ParsedStep, parse_completion
from inference.regions import Box, Preparation, region_problem, to_image_px
from rl_feedback.agreement import iou_matrix
from rl_feedback.rewards.answer import score_answer
from rl_feedback.sealed_patients.findings import Finding, is_among, told_by
from rl_feedback.sealed_patients.references import Reference

# A denied finding in an answer weighs half of one that is there, as in the reward.
_ABSENT_WEIGHT = 0.5


@dataclass(frozen=True)
class WroteHow:
    """How a model writes, and in what it counts its regions (inference.regions); sizes are (width, height).
    `reasons`: its prompt asks for reasoning."""

    box_frame: str
    model_size: tuple[int, int]
    image_size: tuple[int, int]
    dialect: Dialect = Dialect.DEEPMEDIX
    reasons: bool = True
    preparation: str = Preparation.ASPECT

    def read(self, text: str) -> ParsedCompletion:
        return parse_completion(text, reasons=self.reasons, dialect=self.dialect)


@dataclass(frozen=True)
class SealedScore:
    """`found` and `ious` have an entry for each confirmed finding: whether it is said, and how far the
    regions of the steps that say it are those of its readers (None where nobody drew it). Struck and denied
    ones count where the text says that they are there. `unjudged`: what is said to be there and no reader
    judged, which is neither right nor wrong. `answer` is None where no right answer is known."""

    found: tuple[bool, ...]
    ious: tuple[float | None, ...]
    struck_said: tuple[Finding, ...]
    denied_said: tuple[Finding, ...]
    unjudged: tuple[Finding, ...]
    num_said: int
    answer: float | None
    well_formed: bool
    num_characters: int
    num_boxes: int


def score_sealed(text: str, reference: Reference, how: WroteHow) -> SealedScore:
    """Score a completion by rules alone: two texts that say the same earn the same.

    >>> left = Finding("Pleural Effusion", "left")
    >>> known = Reference((), (left,), (), (), (), 1, ("R1",))
    >>> how = WroteHow("processed", (112, 112), (112, 112))
    >>> score = score_sealed("<think> A left effusion; A nodule </think> \\\\boxed{?}", known, how)
    >>> list(map(str, score.struck_said)), list(map(str, score.unjudged))
    (['left pleural effusion'], ['nodule'])
    """
    parsed = how.read(text)
    by_step = [(step, told_by([step.text]).present) for step in parsed.steps]
    said = told_by((parsed.answer or "").split(",")).present.union(*(found for _, found in by_step))
    confirmed = [one.finding for one in reference.confirmed]
    beyond = {finding for finding in said if not is_among(finding, confirmed)}
    known = (*reference.struck, *reference.denied, *reference.disputed)
    return SealedScore(
        found=tuple(is_among(finding, said) for finding in confirmed),
        ious=tuple(_iou(one.boxes, by_step, one.finding, how) for one in reference.confirmed),
        struck_said=tuple(finding for finding in reference.struck if is_among(finding, beyond)),
        denied_said=tuple(finding for finding in reference.denied if is_among(finding, beyond)),
        unjudged=tuple(sorted(finding for finding in beyond if not is_among(finding, known))),
        num_said=len(said),
        answer=_answer(parsed.answer, reference.answers),
        well_formed=not parsed.problems,
        num_characters=len(text),
        num_boxes=sum(len(step.boxes) for step in parsed.steps),
    )


def pointed_boxes(text: str, how: WroteHow) -> tuple[Box, ...]:
    """All regions of a text that can be shown, in film pixels."""
    return tuple(box for step in how.read(text).steps for box in _on_film(step, how) if box)


def _iou(
    regions: Sequence[Box],
    by_step: Sequence[tuple[ParsedStep, frozenset[Finding]]],
    finding: Finding,
    how: WroteHow,
) -> float | None:
    """Twice the IoU of regions matched one to one over all regions, readers' and the model's: more boxes
    never pay. 0 where the finding is not said, or nowhere."""
    if not regions:
        return None
    boxes = [box for step, found in by_step if is_among(finding, found) for box in _on_film(step, how)]
    placed = [box for box in boxes if box is not None]
    if not placed:
        return 0.0
    ious = iou_matrix(regions, placed)
    rows, columns = scipy.optimize.linear_sum_assignment(ious, maximize=True)
    return float(2 * np.sum(ious[rows, columns]) / (len(regions) + len(boxes)))


def _on_film(step: ParsedStep, how: WroteHow) -> list[Box | None]:
    """None for a box that can't be a region."""
    placed = [
        to_image_px(
            box,
            frame=how.box_frame,
            model_size=how.model_size,
            image_size=how.image_size,
            preparation=how.preparation,
        )
        for box in step.boxes
    ]
    return [None if region_problem(box, how.image_size) else box for box in placed]


def _answer(answer: str | None, right: Sequence[str]) -> float | None:
    """Against the right answer that is nearest, by its findings and their sides; wording counts only where
    the right answer names no finding."""
    if not right:
        return None
    return max(
        score_answer(answer, one, label_share=1.0, absent_weight=_ABSENT_WEIGHT).value for one in right
    )
