"""Keeps the draft of a reader study as an admin writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal, cast

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.criteria.versions import Asked, ask, asked_of
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Case, Invitation, ReaderStudy
from deepmedix_review.studies.models import CollectionVersion, Study


@dataclass(frozen=True)
class TaughtCase:
    """A case that teaches (`training`) or tunes (`calibration`) a reader, and what should have been said."""

    study: Study
    known_answer: Mapping[str, Any]
    role: Literal["training", "calibration"] = "training"


@dataclass(frozen=True)
class Collected:
    """Where cases came from: a version of a collection, one side or (empty) all, `most` drawn by the seed."""

    version: CollectionVersion
    split: str = ""
    most: int | None = None


@dataclass(frozen=True)
class StudyDraft:
    """All that an admin says of a reader study. A draft may lack anything but its title.

    No `asked` criteria ask what was always asked. No `model_version` is the one that serves at the start.
    `collected` says where `studies` came from; None where they were chosen otherwise. `leaves_out_same`: at
    the start too, since a model may have said more meanwhile; `num_same_left_out` are those by now.
    """

    title: str
    studies: Sequence[Study] = ()
    collected: Collected | None = None
    leaves_out_same: bool = False
    num_same_left_out: int = 0
    taught: Sequence[TaughtCase] = ()
    readers: Sequence[User] = ()
    asked: Sequence[Asked] = ()
    design: ReaderStudyDesign = field(default_factory=ReaderStudyDesign)
    model_version: ModelVersion | None = None
    other_version: ModelVersion | None = None
    instructions: str = ""
    seed: int = 1
    deadline: date | None = None
    hides_results: bool = False
    first_read_choices: Sequence[str] = ()
    lease_minutes: int = 120
    adjudication: str = ReaderStudy.Adjudication.OFF
    adjudication_points: float = 2.0


@transaction.atomic
def design_reader_study(
    *, draft: StudyDraft, actor: User | None, reader_study: ReaderStudy | None = None
) -> ReaderStudy:
    """A new draft, or all of an earlier one written anew. Raises RefusedByRule where it began already."""
    if actor is not None:
        require(actor, Capability.DESIGN_READER_STUDIES)
    title = draft.title.strip()
    if not title:
        raise RefusedByRule("The reader study has no title. Give it one.")
    barred = [reader.pseudonym for reader in draft.readers if not may(reader, Capability.READ_CASES)]
    if barred:
        raise RefusedByRule(f"{', '.join(barred)} may not read cases. Choose experts only.")
    keep_whole()
    if reader_study is None:
        reader_study = ReaderStudy(created_by=actor)
    else:
        reader_study = ReaderStudy.objects.select_for_update().get(pk=reader_study.pk)
        if reader_study.state != ReaderStudy.State.DRAFT:
            raise RefusedByRule("This reader study has begun, so its design stays. Extend it instead.")
    if draft.collected is not None:
        _hold(draft.collected.version)
    action = "redesign_reader_study" if reader_study.pk else "design_reader_study"
    for name, value in _columns(draft).items():
        setattr(reader_study, name, value)
    reader_study.title = title
    reader_study.state = ReaderStudy.State.DRAFT
    reader_study.save()
    _write_cases(reader_study, draft)
    _write_readers(reader_study, draft.readers)
    ask(reader_study, draft.asked)
    record_event(
        actor=actor,
        action=action,
        subject=reader_study,
        details={
            "design": draft.design.design,
            "cases": len(draft.studies),
            "taught": len(draft.taught),
            "readers": [str(reader.uid) for reader in draft.readers],
            "seed": draft.seed,
            "collection": str(draft.collected.version.uid) if draft.collected else None,
        },
    )
    return reader_study


def draft_of(reader_study: ReaderStudy) -> StudyDraft:
    """The draft as it was written, to be changed and written again."""
    cases = list(Case.objects.filter(reader_study=reader_study).select_related("study"))
    return StudyDraft(
        title=reader_study.title,
        studies=[case.study for case in cases if case.role == Case.Role.DATA],
        collected=collected_of(reader_study),
        leaves_out_same=reader_study.leaves_out_same,
        num_same_left_out=reader_study.num_same_left_out or 0,
        taught=[
            TaughtCase(
                case.study,
                case.known_answer or {},
                cast(Literal["training", "calibration"], str(case.role)),
            )
            for case in cases
            if case.role in (Case.Role.TRAINING, Case.Role.CALIBRATION)
        ],
        readers=[
            invitation.reader
            for invitation in reader_study.invitations.select_related("reader").order_by("pk")
        ],
        asked=asked_of(reader_study),
        design=design_of(reader_study),
        model_version=reader_study.model_version,
        other_version=reader_study.other_version,
        instructions=reader_study.instructions,
        seed=reader_study.seed,
        deadline=reader_study.deadline,
        hides_results=reader_study.hides_results,
        first_read_choices=reader_study.first_read_choices,
        lease_minutes=reader_study.lease_minutes,
        adjudication=reader_study.adjudication,
        adjudication_points=reader_study.adjudication_points,
    )


def collected_of(reader_study: ReaderStudy) -> Collected | None:
    """From which version of a collection its cases were taken; None where they were chosen otherwise."""
    if reader_study.collection_version is None:
        return None
    return Collected(
        reader_study.collection_version, reader_study.collection_split, reader_study.collection_most
    )


def design_of(reader_study: ReaderStudy) -> ReaderStudyDesign:
    """The part of a reader study that says who reads what."""
    values: dict[str, Any] = {}
    for name in ReaderStudyDesign.__dataclass_fields__:
        value = getattr(reader_study, name)
        values[name] = str(value) if isinstance(value, str) else value
    return ReaderStudyDesign(**values)


def _columns(draft: StudyDraft) -> dict[str, Any]:
    return {
        **asdict(draft.design),
        "model_version": draft.model_version,
        "other_version": draft.other_version,
        "collection_version": draft.collected.version if draft.collected else None,
        "collection_split": draft.collected.split if draft.collected else "",
        "collection_most": draft.collected.most if draft.collected else None,
        "leaves_out_same": draft.leaves_out_same,
        "num_same_left_out": draft.num_same_left_out if draft.leaves_out_same else None,
        "instructions": draft.instructions.strip(),
        "seed": draft.seed,
        "deadline": draft.deadline,
        "hides_results": draft.hides_results,
        "first_read_choices": [choice.strip() for choice in draft.first_read_choices if choice.strip()],
        "lease_minutes": draft.lease_minutes,
        "adjudication": draft.adjudication,
        "adjudication_points": draft.adjudication_points,
    }


def _hold(version: CollectionVersion) -> None:
    """Locked until the draft names it, so that nobody deletes it meanwhile."""
    if not CollectionVersion.objects.select_for_update().filter(pk=version.pk).exists():
        raise RefusedByRule("That version of the collection was deleted meanwhile. Choose another one.")


def _write_cases(reader_study: ReaderStudy, draft: StudyDraft) -> None:
    Case.objects.filter(reader_study=reader_study).delete()
    taught = [
        Case(study=case.study, role=case.role, known_answer=dict(case.known_answer)) for case in draft.taught
    ]
    data = [Case(study=study) for study in draft.studies]
    for position, case in enumerate([*taught, *data], start=1):
        case.reader_study, case.position = reader_study, position
    Case.objects.bulk_create([*taught, *data])


def _write_readers(reader_study: ReaderStudy, readers: Sequence[User]) -> None:
    invitations = Invitation.objects.filter(reader_study=reader_study)
    invitations.exclude(reader__in=readers).delete()
    Invitation.objects.bulk_create(
        [Invitation(reader_study=reader_study, reader=reader) for reader in readers], ignore_conflicts=True
    )
