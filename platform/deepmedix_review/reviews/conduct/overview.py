"""What an admin sees of a reader study on its way: readers, cases, controls, repeats, disputed cases."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.selectors import readers
from deepmedix_review.reviews.disagreement import Disagreement, find_disagreements, num_given_to_nobody
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy
from deepmedix_review.studies.film_files import misses_a_file
from deepmedix_review.studies.models import CollectionMember, Study

PAGE = 50
MOST_REPEATS = 200
IN_DOUBT = "A signed word is in doubt though no two readers disagree: another look was asked for."
IN_DOUBT_TOO = "A signed word is in doubt besides: everything is asked anew."


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
    num_to_settle: int = 0

    @property
    def is_all_signed(self) -> bool:
        return self.state == ReaderStudy.State.RUNNING and 0 < self.num_signed == self.num_assigned


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
    block: int
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

    @property
    def state(self) -> str:
        if self.is_signed:
            return "signed"
        if not self.is_first_signed:
            return "waits for its first reading"
        if self.available_at is None:
            return "in its washout: more cases come between"
        return "due" if self.available_at <= timezone.now() else "in its washout"


@dataclass(frozen=True)
class DisputeRow:
    """A case on which readers disagree, why, and who settles it, or could; `had` are its readers' keys."""

    case: uuid.UUID
    position: int
    study_label: str
    reasons: tuple[str, ...]
    adjudicator: User | None
    is_signed: bool
    able: tuple[User, ...]
    had: frozenset[int]


@dataclass(frozen=True)
class AbleForAll:
    """Somebody who could settle so many of the cases that were given to nobody."""

    reader: User
    num_cases: int


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
        )
        for study in page
    ]
    read = {row.uid for row in rows_read if row.is_all_signed}
    waiting = num_given_to_nobody([study for study in page if study.uid in read])
    told = [
        replace(row, num_to_settle=waiting.get(study.pk, 0))
        for row, study in zip(rows_read, page, strict=True)
    ]
    return told, (page[-1].uid if len(found) > PAGE else None)


def reader_rows(reader_study: ReaderStudy) -> Sequence[ReaderRow]:
    """Everybody who was ever invited, by pseudonym, those who left last."""
    rows = Invitation.objects.filter(reader_study=reader_study).select_related("reader")
    last_signed = dict(
        Assignment.objects.filter(case__reader_study=reader_study, signed_at__isnull=False)
        .order_by()
        .values_list("reader")
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
            block=case.block,
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


def control_cases(reader_study: ReaderStudy) -> Sequence[tuple[Case, str]]:
    """The control cases with what was altered in each."""
    controls = Case.objects.filter(reader_study=reader_study, role=Case.Role.CONTROL).select_related("study")
    return [(case, _altered(case.known_answer)) for case in controls.order_by("position")]


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
        )
        for row in rows[:MOST_REPEATS]
    ]


def disputes(reader_study: ReaderStudy, *, shows_reasons: bool) -> Sequence[DisputeRow]:
    """Cases that wait for another word or got one; why they are disputed only where results may be seen."""
    if reader_study.adjudication == ReaderStudy.Adjudication.OFF:
        return []
    settled = {
        row.case_id: row
        for row in Assignment.objects.filter(
            case__reader_study=reader_study, kind=Assignment.Kind.ADJUDICATION, withdrawn_at=None
        )
        .select_related("reader", "case__study")
        .prefetch_related("doubts")
        .order_by("pk")
    }
    found_cases = _with_doubts(find_disagreements(reader_study), list(settled.values()))
    has_read = _who_had(found.case for found in found_cases)
    experts = tuple(readers())
    needs_new = reader_study.adjudication == ReaderStudy.Adjudication.THIRD_READER
    return [
        DisputeRow(
            case=found.case.uid,
            position=found.case.position,
            study_label=found.case.study.label,
            reasons=found.reasons if shows_reasons else (),
            adjudicator=settled[found.case.pk].reader if found.case.pk in settled else None,
            is_signed=found.case.pk in settled and settled[found.case.pk].signed_at is not None,
            able=tuple(
                expert for expert in experts if not needs_new or expert.pk not in has_read[found.case.pk]
            ),
            had=frozenset(has_read[found.case.pk]),
        )
        for found in found_cases
    ]


def given_to_nobody(disputes: Sequence[DisputeRow]) -> Sequence[DisputeRow]:
    return [row for row in disputes if row.adjudicator is None]


def able_for_all(waiting: Sequence[DisputeRow]) -> Sequence[AbleForAll]:
    """Whoever could settle any of these, each with how many."""
    counts = Counter(expert for row in waiting for expert in row.able)
    return [AbleForAll(expert, number) for expert, number in counts.items()]


def _with_doubts(found: Sequence[Disagreement], given: Sequence[Assignment]) -> Sequence[Disagreement]:
    """And the cases that wait for another word though no two readers disagree, in case order."""
    disputed = {one.case.pk for one in found}
    doubted = {row.case_id: row for row in given if row.asks_everything}
    told = [
        replace(one, reasons=(*one.reasons, IN_DOUBT_TOO, *_asked_outright(doubted[one.case.pk])))
        if one.case.pk in doubted
        else one
        for one in found
    ]
    doubts = [
        Disagreement(row.case, (IN_DOUBT, *_asked_outright(row)))
        for row in given
        if row.case_id not in disputed
    ]
    return sorted([*told, *doubts], key=lambda one: one.case.position)


def _asked_outright(given: Assignment) -> tuple[str, ...]:
    names = ", ".join(sorted(doubt.finding for doubt in given.doubts.all()))
    return (f"Asked outright, whether it is there: {names}.",) if names else ()


def _who_had(cases: Iterable[Case]) -> Mapping[int, set[int]]:
    """By case, who has it on the list or has opened it: the third reader is none of them."""
    had: dict[int, set[int]] = defaultdict(set)
    rows = Assignment.objects.filter(
        Q(withdrawn_at=None) | Q(readings__opened_at__isnull=False),
        case__in=list(cases),
        kind=Assignment.Kind.FIRST,
    )
    for case, reader in rows.values_list("case", "reader"):
        had[case].add(reader)
    return had


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


def _altered(known_answer: Any) -> str:
    words = {"wrong_region": "a box in a wrong place", "foreign_sentence": "a sentence of another case"}
    found = [words.get(item.get("alteration"), "") for item in (known_answer or {}).get("alterations", [])]
    return ", ".join(word for word in found if word)
