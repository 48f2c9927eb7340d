"""What an admin sees of a reader study on its way: readers, cases, repeats, disputed cases."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.selectors import readers
from deepmedix_review.reviews.disagreement import Waiting, waiting_disputes
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.studies.film_files import misses_a_file
from deepmedix_review.studies.models import CollectionMember, Study

PAGE = 50
MOST_REPEATS = 200


@dataclass(frozen=True)
class StudyRow:
    """One reader study in the list."""

    uid: uuid.UUID
    title: str
    state: str
    created_at: datetime
    deadline: date | None
    num_cases: int
    num_readers: int
    num_assigned: int
    num_signed: int
    num_not_accepted: int = 0
    to_settle: Waiting | None = None

    @property
    def is_all_signed(self) -> bool:
        """But the `num_not_accepted` readings of those who have not answered their invitation."""
        is_running = self.state == ReaderStudy.State.RUNNING
        return is_running and 0 < self.num_signed == self.num_assigned - self.num_not_accepted


@dataclass(frozen=True)
class ReaderRow:
    """A reader, the invitation, and how far the reader is; a reader who left keeps what was signed."""

    reader: User
    state: str
    deadline: date | None
    block: int
    num_assigned: int
    num_signed: int
    last_signed_at: datetime | None

    @property
    def is_here(self) -> bool:
        return self.state in (Invitation.State.INVITED, Invitation.State.ACCEPTED)


@dataclass(frozen=True)
class CaseRow:
    uid: uuid.UUID
    position: int
    study: uuid.UUID
    study_label: str
    is_in_use: bool
    role: str
    is_anchor: bool
    block: int | None
    num_free: int
    num_assigned: int
    num_signed: int

    @property
    def num_planned(self) -> int:
        return self.num_assigned + self.num_free


@dataclass(frozen=True)
class RepeatRow:
    """A hidden repeat: where it stands in its reader's order, and when it may be read."""

    reader: str
    study_label: str
    position: int
    first_position: int
    available_at: datetime | None
    is_first_signed: bool
    is_signed: bool
    is_locked: bool

    @property
    def state(self) -> str:
        if self.is_signed:
            return "signed"
        if self.is_locked:
            return "not signed before the lock"
        if not self.is_first_signed:
            return "waits for its first reading"
        if self.available_at is None:
            return "in its washout: more cases come between"
        return "due" if self.available_at <= timezone.now() else "in its washout"


def reader_studies(*, before: uuid.UUID | None = None) -> tuple[Sequence[StudyRow], uuid.UUID | None]:
    """A page of reader studies, newest first, and the next page's cursor."""
    rows = ReaderStudy.objects.order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=ReaderStudy.objects.filter(uid=before).values("pk"))
    found = list(rows[: PAGE + 1])
    page = found[:PAGE]
    rows_of_cases = (
        Case.objects.filter(reader_study__in=page)
        .order_by()
        .values_list("reader_study")
        .annotate(Count("pk"), Sum("num_free"))
    )
    cases = {study: (num_cases, num_free) for study, num_cases, num_free in rows_of_cases}
    here = (Invitation.State.INVITED, Invitation.State.ACCEPTED)
    counted = {
        row["reader_study"]: row
        for row in Invitation.objects.filter(reader_study__in=page)
        .order_by()
        .values("reader_study")
        .annotate(
            num_readers=Count("pk", filter=Q(state__in=here)),
            given=Sum("num_assigned"),
            signed=Sum("num_signed"),
            not_accepted=Sum("num_assigned", filter=Q(state=Invitation.State.INVITED)),
        )
    }
    settling = _settling_uninvited(page)
    rows_read = [
        StudyRow(
            uid=study.uid,
            title=study.title,
            state=study.state,
            created_at=study.created_at,
            deadline=study.deadline,
            num_cases=cases.get(study.pk, (0, 0))[0],
            num_readers=counted[study.pk]["num_readers"] if study.pk in counted else 0,
            num_assigned=cases.get(study.pk, (0, 0))[1]
            + (counted[study.pk]["given"] if study.pk in counted else 0)
            + settling.get(study.pk, (0, 0))[0],
            num_signed=(counted[study.pk]["signed"] if study.pk in counted else 0)
            + settling.get(study.pk, (0, 0))[1],
            num_not_accepted=(counted[study.pk]["not_accepted"] or 0) if study.pk in counted else 0,
        )
        for study in page
    ]
    read = {row.uid for row in rows_read if row.is_all_signed}
    waiting = waiting_disputes([study for study in page if study.uid in read])
    told = [replace(row, to_settle=waiting.get(study.pk)) for row, study in zip(rows_read, page, strict=True)]
    return told, (page[-1].uid if len(found) > PAGE else None)


