"""Readers take cases from a pool: never two the same, and a case that was left comes free again."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import Closed, NotYours, RefusedByRule
from deepmedix_review.reviews.designs import ReaderStudyDesign, plan
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading, StepRating
from deepmedix_review.reviews.reading.changes import AddActiveTime
from deepmedix_review.reviews.selectors import worklist
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.reviews.study_services import (
    TaughtCase,
    give_case_back,
    pause_reader_study,
    release_expired_leases,
    remove_reader,
    take_next_case,
)
from deepmedix_review.reviews.worklist import places
from deepmedix_review.reviews.worklist.places import Place, place_of
from tests.deepmedix_review.reviews.waiting import until_it_waits
from tests.factories.accounts import ExpertFactory
from tests.factories.reader_studies import a_draft, running, sign_unsaid, studies
from tests.factories.reviews import change, complete, sign

POOL = ReaderStudyDesign(shows="one", design="k_readers", readers_per_case=1, is_pool=True)


def pool(*, num_cases: int = 3, num_readers: int = 2, design: ReaderStudyDesign = POOL) -> ReaderStudy:
    return running(a_draft(num_cases=num_cases, num_readers=num_readers, design=design))


def readers_of(reader_study: ReaderStudy) -> list[User]:
    rows = Invitation.objects.filter(reader_study=reader_study).select_related("reader").order_by("pk")
    return [invitation.reader for invitation in rows]


def take(reader_study: ReaderStudy, reader: User) -> Reading:
    reading = take_next_case(reader_study=reader_study, reader=reader)
    assert reading is not None
    return reading


def let_lease_run_out(reading: Reading) -> None:
    Assignment.objects.filter(pk=reading.assignment_id).update(
        lease_expires_at=timezone.now() - timedelta(seconds=1)
    )


@pytest.mark.django_db(transaction=True)
def test_eight_readers_at_once_never_take_the_same_of_200_cases() -> None:
    reader_study = pool(num_cases=200, num_readers=8)
    readers = readers_of(reader_study)
    start = threading.Barrier(len(readers))
    taken: dict[int, list[int]] = {reader.pk: [] for reader in readers}
    failures: list[BaseException] = []

    def read(reader: User) -> None:
        try:
            start.wait(timeout=60)
            while (reading := take_next_case(reader_study=reader_study, reader=reader)) is not None:
                taken[reader.pk].append(reading.assignment.case_id)
                sign_unsaid(reading.assignment)
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=read, args=[reader]) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    assert failures == []
    cases = [case for mine in taken.values() for case in mine]
    assert (len(cases), len(set(cases))) == (200, 200)
    assert Assignment.objects.count() == 200
    assert not Case.objects.filter(num_free__gt=0).exists()
    counted = dict(Invitation.objects.values_list("reader", "num_signed"))
    assert counted == {reader: len(mine) for reader, mine in taken.items()}


@pytest.mark.django_db(transaction=True)
def test_two_clicks_of_one_reader_take_one_case() -> None:
    reader_study = pool()
    reader = readers_of(reader_study)[0]
    start = threading.Barrier(4)
    found: list[int] = []

    def click() -> None:
        try:
            start.wait(timeout=60)
            found.append(take(reader_study, reader).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (len(found), len(set(found)), Assignment.objects.count()) == (4, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_last_case_is_waited_for_while_another_reader_is_about_to_take_it() -> None:
    reader_study = pool(num_cases=1)
    reader = readers_of(reader_study)[0]
    found: list[Reading | None] = []

    def click() -> None:
        try:
            found.append(take_next_case(reader_study=reader_study, reader=reader))
        finally:
            connection.close()

    clicking = threading.Thread(target=click)
    with transaction.atomic():
        Case.objects.select_for_update().get(reader_study=reader_study)
        clicking.start()
        until_it_waits(clicking)
    clicking.join(timeout=60)
    [reading] = found
    assert reading is not None
    assert reading.assignment.reader == reader


@pytest.mark.django_db
def test_eight_readers_by_turns_have_sides_first_reads_and_loads_balanced() -> None:
    """Among data and controls alike, so that nothing tells a control by how it is shown."""
    design = ReaderStudyDesign(
        design="k_readers",
        readers_per_case=2,
        is_pool=True,
        first_reads="share",
        first_read_share=0.5,
        control_share=0.1,
    )
    reader_study = pool(num_cases=40, num_readers=8, design=design)
    readers = readers_of(reader_study)
    while True:
        round_of = [take_next_case(reader_study=reader_study, reader=reader) for reader in readers]
        if not any(round_of):
            break
        for reading in round_of:
            if reading is not None:
                sign_unsaid(reading.assignment)
    cases = {case.pk: case for case in Case.objects.filter(reader_study=reader_study)}
    assert Counter(case.role for case in cases.values()) == {Case.Role.DATA: 36, Case.Role.CONTROL: 4}
    first = {
        pk: case.completions.order_by("pk").values_list("pk", flat=True)[0] for pk, case in cases.items()
    }
    by_reader: dict[int, list[Reading]] = {reader.pk: [] for reader in readers}
    by_case: dict[int, list[Reading]] = {pk: [] for pk in cases}
    for reading in Reading.objects.select_related("assignment"):
        assert reading.assignment.kind == Assignment.Kind.FIRST
        by_reader[reading.assignment.reader_id].append(reading)
        by_case[reading.assignment.case_id].append(reading)
    assert {len(mine) for mine in by_reader.values()} == {10}
    assert all(len({r.assignment.reader_id for r in those}) == 2 for those in by_case.values())
    # A case's second reader sees what the first did not; a reader's other cases make up for it, nearly.
    for those, most in (*((r, 4) for r in by_reader.values()), *((c, 0) for c in by_case.values())):
        swapped = sum(reading.completion_a_id != first[reading.assignment.case_id] for reading in those)
        assert abs(2 * swapped - len(those)) <= most
        assert abs(2 * sum(reading.asks_first_read for reading in those) - len(those)) <= most
    for shown in ({r.completion_a_id, r.completion_b_id} for those in by_case.values() for r in those):
        assert len(shown) == 2


@pytest.mark.django_db
def test_a_lease_that_ran_out_frees_the_case_and_keeps_what_was_said() -> None:
    reader_study = pool(num_cases=1)
    first, second = readers_of(reader_study)
    reading = take(reader_study, first)
    mark_opened(reading, reader=first)
    complete(reading)
    num_said = StepRating.objects.filter(reading=reading).count()
    assert take_next_case(reader_study=reader_study, reader=second) is None
    assert release_expired_leases() == 0
    let_lease_run_out(reading)
    assert (release_expired_leases(), release_expired_leases()) == (1, 0)
    assert worklist(first).rows == ()
    with pytest.raises(Closed, match=r"lease on this case ran out.*What you said is kept") as closed:
        change(reading, AddActiveTime(1))
    assert closed.value.may_take

    again = take(reader_study, second)
    assert (again.assignment.case_id, again.pk == reading.pk) == (reading.assignment.case_id, False)
    assert take_next_case(reader_study=reader_study, reader=first) is None
    give_case_back(assignment=again.assignment, reader=second)
    # Still free, it comes back to the first reader with all that was said.
    assert take(reader_study, first) == reading
    assert StepRating.objects.filter(reading=reading).count() == num_said > 0
    assert sign(reading).signed_at is not None
    assert Assignment.objects.get(pk=reading.assignment_id).lease_expires_at is None
    assert release_expired_leases() == 0


@pytest.mark.django_db
def test_the_free_cases_of_a_pool_are_counted_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    reader_study = pool(num_cases=4)
    reader, other = readers_of(reader_study)
    taken = take(reader_study, reader)
    assert place_of(taken.assignment) == Place(1, 4)
    take(reader_study, other)
    assert place_of(taken.assignment) == Place(1, 3)
    monkeypatch.setattr(places, "MOST_FREE_COUNTED", 1)
    assert place_of(taken.assignment) == Place(1, 2, may_be_more=True)


@pytest.mark.django_db
def test_saving_keeps_the_lease() -> None:
    reader_study = pool()
    reader = readers_of(reader_study)[0]
    reading = take(reader_study, reader)
    mark_opened(reading, reader=reader)
    soon = timezone.now() + timedelta(minutes=5)
    Assignment.objects.filter(pk=reading.assignment_id).update(lease_expires_at=soon)
    change(reading, AddActiveTime(1))
    renewed = Assignment.objects.get(pk=reading.assignment_id).lease_expires_at
    assert renewed is not None
    assert renewed > soon + timedelta(minutes=100)
    change(reading, AddActiveTime(1))
    assert Assignment.objects.get(pk=reading.assignment_id).lease_expires_at == renewed


@pytest.mark.django_db
def test_training_comes_before_the_pool() -> None:
    [training] = studies(1)
    reader_study = running(a_draft(num_readers=1, design=POOL, taught=[TaughtCase(training, {})]))
    [reader] = readers_of(reader_study)
    first = take(reader_study, reader)
    assert first.assignment.case.role == Case.Role.TRAINING
    sign_unsaid(first.assignment)
    assert take(reader_study, reader).assignment.case.role == Case.Role.DATA


@pytest.mark.django_db
def test_controls_hide_among_the_cases_of_a_pool() -> None:
    design = replace(POOL, control_share=0.5)
    reader_study = pool(num_cases=4, num_readers=1, design=design)
    [reader] = readers_of(reader_study)
    assert worklist(reader).rows == ()
    roles = []
    while (reading := take_next_case(reader_study=reader_study, reader=reader)) is not None:
        roles.append(reading.assignment.case.role)
        sign_unsaid(reading.assignment)
    assert sorted(roles) == [Case.Role.CONTROL] * 2 + [Case.Role.DATA] * 2
    assert plan(design, num_cases=4, readers=1).num_readings == 4


@pytest.mark.django_db
def test_who_leaves_frees_the_case_at_once() -> None:
    reader_study = pool(num_cases=1)
    first, second = readers_of(reader_study)
    take(reader_study, first)
    remove_reader(reader_study=reader_study, reader=first, actor=None)
    assert take(reader_study, second).assignment.reader == second
    with pytest.raises(NotYours, match="no reader of this reader study"):
        take_next_case(reader_study=reader_study, reader=first)


@pytest.mark.django_db
def test_from_where_nothing_can_be_taken_is_said() -> None:
    reader_study = pool()
    reader = readers_of(reader_study)[0]
    with pytest.raises(NotYours):
        take_next_case(reader_study=reader_study, reader=ExpertFactory.create())
    with pytest.raises(RefusedByRule, match="on your worklist already"):
        take_next_case(reader_study=running(), reader=reader)
    pause_reader_study(reader_study=reader_study, actor=None)
    with pytest.raises(RefusedByRule, match="is paused"):
        take_next_case(reader_study=reader_study, reader=reader)


@pytest.mark.django_db
def test_what_was_not_leased_cannot_be_given_back() -> None:
    reader_study = running()
    assignment = Assignment.objects.filter(case__reader_study=reader_study).earliest("pk")
    with pytest.raises(RefusedByRule, match="nothing to give back"):
        give_case_back(assignment=assignment, reader=assignment.reader)
    with pytest.raises(NotYours):
        give_case_back(assignment=assignment, reader=ExpertFactory.create())
