"""Readers' work on completions: who reads what, and what a reader said of each step, region and answer."""

from deepmedix_review.reviews.models.criteria import Criterion
from deepmedix_review.reviews.models.designs import (
    Assignment,
    Case,
    Invitation,
    ReaderStudy,
    ReaderStudyCriterion,
)
from deepmedix_review.reviews.models.notices import WorklistNotice
from deepmedix_review.reviews.models.readings import (
    AnswerRating,
    CriterionRating,
    DrawnRegion,
    FirstRead,
    MissedFinding,
    ReaderClock,
    Reading,
    ReadingChange,
    RegionAnnotation,
    StepRating,
    Vote,
)

__all__ = [
    "AnswerRating",
    "Assignment",
    "Case",
    "Criterion",
    "CriterionRating",
    "DrawnRegion",
    "FirstRead",
    "Invitation",
    "MissedFinding",
    "ReaderClock",
    "ReaderStudy",
    "ReaderStudyCriterion",
    "Reading",
    "ReadingChange",
    "RegionAnnotation",
    "StepRating",
    "Vote",
    "WorklistNotice",
]