def reader_rows(reader_study: ReaderStudy) -> Sequence[ReaderRow]:
    """Everybody who was ever invited, by pseudonym, those who left last."""
    rows = Invitation.objects.filter(reader_study=reader_study).select_related("reader")
    last_signed = dict(
        Reading.objects.filter(assignment__case__reader_study=reader_study, signed_at__isnull=False)
        .order_by()
        .values_list("assignment__reader")
        .annotate(Max("signed_at"))
    )
    found = [
        ReaderRow(
            reader=row.reader,
            state=row.state,
            deadline=row.deadline,
            block=row.block,
            num_assigned=row.num_assigned,
            num_signed=row.num_signed,
            last_signed_at=last_signed.get(row.reader_id),
        )
        for row in rows.order_by("reader__pseudonym")
    ]
    return sorted(found, key=lambda row: not row.is_here)


def case_rows(reader_study: ReaderStudy, *, after: int | None = None) -> tuple[Sequence[CaseRow], int | None]:
    """A page of the cases in order, and the position after which the next page begins."""
    cases = Case.objects.filter(reader_study=reader_study).select_related("study").order_by("position")
    cases = cases.annotate(misses_film=misses_a_file("study"))
    if after is not None:
        cases = cases.filter(position__gt=after)
    found = list(cases[: PAGE + 1])
    page = found[:PAGE]
    assigned = Assignment.objects.filter(case__in=page, withdrawn_at=None)
    given, signed = _counted(assigned, "case"), _counted(assigned.filter(signed_at__isnull=False), "case")
    return [
        CaseRow(
            uid=case.uid,
            position=case.position,
            study=case.study.uid,
            study_label=case.study.label,
            is_in_use=case.study.state == Study.State.READY and not case.misses_film,
            role=case.role,
            is_anchor=case.is_anchor,
            block=case.block if case.role == Case.Role.DATA else None,
            num_free=case.num_free,
            num_assigned=given.get(case.pk, 0),
            num_signed=signed.get(case.pk, 0),
        )
        for case in page
    ], (page[-1].position if len(found) > PAGE else None)


def num_from_elsewhere(reader_study: ReaderStudy) -> int:
    """Cases that read as data but are not of the collection that the study began with."""
    if reader_study.collection_version_id is None:
        return 0
    cases = Case.objects.filter(reader_study=reader_study, role__in=(Case.Role.DATA, Case.Role.CONTROL))
    members = CollectionMember.objects.filter(
        version=reader_study.collection_version_id, study=OuterRef("study")
    )
    return cases.exclude(Exists(members)).count()


def repeats(reader_study: ReaderStudy) -> Sequence[RepeatRow]:
    rows = (
        Assignment.objects.filter(
            case__reader_study=reader_study, kind=Assignment.Kind.REPEAT, withdrawn_at=None
        )
        .annotate(first_position=F("repeat_of__position"))
        .select_related("reader", "case__study", "repeat_of")
        .order_by("reader__pseudonym", "position")
    )
    return [
        RepeatRow(
            reader=row.reader.pseudonym,
            study_label=row.case.study.label,
            position=row.position,
            first_position=row.first_position,
            available_at=row.available_at,
            is_first_signed=row.repeat_of is not None and row.repeat_of.signed_at is not None,
            is_signed=row.signed_at is not None,
            is_locked=reader_study.state == ReaderStudy.State.LOCKED,
        )
        for row in rows[:MOST_REPEATS]
    ]


def readers_to_invite(reader_study: ReaderStudy) -> QuerySet[User]:
    """Experts who are not readers of this study now."""
    here = Invitation.objects.filter(
        reader_study=reader_study, state__in=(Invitation.State.INVITED, Invitation.State.ACCEPTED)
    )
    return readers().exclude(pk__in=here.values("reader"))


def studies_in(reader_study: ReaderStudy) -> QuerySet[Study]:
    return Study.objects.filter(cases__reader_study=reader_study)


def _settling_uninvited(studies: Sequence[ReaderStudy]) -> Mapping[int, tuple[int, int]]:
    """Adjudications, and how many are signed, by study: those that no invitation counts."""
    invited = Invitation.objects.filter(
        reader_study=OuterRef("case__reader_study"), reader=OuterRef("reader")
    )
    rows = Assignment.objects.filter(
        ~Exists(invited),
        case__reader_study__in=studies,
        kind=Assignment.Kind.ADJUDICATION,
        withdrawn_at=None,
    ).order_by()
    found = rows.values_list("case__reader_study").annotate(Count("pk"), Count("signed_at"))
    return {study: (given, signed) for study, given, signed in found}


def _counted(rows: QuerySet[Any], name: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(name).annotate(Count("pk")))
