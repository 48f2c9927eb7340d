"""Finds readers' work: the worklist, a reader study's progress, and the readings that were signed.

A reader finds their own assignments alone; nobody finds here what another reader said of a case still open.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case as If
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may, require
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.reviews.guards import require_may_open
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.studies.models import ImportBatch, Study

PAGE = 50
# A demo that takes longer has failed: the worklist then promises nothing.
LONGEST_DEMO = timedelta(hours=1)


@dataclass(frozen=True)
class Progress:
    """How many of the assigned cases are signed; `name` is a reader study's title or a reader's pseudonym."""

    uid: uuid.UUID
    name: str
    num_assigned: int
    num_signed: int

    @property
    def num_open(self) -> int:
        return self.num_assigned - self.num_signed


@dataclass(frozen=True)
class WorklistRow:
    assignment: uuid.UUID
    reading: uuid.UUID
    reader_study: str
    case_label: str
    position: int
    num_cases: int
    opened_at: datetime | None
    signed_at: datetime | None
    is_withdrawn: bool


@dataclass(frozen=True)
class Worklist:
    """`after` is the cursor of the next page, None on the last."""

    rows: tuple[WorklistRow, ...]
    progress: tuple[Progress, ...]
    num_open: int
    num_signed: int
    after: uuid.UUID | None


@dataclass(frozen=True)
class ReaderStudyRow:
    uid: uuid.UUID
    title: str
    created_at: datetime
    num_cases: int
    num_readers: int
    num_assigned: int
    num_signed: int


@dataclass(frozen=True)
class CaseRow:
    position: int
    study: uuid.UUID
    study_label: str
    num_assigned: int
    num_signed: int


_OPEN = Exists(Reading.objects.filter(assignment=OuterRef("pk"), signed_at=None))


def worklist(reader: User, *, signed: bool = False, after: uuid.UUID | None = None) -> Worklist:
    """A page of the reader's own cases, still to be read or signed, in the order of assignment."""
    require(reader, Capability.READ_CASES)
    readings = Reading.objects.filter(assignment__reader=reader, signed_at__isnull=not signed)
    if signed:
        readings = readings.filter(amended_by=None)
    if after is not None:
        cursor = Assignment.objects.filter(reader=reader, uid=after).values("pk")
        readings = readings.filter(assignment__gt=cursor)
    readings = readings.select_related("assignment__case__reader_study", "assignment__case__study")
    found = list(readings.order_by("assignment_id")[: PAGE + 1])
    page = found[:PAGE]
    num_cases = _num_cases({reading.assignment.case.reader_study_id for reading in page})
    progress = _progress_by_reader_study(reader)
    return Worklist(
        rows=tuple(_worklist_row(reading, num_cases) for reading in page),
        progress=progress,
        num_open=sum(study.num_open for study in progress),
        num_signed=sum(study.num_signed for study in progress),
        after=page[-1].assignment.uid if len(found) > PAGE else None,
    )


def reading_for(user: User, uid: uuid.UUID) -> Reading:
    """The user's own reading with all that its page shows.

    Raises NotYours for any other, there or not: an answer that differed would tell which readings exist.
    """
    require(user, Capability.READ_CASES)
    reading = (
        Reading.objects.select_related(
            "assignment__case__reader_study",
            "assignment__case__study",
            "completion_a__instance__series",
            "completion_b",
            "amended_by",
        )
        .prefetch_related("votes")
        .filter(uid=uid, assignment__reader=user)
        .first()
    )
    if reading is None:
        raise NotYours("This reading is not among yours. Go back to your worklist.")
    require_not_withdrawn(reading.assignment.case.study)
    if reading.opened_at is None and reading.signed_at is None:
        require_may_open(reading.assignment_id)
    return reading


def assignment_for(user: User, uid: uuid.UUID) -> Assignment:
    """The user's own assignment. Raises NotYours for any other."""
    require(user, Capability.READ_CASES)
    assignment = Assignment.objects.select_related("case__study").filter(uid=uid, reader=user).first()
    if assignment is None:
        raise NotYours("This case is not assigned to you. Go back to your worklist.")
    require_not_withdrawn(assignment.case.study)
    return assignment


