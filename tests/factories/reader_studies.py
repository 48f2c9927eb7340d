"""Reader studies for tests in any state of their life, and readings signed without a word in them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.designs.design import Shows
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.services import give_number
from deepmedix_review.reviews.study_services import (
    StudyDraft,
    design_reader_study,
    start_reader_study,
)
from deepmedix_review.reviews.study_services.signing import note_signature
from deepmedix_review.studies.models import Study
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.reviews import HEART, NODULE, completed_study
from tests.factories.studies import InstanceFactory

ALONE = ReaderStudyDesign(shows="one")


def studies(number: int, *, num_completions: int = 1) -> list[Study]:
    return [completed_study(num_completions=num_completions) for _ in range(number)]


def studies_that_differ(number: int, *, num_completions: int = 2) -> list[Study]:
    """Every other one has another finding, so that a sentence of one is foreign to the next."""
    return [
        completed_study(num_completions=num_completions, finding=(HEART, NODULE)[place % 2])
        for place in range(number)
    ]


def experts(number: int) -> list[User]:
    return [ExpertFactory.create() for _ in range(number)]


def a_draft(
    *,
    num_cases: int = 4,
    num_readers: int = 2,
    design: ReaderStudyDesign = ALONE,
    **fields: Any,
) -> StudyDraft:
    """Ready to start: cases with one completion, or two where the design shows two."""
    draft = StudyDraft(title="Reader study", design=design, readers=experts(num_readers))
    if "studies" not in fields:
        fields["studies"] = studies(num_cases, num_completions=2 if design.has_sides else 1)
    return replace(draft, **fields)


def running(draft: StudyDraft | None = None, **fields: Any) -> ReaderStudy:
    """Designed, accepted by every reader, and started."""
    reader_study = design_reader_study(draft=draft or a_draft(**fields), actor=None)
    Invitation.objects.filter(reader_study=reader_study).update(state=Invitation.State.ACCEPTED)
    return start_reader_study(reader_study=reader_study, actor=None)


def two_versions_running(
    *,
    num_cases: int,
    num_readers: int = 1,
    shows: Shows = "two_versions",
    is_newer_read_first: bool = False,
    **fields: Any,
) -> tuple[ReaderStudy, ModelVersion, ModelVersion]:
    """On each film one step and an answer of either; the study, the older version, the newer one."""
    instances = [InstanceFactory.create() for _ in range(num_cases)]
    older, newer = ServingModelFactory.create(), ModelVersionFactory.create()
    for instance in instances:
        for version in (newer, older) if is_newer_read_first else (older, newer):
            say(instance, steps=[HEART], answer="cardiomegaly", model_version=version)
    draft = a_draft(
        num_readers=num_readers,
        design=ReaderStudyDesign(shows=shows),
        studies=[instance.study for instance in instances],
        model_version=older,
        other_version=newer,
        **fields,
    )
    return running(draft), older, newer


def list_of(reader_study: ReaderStudy, reader: User) -> list[Assignment]:
    """What the reader has, in order."""
    return list(
        Assignment.objects.filter(case__reader_study=reader_study, reader=reader, withdrawn_at=None)
        .select_related("case")
        .order_by("position")
    )


def load_of(reader_study: ReaderStudy, reader: User) -> int:
    """How many data cases the reader has to read once."""
    return sum(
        item.kind == Assignment.Kind.FIRST and item.case.role == Case.Role.DATA
        for item in list_of(reader_study, reader)
    )


def sign_unsaid(assignment: Assignment, *, at: datetime | None = None) -> Reading:
    """Sign its reading as if it were complete: for tests of what follows a signature."""
    reading = Reading.objects.get(assignment=assignment, signed_at=None)
    moment = at or timezone.now()
    if reading.opened_at is None:
        give_number(assignment)
    Reading.objects.filter(pk=reading.pk).update(opened_at=moment, signed_at=moment)
    note_signature(reading)
    reading.refresh_from_db()
    return reading


def sign_all(assignments: Sequence[Assignment]) -> None:
    for assignment in assignments:
        sign_unsaid(assignment)
