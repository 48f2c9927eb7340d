"""Writes drawn lists down: an assignment and an unopened reading for each, with its sides."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.designs import DesignCase, DesignReader, ListBefore, PlannedAssignment
from deepmedix_review.reviews.designs.balance import Before
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.studies.models import Study

ROWS_AT_ONCE = 2000
NEWEST = 200
STAYING = (Invitation.State.INVITED, Invitation.State.ACCEPTED)


@dataclass(frozen=True)
class Ground:
    """What lists are drawn on, by primary key of the case and uid of the reader: cases with the completions
    that they show, and readers."""

    cases: Mapping[int, Case]
    completions: Mapping[int, Sequence[Completion]]
    readers: Mapping[str, User]

    @property
    def design_cases(self) -> tuple[DesignCase, ...]:
        return tuple(as_design_case(case) for case in self.cases.values())


def ground_of(reader_study: ReaderStudy, *, cases: Iterable[Case] | None = None) -> Ground:
    """All cases (or these) and all readers who have not declined or been removed."""
    found = list(
        cases if cases is not None else Case.objects.filter(reader_study=reader_study).order_by("position")
    )
    shown = Case.completions.through.objects.filter(case__in=[case.pk for case in found]).order_by("pk")
    completions: dict[int, list[Completion]] = {case.pk: [] for case in found}
    by_pk = Completion.with_altered.in_bulk([row.completion_id for row in shown])
    for row in shown:
        completions[row.case_id].append(by_pk[row.completion_id])
    return Ground(
        cases={case.pk: case for case in found},
        completions=completions,
        readers={str(invitation.reader.uid): invitation.reader for invitation in staying(reader_study)},
    )


def staying(reader_study: ReaderStudy) -> list[Invitation]:
    """Invitations of the readers who have not declined and were not removed."""
    return list(
        Invitation.objects.filter(reader_study=reader_study, state__in=STAYING)
        .select_related("reader")
        .order_by("pk")
    )


def as_design_case(case: Case) -> DesignCase:
    return DesignCase(key=case.pk, role=case.role, block=case.block, is_anchor=case.is_anchor)  # type: ignore[arg-type]


def design_readers(reader_study: ReaderStudy) -> tuple[DesignReader, ...]:
    """The readers who stay, with their block and how many data cases are theirs."""
    loads = dict(
        Assignment.objects.filter(
            case__reader_study=reader_study,
            case__role=Case.Role.DATA,
            kind=Assignment.Kind.FIRST,
            withdrawn_at=None,
        )
        .order_by()
        .values_list("reader")
        .annotate(Count("pk"))
    )
    return tuple(
        DesignReader(
            key=str(invitation.reader.uid),
            block=invitation.block,
            num_assigned=loads.get(invitation.reader_id, 0),
        )
        for invitation in staying(reader_study)
    )


def list_before(reader_study: ReaderStudy, ground: Ground) -> Mapping[str, ListBefore]:
    """By reader, what is on the list: cases of data, repeats, and the first readings that can be repeated.

    A case is repeated once, and none whose film is out of use.
    """
    rows = (
        Reading.objects.filter(
            Q(assignment__withdrawn_at=None) | Q(assignment__kind=Assignment.Kind.REPEAT),
            assignment__case__reader_study=reader_study,
            assignment__case__role__in=(Case.Role.DATA, Case.Role.CONTROL),
            assignment__kind__in=(Assignment.Kind.FIRST, Assignment.Kind.REPEAT),
            amends=None,
        )
        .select_related("assignment__case__study", "assignment__reader")
        .order_by("assignment__position")
    )
    by_reader: dict[str, list[Reading]] = defaultdict(list)
    for row in rows:
        by_reader[str(row.assignment.reader.uid)].append(row)
    return {key: _list_of(read, ground, key) for key, read in by_reader.items()}


def write_assignments(planned: Sequence[PlannedAssignment], ground: Ground) -> list[Assignment]:
    """Rows for what was drawn, behind what each reader has already. An earlier withdrawn one comes back to
    its old place.

    Primary keys follow each reader's order, so that a worklist pages by them.
    """
    last = _last_positions(ground, {item.reader for item in planned})
    ordered = sorted(planned, key=lambda item: (item.reader, item.position))
    assignments: dict[tuple[str, int], Assignment] = {}
    withdrawn = {
        (assignment.case_id, assignment.reader_id, assignment.kind): assignment
        for assignment in Assignment.objects.filter(case__in=ground.cases, withdrawn_at__isnull=False)
    }
    new: list[Assignment] = []
    for item in ordered:
        reader = ground.readers[item.reader]
        position = last[item.reader] + item.position
        back = withdrawn.get((item.case, reader.pk, item.kind))
        if back is not None:
            back.withdrawn_at = None
            back.save(update_fields=["withdrawn_at"])
            assignments[item.reader, item.position] = back
            continue
        assignment = Assignment(
            case=ground.cases[item.case], reader=reader, kind=item.kind, position=position
        )
        assignments[item.reader, item.position] = assignment
        new.append(assignment)
    for assignment, pk in zip(new, _next_keys(len(new)), strict=True):
        assignment.pk = pk
    first_new = [assignment for assignment in new if assignment.kind != Assignment.Kind.REPEAT]
    Assignment.objects.bulk_create(first_new, batch_size=ROWS_AT_ONCE)
    on_the_list = {
        (assignment.case_id, assignment.reader_id): assignment
        for assignment in Assignment.objects.filter(
            case__in={item.case for item in ordered if item.repeat_of is not None and item.repeat_of <= 0},
            kind=Assignment.Kind.FIRST,
        )
    }
    for item in ordered:
        if item.repeat_of is not None:
            assignments[item.reader, item.position].repeat_of = (
                assignments[item.reader, item.repeat_of]
                if item.repeat_of > 0
                else on_the_list[item.case, ground.readers[item.reader].pk]
            )
    repeats = [assignment for assignment in new if assignment.kind == Assignment.Kind.REPEAT]
    Assignment.objects.bulk_create(repeats, batch_size=ROWS_AT_ONCE)
    is_new = {id(assignment) for assignment in new}
    Reading.objects.bulk_create(
        (
            unopened_reading(
                assignments[item.reader, item.position],
                completions=ground.completions[item.case],
                swap=item.swap,
                shows=ground.cases[item.case].reader_study.shows,
                asks_first_read=item.asks_first_read,
            )
            for item in ordered
            if id(assignments[item.reader, item.position]) in is_new
        ),
        batch_size=ROWS_AT_ONCE,
    )
    return list(assignments.values())


def unopened_reading(
    assignment: Assignment,
    *,
    completions: Sequence[Completion],
    swap: bool,
    shows: str,
    asks_first_read: bool,
) -> Reading:
    """A reading with its sides: two completions, or the one of two that was drawn."""
    shown = list(reversed(completions)) if swap else list(completions)
    if shows == ReaderStudy.Shows.ONE_OF_TWO:
        shown = shown[:1]
    return Reading(
        assignment=assignment,
        completion_a=shown[0],
        completion_b=shown[1] if len(shown) > 1 else None,
        asks_first_read=asks_first_read,
    )


def withdraw_unread(assignments: Iterable[Assignment]) -> int:
    """Take these off their readers' worklists, except what a reader has opened or signed."""
    pks = [assignment.pk for assignment in assignments]
    unread = Assignment.objects.filter(pk__in=pks, withdrawn_at=None, signed_at=None)
    return unread.exclude(readings__opened_at__isnull=False).update(withdrawn_at=timezone.now())