def require_not_withdrawn(study: Study) -> None:
    """Raises RefusedByRule where an admin put the study on hold or rejected it after it was assigned."""
    if study.state != Study.State.READY:
        raise RefusedByRule("An admin withdrew this case. Go back to your worklist and read the next one.")


def readable_now(reader_id: int) -> QuerySet[Reading]:
    """The reader's open readings that may be begun or gone on with at this moment."""
    now, today = timezone.now(), timezone.localdate()
    reader_study = "assignment__case__reader_study"
    welcome = Invitation.objects.filter(
        Q(deadline__isnull=True) | Q(deadline__gte=today),
        reader_study=OuterRef(reader_study),
        reader=reader_id,
        state=Invitation.State.ACCEPTED,
    )
    adjudicates = Q(assignment__kind=Assignment.Kind.ADJUDICATION)
    return Reading.objects.filter(
        adjudicates | Exists(welcome),
        ~Q(assignment__kind=Assignment.Kind.REPEAT) | Q(assignment__available_at__lte=now),
        Q(**{f"{reader_study}__state": ReaderStudy.State.RUNNING})
        | Q(**{f"{reader_study}__state": ReaderStudy.State.PAUSED}, opened_at__isnull=False),
        Q(**{f"{reader_study}__deadline": None}) | Q(**{f"{reader_study}__deadline__gte": today}),
        assignment__reader=reader_id,
        assignment__withdrawn_at=None,
        assignment__case__study__state=Study.State.READY,
        signed_at=None,
    )


def next_reading(reading: Reading) -> Reading | None:
    """The reader's next open case of the same reader study: by position, then the first left behind."""
    here = Assignment.objects.select_related("case").get(pk=reading.assignment_id)
    return (
        readable_now(here.reader_id)
        .filter(assignment__case__reader_study=here.case.reader_study_id)
        .exclude(pk=reading.pk)
        .order_by(
            If(When(assignment__position__gt=here.position, then=Value(0)), default=Value(1)),
            "assignment__position",
            "assignment_id",
        )
        .first()
    )


def num_cases_of(assignment: Assignment) -> int:
    """How many cases the reader has in this reader study, repeats among them: the N of "n of N"."""
    return Assignment.objects.filter(
        reader=assignment.reader_id, case__reader_study=assignment.case.reader_study_id, withdrawn_at=None
    ).count()


def signed_readings() -> QuerySet[Reading]:
    """The word that counts as data: signed, not amended since, of a study in use.

    Cases that teach or test readers are no data, nor is a hidden repeat; nothing is where the design hides
    results until the lock.
    """
    case = "assignment__case"
    signed = Reading.objects.filter(
        Q(**{f"{case}__reader_study__hides_results": False})
        | Q(**{f"{case}__reader_study__state": ReaderStudy.State.LOCKED}),
        **{f"{case}__study__state": Study.State.READY, f"{case}__role": Case.Role.DATA},
        assignment__kind__in=(Assignment.Kind.FIRST, Assignment.Kind.ADJUDICATION),
        signed_at__isnull=False,
    )
    return signed.exclude(amended_by__signed_at__isnull=False)


def assigned_studies(user: User) -> Q:
    """The studies of a reader's own cases: what `studies.selectors.READER_ACCESS` lets a reader see."""
    if not may(user, Capability.READ_CASES):
        return Q(pk__in=())
    return Q(pk__in=Assignment.objects.filter(reader=user).values("case__study"))


def demo_is_being_made() -> bool:
    """A demo import began within LONGEST_DEMO, and no reader study is there yet."""
    began = ImportBatch.objects.filter(
        source=ImportBatch.Source.DEMO, created_at__gt=timezone.now() - LONGEST_DEMO
    )
    return began.exists() and not ReaderStudy.objects.exists()


