"""What a model says of patients that nothing learns from, against what their readers said of them."""

from rl_feedback.sealed_patients.figures import LABELS, sealed_case_scores
from rl_feedback.sealed_patients.findings import Finding
from rl_feedback.sealed_patients.references import (
    Reference,
    ReferenceFinding,
    reference_of,
    references_of,
)
from rl_feedback.sealed_patients.scoring import SealedScore, WroteHow, score_sealed

__all__ = [
    "LABELS",
    "Finding",
    "Reference",
    "ReferenceFinding",
    "SealedScore",
    "WroteHow",
    "reference_of",
    "references_of",
    "score_sealed",
    "sealed_case_scores",
]
