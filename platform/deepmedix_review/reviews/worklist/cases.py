"""What a reader finds on coming in: how far each reader study is, and the cases to read, page by page.

Pages go by keyset over partial indexes and the counts are kept as things happen, so a page costs the same
however much the reader has read.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.worklist.readable import is_late, is_read_in, open_of, resting, unsigned_of
from deepmedix_review.studies.film_files import misses_a_file, studies_that_miss_a_file
from deepmedix_review.studies.models import Study

PAGE = 50
State = ReaderStudy.State


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
    """`num_behind` more wait behind this one without a row of their own: see `_listed`. `is_looked_at`: it is
    withdrawn until a person has looked whether its film shows a name. `misses_film`: a film's file is gone,
    and the case is left out of what comes next until it is back. `amends_signed_at`: the row is an
    amendment of the reading signed then; an open one can be signed only while it `may_be_amended`, which
    none may of a case that `tells_its_answer`. `open_amendment` amends this signed reading. `number`: which
    case of its study it was to its reader, of a signed one."""

    assignment: uuid.UUID
    reading: uuid.UUID
    reader_study: str
    case_label: str
    num_behind: int
    opened_at: datetime | None
    signed_at: datetime | None
    is_withdrawn: bool
    is_looked_at: bool
    misses_film: bool
    is_adjudication: bool
    is_training: bool
    may_be_amended: bool
    tells_its_answer: bool
    is_locked: bool
    amends_signed_at: datetime | None
    open_amendment: uuid.UUID | None
    lease_expires_at: datetime | None
    number: int | None


@dataclass(frozen=True)
class Worklist:
    """`after` is the cursor of the next page, None on the last. `num_open` counts hidden cases that are not
    due yet while others can be read, open amendments, and no other case of a study that is locked or too
    late; of one that `resting` names none."""

    rows: tuple[WorklistRow, ...]
    progress: tuple[Progress, ...]
    num_open: int
    num_signed: int
    after: uuid.UUID | None


def worklist(reader: User, *, signed: bool = False, after: uuid.UUID | None = None) -> Worklist:
    """A page of the reader's own cases, still to be read or signed, in the order drawn for the reader."""
    require(reader, Capability.READ_CASES)
    invitations = list(Invitation.objects.filter(reader=reader).select_related("reader_study").order_by("pk"))
    assignments = _signed(reader) if signed else _listed(open_of(reader.pk, invitations), invitations)
    if after is not None:
        assignments = assignments.filter(
            pk__gt=Assignment.objects.filter(reader=reader, uid=after).values("pk")
        )
    found = list(assignments.select_related("case__reader_study", "case__study").order_by("pk")[: PAGE + 1])
    page = found[:PAGE]
    amended = _open_amendments(reader)
    begun = [] if signed or after is not None else amended
    progress = tuple(
        Progress(i.reader_study.uid, i.reader_study.title, i.num_assigned, i.num_signed)
        for i in invitations
        if _is_shown(i)
    )
    extra_open, extra_signed = _not_counted(reader, invitations)
    rests = resting(reader.pk, invitations)
    return Worklist(
        rows=_rows([*begun, *page], invitations, signed=signed),
        progress=progress,
        num_open=sum(
            i.num_assigned - i.num_signed
            for i in invitations
            if is_read_in(i) and i.reader_study_id not in rests
        )
        + _num_begun_in_paused(reader, invitations)
        + extra_open
        + len(amended),
        num_signed=sum(invitation.num_signed for invitation in invitations) + extra_signed,
        after=page[-1].uid if len(found) > PAGE else None,
    )


def next_reading(reading: Reading) -> Reading | None:
    """The reader's next open case of the same reader study: the following one, else the first left behind."""
    here = reading.assignment
    reader_study = here.case.reader_study_id
    invitations = list(
        Invitation.objects.filter(reader=here.reader_id, reader_study=reader_study).select_related(
            "reader_study"
        )
    )
    waiting = (
        open_of(here.reader_id, invitations)
        .filter(
            ~misses_a_file("case__study"),
            case__reader_study=reader_study,
            case__study__state=Study.State.READY,
        )
        .exclude(pk=here.pk)
        .order_by("pk")
    )
    for following in (waiting.filter(pk__gt=here.pk), waiting):
        first = Subquery(following.values("pk")[:1])
        found = Reading.objects.filter(assignment=first, signed_at=None).first()
        if found is not None:
            return found
    return None


def _listed(assignments: QuerySet[Assignment], invitations: Iterable[Invitation]) -> QuerySet[Assignment]:
    """Where repeats are hidden, what was begun and the one next case: a list in which a case turns up between
    others that were there before would tell that it is a repeat."""
    hiding = [i.reader_study_id for i in invitations if i.reader_study.repeat_share]
    if not hiding:
        return assignments
    begun = Exists(Reading.objects.filter(assignment=OuterRef("pk"), opened_at__isnull=False, signed_at=None))
    waiting = assignments.filter(
        ~begun,
        ~misses_a_file("case__study"),
        ~Q(kind=Assignment.Kind.ADJUDICATION),
        case__reader_study__in=hiding,
        case__study__state=Study.State.READY,
    )
    firsts = waiting.order_by("case__reader_study", "pk").distinct("case__reader_study").values("pk")
    elsewhere = ~Q(case__reader_study__in=hiding) | Q(kind=Assignment.Kind.ADJUDICATION)
    return assignments.filter(elsewhere | Q(begun) | Q(pk__in=firsts))


def _signed(reader: User) -> QuerySet[Assignment]:
    return Assignment.objects.filter(reader=reader, signed_at__isnull=False)


