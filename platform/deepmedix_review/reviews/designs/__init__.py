"""How a reader study is designed: who reads which case when, and what that will cost.

Pure: no database and no Django, so that a design can be tried out with made-up cases and readers.
"""

from deepmedix_review.reviews.designs.design import (
    DesignCase,
    DesignReader,
    PlannedAssignment,
    ReaderStudyDesign,
)
from deepmedix_review.reviews.designs.draw import draw, draw_new_reader, draw_open_slots, prepare
from deepmedix_review.reviews.designs.planning import ReadingTimes, StudyPlan, plan

__all__ = [
    "DesignCase",
    "DesignReader",
    "PlannedAssignment",
    "ReaderStudyDesign",
    "ReadingTimes",
    "StudyPlan",
    "draw",
    "draw_new_reader",
    "draw_open_slots",
    "plan",
    "prepare",
]