def sides_before(
    reader_study: ReaderStudy, cases: Iterable[int]
) -> tuple[dict[int, Before], dict[int, Before]]:
    """By case, how many of its first readings show the later completion on side A, and ask a first read."""
    rows = (
        Reading.objects.filter(
            assignment__case__in=list(cases),
            assignment__kind=Assignment.Kind.FIRST,
            assignment__withdrawn_at=None,
            amends=None,
        )
        .order_by()
        .values_list("assignment__case")
        .annotate(
            number=Count("pk"),
            asked=Count("pk", filter=Q(asks_first_read=True)),
        )
    )
    asked = {case: Before(num_asked, number) for case, number, num_asked in rows}
    first = {}
    through = Case.completions.through.objects
    for case, completion in (
        through.filter(case__in=list(cases)).order_by("-pk").values_list("case", "completion")
    ):
        first[case] = completion
    swapped = dict(
        Reading.objects.filter(
            assignment__case__in=list(cases),
            assignment__kind=Assignment.Kind.FIRST,
            assignment__withdrawn_at=None,
            amends=None,
        )
        .exclude(completion_a__in=list(first.values()))
        .order_by()
        .values_list("assignment__case")
        .annotate(Count("pk"))
    )
    return {case: Before(swapped.get(case, 0), before.num) for case, before in asked.items()}, asked


