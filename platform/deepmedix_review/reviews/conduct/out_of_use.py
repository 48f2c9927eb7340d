"""Which cases of a reader study nobody can read now: their film was reported, put on hold, or is missing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from deepmedix_review.reviews.models import Case, ReaderStudy
from deepmedix_review.studies.film_files import misses_a_file
from deepmedix_review.studies.looking.selectors import sightings_of
from deepmedix_review.studies.models import Study

MOST_NAMED = 200


@dataclass(frozen=True)
class CaseOutOfUse:
    """`num_reports` are readers' that nobody has looked into yet."""

    position: int
    study: uuid.UUID
    study_label: str
    state: str
    num_reports: int
    held_reasons: tuple[str, ...]


@dataclass(frozen=True)
class OutOfUse:
    num_cases: int
    cases: Sequence[CaseOutOfUse]

    @property
    def num_unnamed(self) -> int:
        return self.num_cases - len(self.cases)


def cases_out_of_use(reader_study: ReaderStudy) -> OutOfUse:
    """In their order. What was signed of them stays, and what was said comes back with the film."""
    closed = ~Q(study__state=Study.State.READY) | Q(misses_a_file("study"))
    rows = Case.objects.filter(closed, reader_study=reader_study).select_related("study").order_by("position")
    found = list(rows[:MOST_NAMED])
    reports = sightings_of([case.study for case in found])
    num_cases = rows.count() if len(found) == MOST_NAMED else len(found)
    cases = [
        CaseOutOfUse(
            position=case.position,
            study=case.study.uid,
            study_label=case.study.label,
            state=case.study.state,
            num_reports=len(reports.get(case.study_id, ())),
            held_reasons=tuple(case.study.held_reasons),
        )
        for case in found
    ]
    return OutOfUse(num_cases, cases)
