"""Tells the reader of a signed training case what should have been said, beside what was."""

from dataclasses import dataclass

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import Region
from deepmedix_review.reviews.known_answers import (
    FeedbackItem,
    KnownAnswer,
    WordOfReader,
    compare,
    read_known_answer,
)
from deepmedix_review.reviews.models import Case, Reading, RegionAnnotation
from deepmedix_review.reviews.reading.first_read_view import FirstReadForm
from deepmedix_review.reviews.reading.parts import Said
from inference.regions import Box

TAUGHT = (Case.Role.TRAINING, Case.Role.CALIBRATION)


@dataclass(frozen=True)
class FeedbackView:
    """`known_answer` is the whole of it; `items` compare it with the reading, thing by thing."""

    known_answer: KnownAnswer
    items: tuple[FeedbackItem, ...]


def show_feedback(reading: Reading, said: Said, first_read: FirstReadForm | None) -> FeedbackView | None:
    """None before the signature, and of every case that is not there to teach."""
    case = reading.assignment.case
    if reading.signed_at is None or case.role not in TAUGHT or not case.known_answer:
        return None
    try:
        known = read_known_answer(case.known_answer)
    except RefusedByRule as refusal:
        # The reader can't mend it, so it keeps nothing else of the reading from being shown.
        return FeedbackView(KnownAnswer(), (FeedbackItem("Known answer", "", str(refusal), agrees=None),))
    first = first_read.first if first_read else None
    asks_findings = first_read is not None and first_read.form == "findings"
    word = WordOfReader(
        findings=first.findings if first and asks_findings else None,
        choice=first.choice if first and not asks_findings else None,
        boxes=_boxes(reading, said),
    )
    return FeedbackView(known, compare(word, known))


def _boxes(reading: Reading, said: Said) -> tuple[Box, ...]:
    """The regions that the reader stands for: drawn, redrawn, or found fitting."""
    drawn = [Box(one.x_min, one.y_min, one.x_max, one.y_max) for one in said.drawn_regions]
    for one in said.region_annotations:
        if (
            one.x_min is not None
            and one.y_min is not None
            and one.x_max is not None
            and one.y_max is not None
        ):
            drawn.append(Box(one.x_min, one.y_min, one.x_max, one.y_max))
    fitting = Region.objects.filter(
        annotations__reading=reading, annotations__verdict=RegionAnnotation.Verdict.FITS
    )
    return (*drawn, *(Box(one.x_min, one.y_min, one.x_max, one.y_max) for one in fitting))
