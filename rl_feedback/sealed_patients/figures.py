"""The figures of a version over sealed films that readers have read, film by film, as the gate compares."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from rl_feedback.gate.policy import CaseScores
from rl_feedback.sealed_patients.references import Reference
from rl_feedback.sealed_patients.scoring import SealedScore

LABELS = {
    "confirmed_said": "Confirmed findings said",
    "added_said": "Findings said that readers had to add",
    "confirmed_iou": "Region IoU with readers' regions",
    "struck_said": "Struck findings said again",
    "denied_said": "Findings said that readers let be denied",
    "answer_fit": "Answers as readers would have them",
    "unjudged": "Findings that no reader judged, a film",
    "well_formed": "Format",
    "num_boxes": "Regions drawn",
    "num_characters": "Answer length",
}


def sealed_case_scores(
    scores: Sequence[SealedScore], references: Sequence[Reference]
) -> dict[str, CaseScores]:
    """Weights make the weighted mean the pooled figure: confirmed findings for those that are said. A film on
    which a figure is undefined weighs 0."""
    table = [_figures_of(score, known) for score, known in zip(scores, references, strict=True)]
    return {
        name: CaseScores(tuple(row[name][0] for row in table), tuple(row[name][1] for row in table))
        for name in LABELS
    }


def _figures_of(score: SealedScore, known: Reference) -> dict[str, tuple[float, float]]:
    added = [said for said, one in zip(score.found, known.confirmed, strict=True) if one.is_added]
    ious = [iou for iou in score.ious if iou is not None]
    return {
        "confirmed_said": _share(sum(score.found), len(score.found)),
        "added_said": _share(sum(added), len(added)),
        "confirmed_iou": (fmean(ious) if ious else 0.0, float(len(ious))),
        "struck_said": _share(len(score.struck_said), len(known.struck)),
        "denied_said": _share(len(score.denied_said), len(known.denied)),
        "answer_fit": (score.answer or 0.0, float(score.answer is not None)),
        "unjudged": (float(len(score.unjudged)), 1.0),
        "well_formed": (float(score.well_formed), 1.0),
        "num_boxes": (float(score.num_boxes), 1.0),
        "num_characters": (float(score.num_characters), 1.0),
    }


def _share(part: int, whole: int) -> tuple[float, float]:
    return (part / whole if whole else 0.0), float(whole)