def completions_to_read(
    studies: Iterable[Study], *, model_version: ModelVersion | None = None
) -> Mapping[int, Sequence[Completion]]:
    """By study: the two newest completions (or the one) of this model on one film and one question."""
    model_version = model_version or serving_model()
    by_study: dict[int, list[Completion]] = defaultdict(list)
    completions = Completion.objects.filter(
        study__in=[study.pk for study in studies], model_version=model_version
    ).only("study_id", "instance_id", "query")
    for completion in completions.order_by("-pk"):
        chosen = by_study[completion.study_id]
        if not chosen or (
            len(chosen) == 1
            and (chosen[0].instance_id, chosen[0].query) == (completion.instance_id, completion.query)
        ):
            chosen.append(completion)
    return {study: sorted(chosen, key=lambda completion: completion.pk) for study, chosen in by_study.items()}


def reader_studies(*, before: uuid.UUID | None = None) -> tuple[Sequence[ReaderStudyRow], uuid.UUID | None]:
    """A page of reader studies, newest first, and the next page's cursor."""
    rows = ReaderStudy.objects.order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=ReaderStudy.objects.filter(uid=before).values("pk"))
    found = list(rows[: PAGE + 1])
    page = found[:PAGE]
    counts = {
        row["case__reader_study"]: row
        for row in Assignment.objects.filter(case__reader_study__in=page)
        .values("case__reader_study")
        .annotate(
            num_cases=Count("case", distinct=True),
            num_readers=Count("reader", distinct=True),
            num_assigned=Count("pk"),
            num_signed=Count("pk", filter=~_OPEN),
        )
    }
    return [
        ReaderStudyRow(
            uid=study.uid,
            title=study.title,
            created_at=study.created_at,
            num_cases=counts[study.pk]["num_cases"],
            num_readers=counts[study.pk]["num_readers"],
            num_assigned=counts[study.pk]["num_assigned"],
            num_signed=counts[study.pk]["num_signed"],
        )
        for study in page
        if study.pk in counts
    ], (page[-1].uid if len(found) > PAGE else None)


def progress_by_reader(reader_study: ReaderStudy) -> Sequence[Progress]:
    """How far each reader is, by pseudonym."""
    rows = (
        Assignment.objects.filter(case__reader_study=reader_study)
        .values_list("reader__uid", "reader__pseudonym")
        .annotate(num_assigned=Count("pk"), num_signed=Count("pk", filter=~_OPEN))
        .order_by("reader__pseudonym")
    )
    return [Progress(*row) for row in rows]


def cases_of(reader_study: ReaderStudy) -> Sequence[CaseRow]:
    """The cases in order, with how many of their readers have signed."""
    rows = (
        Assignment.objects.filter(case__reader_study=reader_study)
        .values_list("case__position", "case__study__uid")
        .annotate(num_assigned=Count("pk"), num_signed=Count("pk", filter=~_OPEN))
        .order_by("case__position")
    )
    return [
        CaseRow(position, study, Study(uid=study).label, num_assigned, num_signed)
        for position, study, num_assigned, num_signed in rows
    ]


def _progress_by_reader_study(reader: User) -> tuple[Progress, ...]:
    rows = (
        Assignment.objects.filter(reader=reader)
        .values_list("case__reader_study__uid", "case__reader_study__title")
        .annotate(num_assigned=Count("pk"), num_signed=Count("pk", filter=~_OPEN))
        .order_by("case__reader_study__title")
    )
    return tuple(Progress(*row) for row in rows)


def _num_cases(reader_studies: set[int]) -> Mapping[int, int]:
    return dict(
        Case.objects.filter(reader_study__in=reader_studies)
        .order_by()
        .values_list("reader_study")
        .annotate(Count("pk"))
    )


def _worklist_row(reading: Reading, num_cases: Mapping[int, int]) -> WorklistRow:
    case = reading.assignment.case
    return WorklistRow(
        assignment=reading.assignment.uid,
        reading=reading.uid,
        reader_study=case.reader_study.title,
        case_label=case.study.label,
        position=case.position,
        num_cases=num_cases[case.reader_study_id],
        opened_at=reading.opened_at,
        signed_at=reading.signed_at,
        is_withdrawn=case.study.state != Study.State.READY,
    )