def _list_of(rows: Sequence[Reading], ground: Ground, key: str) -> ListBefore:
    """Of the unamended readings of one reader's list, in its order, those of withdrawn repeats too."""
    first = [row for row in rows if row.assignment.kind == Assignment.Kind.FIRST]
    repeated = {row.assignment.case_id for row in rows if row.assignment.kind == Assignment.Kind.REPEAT}
    of_data = [row for row in first if row.assignment.case.role == Case.Role.DATA]
    readings = tuple(
        PlannedAssignment(
            case=row.assignment.case_id,
            reader=key,
            position=place - len(first),
            swap=row.completion_a_id != ground.completions[row.assignment.case_id][0].pk,
            asks_first_read=row.asks_first_read,
        )
        for place, row in enumerate(first, start=1)
    )
    return ListBefore(
        num_data=len(of_data),
        num_repeats=sum(
            row.assignment.kind == Assignment.Kind.REPEAT and row.assignment.withdrawn_at is None
            for row in rows
        ),
        readings=readings,
        may_be_repeated=frozenset(
            row.assignment.case_id
            for row in of_data
            if row.assignment.case_id not in repeated and row.assignment.case.study.state == Study.State.READY
        ),
    )


def _next_keys(number: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('reviews_assignment', 'id')) FROM generate_series(1, %s)",
            [number],
        )
        return [row[0] for row in cursor.fetchall()]


def newest_of(reader: User) -> QuerySet[Assignment]:
    """The last assignments that the reader got, in whatever reader study, found without reading the rest."""
    newest = Assignment.objects.filter(reader=reader).order_by("-pk").values_list("pk", flat=True)
    return Assignment.objects.filter(pk__in=list(newest[:NEWEST])).order_by("-pk")


def _last_positions(ground: Ground, readers: Iterable[str]) -> dict[str, int]:
    """The reader's newest assignment stands last."""
    studies = {case.reader_study_id for case in ground.cases.values()}
    last = {}
    for key in readers:
        reader = ground.readers[key]
        for assignments in (newest_of(reader), Assignment.objects.filter(reader=reader).order_by("-pk")):
            found = assignments.filter(case__reader_study__in=studies).values_list("position", flat=True)
            position = found.first()
            if position is not None or _num_assigned(reader, studies) == 0:
                break
        last[key] = position or 0
    return last


def _num_assigned(reader: User, studies: Iterable[int]) -> int:
    invitations = Invitation.objects.filter(reader=reader, reader_study__in=studies)
    return sum(invitations.values_list("num_assigned", flat=True))


def seed_of(reader_study: ReaderStudy, *what: object) -> int:
    """A seed of its own for each later draw of a reader study, always the same one."""
    return uuid.uuid5(uuid.NAMESPACE_OID, ":".join(map(str, (reader_study.seed, *what)))).int % 2**31
