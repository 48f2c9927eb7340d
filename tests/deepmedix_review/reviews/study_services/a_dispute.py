"""A reader study whose readers differ, and what asks for it by name."""

from dataclasses import replace
from typing import Any

from deepmedix_review.accounts.models import User
from deepmedix_review.reasoning.models import ReasoningStep
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.disagreement import find_disagreements
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    Invitation,
    ReaderStudy,
    Reading,
    Vote,
)
from deepmedix_review.reviews.reading.changes import (
    RateStep,
)
from tests.factories.reader_studies import a_draft, running
from tests.factories.reviews import change, complete, sign

TWO_OF_THREE = ReaderStudyDesign(design="k_readers", readers_per_case=2)


def disputed_study(
    *,
    adjudication: str = "third_reader",
    num_cases: int = 1,
    num_readers: int = 3,
    design: ReaderStudyDesign = TWO_OF_THREE,
    **fields: Any,
) -> ReaderStudy:
    draft = a_draft(num_cases=num_cases, num_readers=num_readers, design=design, **fields)
    return running(replace(draft, adjudication=adjudication))


def readings_of(case: Case) -> list[Reading]:
    readings = Reading.objects.filter(assignment__case=case).select_related("assignment__reader")
    return list(readings.order_by("pk"))


def the_case(reader_study: ReaderStudy) -> Case:
    return Case.objects.get(reader_study=reader_study)


def say_alike(case: Case) -> tuple[Reading, Reading]:
    """Two readings, complete and of one mind: votes are for the same completion, whatever its side."""
    one, other = readings_of(case)
    complete(one, side=Vote.Side.A)
    complete(other, side=Vote.Side.A if one.completion_a_id == other.completion_a_id else Vote.Side.B)
    return one, other


def reasons(reader_study: ReaderStudy) -> list[str]:
    return [reason for found in find_disagreements(reader_study) for reason in found.reasons]


def spare_reader(reader_study: ReaderStudy) -> User:
    having = Assignment.objects.filter(case__reader_study=reader_study).values("reader")
    return Invitation.objects.filter(reader_study=reader_study).exclude(reader__in=having).get().reader


def dispute(reader_study: ReaderStudy) -> Case:
    return dispute_of(the_case(reader_study))


def dispute_of(case: Case) -> Case:
    one, other = say_alike(case)
    step = ReasoningStep.objects.filter(completion=other.completion_a)[0]
    change(other, RateStep(step.uid, 1, False, ""))
    for reading in (one, other):
        sign(reading)
    return case
