"""How a reader study is designed: who reads which case when, and what that will cost.

Pure: no database and no Django, so that a design can be tried out with made-up cases and readers.
"""

from deepmedix_review.reviews.designs.design import (
    DesignCase,
    DesignReader,
    ListBefore,
    PlannedAssignment,
    Problem,
    ReaderStudyDesign,
)
from deepmedix_review.reviews.designs.draw import draw, draw_new_reader, draw_open_slots, prepare
from deepmedix_review.reviews.designs.durations import (
    USUAL_REGIONS,
    USUAL_STEPS,
    Flawed,
    Hurried,
    MakeUp,
    Question,
    ReadingTimes,
    expected_times,
    make_up,
)
from deepmedix_review.reviews.designs.planning import StudyPlan, plan
from deepmedix_review.reviews.designs.washout import rooms_for_repeats, usual_washout

__all__ = [
    "USUAL_REGIONS",
    "USUAL_STEPS",
    "DesignCase",
    "DesignReader",
    "Flawed",
    "Hurried",
    "ListBefore",
    "MakeUp",
    "PlannedAssignment",
    "Problem",
    "Question",
    "ReaderStudyDesign",
    "ReadingTimes",
    "StudyPlan",
    "draw",
    "draw_new_reader",
    "draw_open_slots",
    "expected_times",
    "make_up",
    "plan",
    "prepare",
    "rooms_for_repeats",
    "usual_washout",
]