def _open_amendments(reader: User) -> list[Assignment]:
    """Signed cases of which an amendment is open: they stand first, for there are few."""
    amended = Reading.objects.filter(assignment__reader=reader, amends__isnull=False, signed_at=None)
    return list(
        Assignment.objects.filter(pk__in=amended.values("assignment"))
        .select_related("case__reader_study", "case__study")
        .order_by("pk")
    )


def _rows(
    page: list[Assignment], invitations: Iterable[Invitation], *, signed: bool
) -> tuple[WorklistRow, ...]:
    """With each assignment its open reading, or the last that was signed."""
    found = list(Reading.objects.filter(assignment__in=page).select_related("amends").order_by("pk"))
    opened = {reading.assignment_id: reading for reading in found if reading.signed_at is None}
    last_signed = {reading.assignment_id: reading for reading in found if reading.signed_at is not None}
    readings = last_signed if signed else opened
    ended = {i.reader_study_id for i in invitations if is_late(i) or i.state == Invitation.State.REMOVED}
    behind = {} if signed else _num_behind(page, invitations)
    missing = set() if signed else studies_that_miss_a_file({assignment.case.study_id for assignment in page})
    return tuple(
        _row(
            assignment,
            reading := readings[assignment.pk],
            amendment=opened.get(assignment.pk) if signed else None,
            num_behind=_own_behind(assignment, reading, behind),
            has_ended=assignment.case.reader_study_id in ended,
            misses_film=assignment.case.study_id in missing,
        )
        for assignment in page
        if assignment.pk in readings
    )


def _own_behind(assignment: Assignment, reading: Reading, behind: Mapping[int, int]) -> int:
    """What is to be settled hides nothing: each such case has a row of its own."""
    is_next = reading.opened_at is None and assignment.kind != Assignment.Kind.ADJUDICATION
    return behind.get(assignment.case.reader_study_id, 0) if is_next else 0


def _num_behind(page: Iterable[Assignment], invitations: Iterable[Invitation]) -> Mapping[int, int]:
    """By reader study that hides repeats: how many cases are to be read beside those of this page and those
    to settle, which invitations count among the others."""
    hiding = [i for i in invitations if i.reader_study.repeat_share]
    if not hiding:
        return {}
    Kind = Assignment.Kind
    shown = Counter(
        assignment.case.reader_study_id
        for assignment in page
        if assignment.signed_at is None and assignment.kind != Kind.ADJUDICATION
    )
    to_settle = unsigned_of(hiding[0].reader_id).filter(
        kind=Kind.ADJUDICATION, case__reader_study__in=[i.reader_study_id for i in hiding]
    )
    shown.update(to_settle.values_list("case__reader_study", flat=True))
    return {
        i.reader_study_id: max(0, i.num_assigned - i.num_signed - shown[i.reader_study_id]) for i in hiding
    }


def _row(
    assignment: Assignment,
    reading: Reading,
    *,
    amendment: Reading | None,
    num_behind: int,
    has_ended: bool,
    misses_film: bool,
) -> WorklistRow:
    case = assignment.case
    return WorklistRow(
        assignment=assignment.uid,
        reading=reading.uid,
        reader_study=case.reader_study.title,
        case_label=assignment.label,
        num_behind=num_behind,
        opened_at=reading.opened_at,
        signed_at=reading.signed_at,
        is_withdrawn=case.study.state != Study.State.READY,
        is_looked_at=case.study.state == Study.State.UNSEEN,
        misses_film=misses_film,
        is_adjudication=assignment.kind == Assignment.Kind.ADJUDICATION,
        is_training=case.role in (Case.Role.TRAINING, Case.Role.CALIBRATION),
        may_be_amended=not (has_ended or case.tells_its_answer or case.reader_study.state == State.LOCKED),
        tells_its_answer=case.tells_its_answer,
        is_locked=case.reader_study.state == State.LOCKED,
        amends_signed_at=reading.amends.signed_at if reading.amends else None,
        open_amendment=amendment.uid if amendment else None,
        lease_expires_at=assignment.lease_expires_at,
        number=assignment.number if reading.signed_at else None,
    )


def _is_shown(invitation: Invitation) -> bool:
    return invitation.state == Invitation.State.ACCEPTED and invitation.reader_study.state != State.DRAFT


def _num_begun_in_paused(reader: User, invitations: Iterable[Invitation]) -> int:
    """A paused study's begun cases can be finished; there are few."""
    paused = [
        i.reader_study_id
        for i in invitations
        if i.state == Invitation.State.ACCEPTED and i.reader_study.state == State.PAUSED and not is_late(i)
    ]
    begun = Q(readings__opened_at__isnull=False, readings__signed_at=None)
    return unsigned_of(reader.pk).filter(begun, case__reader_study__in=paused).count() if paused else 0


def _not_counted(reader: User, invitations: Iterable[Invitation]) -> tuple[int, int]:
    """Adjudications that no invitation counts: open ones beside the accepted, signed ones beside all."""
    accepted = {i.reader_study_id for i in invitations if i.state == Invitation.State.ACCEPTED}
    invited = {i.reader_study_id for i in invitations}
    rows = list(
        Assignment.objects.filter(reader=reader, kind=Assignment.Kind.ADJUDICATION, withdrawn_at=None)
        .exclude(case__reader_study__in=accepted)
        .values_list("case__reader_study", "case__reader_study__state", "signed_at")
    )
    num_open = sum(signed_at is None and state == State.RUNNING for _, state, signed_at in rows)
    return num_open, sum(signed_at is not None and study not in invited for study, _, signed_at in rows)
