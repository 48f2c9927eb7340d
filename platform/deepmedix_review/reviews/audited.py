"""What the audit record is told of reader studies and readings: how they are called, and of which study.

The record is for admins, who may see which study a case is of; readers see the case's own name alone.
"""

import uuid
from collections.abc import Collection

from django.urls import reverse

from deepmedix_review.audit.subjects import Called, Uids, uids_beginning
from deepmedix_review.reviews.models import Assignment, ReaderStudy, Reading


def find_cases(words: str) -> Uids:
    """By the name under which a reader saw it."""
    between = uids_beginning(words, prefix="C-")
    if between is None:
        return {}
    return _with_readings(set(Assignment.objects.filter(uid__range=between).values_list("uid", flat=True)))


def readings_of(studies: Collection[uuid.UUID]) -> Uids:
    return _with_readings(
        set(Assignment.objects.filter(case__study__uid__in=studies).values_list("uid", flat=True))
    )


def _with_readings(assignments: set[uuid.UUID]) -> Uids:
    if not assignments:
        return {}
    readings = Reading.objects.filter(assignment__uid__in=assignments).values_list("uid", flat=True)
    return {"Assignment": assignments, "Reading": set(readings)}


def called_readings(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    found = Reading.objects.filter(uid__in=uids).select_related(
        "assignment__case__study", "assignment__case__reader_study"
    )
    return {reading.uid: _called(reading.assignment) for reading in found}


def called_assignments(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    found = Assignment.objects.filter(uid__in=uids).select_related("case__study", "case__reader_study")
    return {assignment.uid: _called(assignment) for assignment in found}


def called_reader_studies(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    found = ReaderStudy.objects.filter(uid__in=uids)
    return {one.uid: Called(one.title, reverse("reader-study-detail", args=[one.uid])) for one in found}


def _called(assignment: Assignment) -> Called:
    case = assignment.case
    label = f"{assignment.label} of {case.study.label} in {case.reader_study.title}"
    return Called(label, reverse("reader-study-detail", args=[case.reader_study.uid]))
