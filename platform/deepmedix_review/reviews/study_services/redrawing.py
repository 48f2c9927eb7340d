"""Evens out who reads what when a reader comes into the middle of a reader study, or leaves it."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.designs import DesignReader, draw_new_reader, draw_open_slots
from deepmedix_review.reviews.designs.draw import draw_assignments
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.study_services.assigning import (
    Ground,
    as_design_case,
    design_readers,
    ground_of,
    list_before,
    seed_of,
    sides_before,
    staying,
    withdraw_unread,
    write_assignments,
)
from deepmedix_review.reviews.study_services.drafting import design_of

ROTATING = (ReaderStudy.Design.K_READERS, ReaderStudy.Design.ANCHOR_ROTATION)


def give_list(reader_study: ReaderStudy, invitation: Invitation) -> None:
    """Draw what a reader who comes in the middle reads."""
    reader = invitation.reader
    ground = ground_of(reader_study)
    key = str(reader.uid)
    seed = seed_of(reader_study, "reader", key)
    data = [case for case in ground.cases.values() if case.role == Case.Role.DATA]
    if reader_study.is_pool:
        mine: Sequence[int] = ()
    elif reader_study.design in ROTATING:
        mine, taken = draw_new_reader(
            open_slots=_open_slots(reader_study),
            unread=_movable(reader_study),
            staying=_num_staying(reader_study),
            anchors=[case.pk for case in data if case.is_anchor],
            seed=seed,
        )
        _take(taken)
    elif reader_study.design == ReaderStudy.Design.SPLIT_PLOT:
        mine = [case.pk for case in data if case.block == invitation.block]
    else:
        mine = [case.pk for case in data]
    _write(reader_study, ground, pairs=[(key, case) for case in mine], readers=(key,), seed=seed)


def take_list_back(reader_study: ReaderStudy, reader: User, *, takes_opened: bool = False) -> None:
    """Withdraw what the reader has not signed, and give open slots of a rotation to the others."""
    assignments = Assignment.objects.filter(
        case__reader_study=reader_study, reader=reader, withdrawn_at=None, signed_at=None
    )
    if not takes_opened:
        withdraw_unread(assignments)
    else:
        cases = list(assignments.filter(lease_expires_at__isnull=False).values_list("case", flat=True))
        assignments.update(withdrawn_at=timezone.now(), lease_expires_at=None)
        for case in Case.objects.select_for_update().filter(pk__in=cases):
            case.num_free += 1
            case.save(update_fields=["num_free"])
    if reader_study.is_pool or reader_study.design not in ROTATING:
        return
    if reader_study.state == ReaderStudy.State.DRAFT:
        return
    ground = ground_of(reader_study)
    read_by = _holders(reader_study)
    pairs = draw_open_slots(
        open_slots=_open_slots(reader_study), readers=design_readers(reader_study), read_by=read_by
    )
    number = Assignment.objects.filter(case__reader_study=reader_study).count()
    _write(
        reader_study, ground, pairs=pairs, readers=(), seed=seed_of(reader_study, "left", reader.uid, number)
    )


def num_lacking(reader_study: ReaderStudy) -> int:
    """How many readings of a rotation have no reader now."""
    if reader_study.is_pool or reader_study.design not in ROTATING:
        return 0
    return sum(_open_slots(reader_study).values())


def _write(
    reader_study: ReaderStudy,
    ground: Ground,
    *,
    pairs: Sequence[tuple[str, int]],
    readers: Sequence[str],
    seed: int,
) -> None:
    """Draw order, sides and first reads of these pairs; `readers` are new and get what everybody reads."""
    cases = {case for _, case in pairs}
    swapped, asked = sides_before(reader_study, ground.cases if readers else cases)
    listed = [
        as_design_case(case)
        for case in ground.cases.values()
        if case.pk in cases or (readers and case.role != Case.Role.DATA)
    ]
    blocks = {str(invitation.reader.uid): invitation.block for invitation in staying(reader_study)}
    keys = sorted({reader for reader, _ in pairs} | set(readers))
    planned = draw_assignments(
        design_of(reader_study),
        cases=listed,
        readers=[DesignReader(key, block=blocks.get(key, 0)) for key in keys],
        pairs=pairs,
        rng=random.Random(f"{seed}:lists"),
        swapped_before=swapped,
        asked_before=asked,
        lists_before=list_before(reader_study, ground),
    )
    write_assignments(planned, ground)


def _open_slots(reader_study: ReaderStudy) -> Mapping[int, int]:
    """How many readers each rotated data case still lacks."""
    k = reader_study.readers_per_case or 1
    held = (
        Case.objects.filter(reader_study=reader_study, role=Case.Role.DATA, is_anchor=False)
        .order_by()
        .annotate(
            num_held=Count(
                "assignments",
                filter=Q(assignments__withdrawn_at=None, assignments__kind=Assignment.Kind.FIRST),
            )
        )
        .values_list("pk", "num_held")
    )
    return {case: k - num_held for case, num_held in held if num_held < k}


def _holders(reader_study: ReaderStudy) -> Mapping[int, frozenset[str]]:
    """Who has each case, or had it and opened it: they must not get it again."""
    held: dict[int, set[str]] = defaultdict(set)
    rows = Assignment.objects.filter(case__reader_study=reader_study).filter(
        Q(withdrawn_at=None) | Q(readings__opened_at__isnull=False)
    )
    for case, uid in rows.values_list("case", "reader__uid"):
        held[case].add(str(uid))
    return {case: frozenset(uids) for case, uids in held.items()}


def _movable(reader_study: ReaderStudy) -> Mapping[str, Sequence[int]]:
    """By reader, the rotated data cases that were not opened and that no repeat ties to the reader."""
    movable: dict[str, list[int]] = {str(invitation.reader.uid): [] for invitation in staying(reader_study)}
    readings = _unread(reader_study).filter(assignment__repeat=None).order_by("pk")
    for uid, case in readings.values_list("assignment__reader__uid", "assignment__case"):
        if str(uid) in movable:
            movable[str(uid)].append(case)
    return movable


def _num_staying(reader_study: ReaderStudy) -> Mapping[str, int]:
    """By reader, how many rotated data cases were not opened and stay, since their repeat can't go along."""
    tied = _unread(reader_study).filter(assignment__repeat__isnull=False)
    return Counter(str(uid) for uid in tied.values_list("assignment__reader__uid", flat=True))


def _unread(reader_study: ReaderStudy) -> QuerySet[Reading]:
    return Reading.objects.filter(
        assignment__case__reader_study=reader_study,
        assignment__case__role=Case.Role.DATA,
        assignment__case__is_anchor=False,
        assignment__kind=Assignment.Kind.FIRST,
        assignment__withdrawn_at=None,
        opened_at=None,
        signed_at=None,
    )


def _take(taken: Sequence[tuple[str, int]]) -> None:
    by_reader: dict[str, list[int]] = defaultdict(list)
    for reader, case in taken:
        by_reader[reader].append(case)
    for reader, cases in by_reader.items():
        withdraw_unread(
            Assignment.objects.filter(
                case__in=cases, reader__uid=reader, kind=Assignment.Kind.FIRST, withdrawn_at=None
            )
        )


def smallest_block(reader_study: ReaderStudy) -> int:
    """Which block of a split-plot lacks a reader most."""
    if reader_study.design != ReaderStudy.Design.SPLIT_PLOT:
        return 0
    sizes = [0] * reader_study.num_blocks
    for invitation in staying(reader_study):
        sizes[invitation.block] += 1
    return sizes.index(min(sizes))
