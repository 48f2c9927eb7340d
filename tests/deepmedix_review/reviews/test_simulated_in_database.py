"""A reader study of each design with 8 readers and 300 cases, from its draft to everybody's worklist."""

from collections import Counter, defaultdict

import pytest

from deepmedix_review.accounts.models import User
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.selectors import signed_readings, worklist
from deepmedix_review.reviews.study_services import TaughtCase
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.reviews.designs.test_simulated_studies import (
    DESIGNS,
    NUM_CASES,
    NUM_READERS,
    WASHOUT,
)
from tests.factories.reader_studies import a_draft, experts, list_of, running, studies, studies_that_differ

pytestmark = pytest.mark.django_db

Kind, Role = Assignment.Kind, Case.Role


def test_every_design_reaches_the_worklists_as_it_was_drawn() -> None:
    readers = experts(NUM_READERS)
    chosen = studies_that_differ(NUM_CASES)
    [training] = studies(1, num_completions=2)
    for design in DESIGNS.values():
        reader_study = running(
            a_draft(
                studies=chosen,
                taught=[TaughtCase(training, {"findings": ["Cardiomegaly"]})],
                readers=readers,
                design=design,
                num_readers=0,
                seed=7,
            )
        )
        assert_roles(reader_study)
        assert_lists(reader_study, readers, design)
        assert_sides(reader_study)
        assert_counted(reader_study, readers)


def assert_roles(reader_study: ReaderStudy) -> None:
    roles = Counter(Case.objects.filter(reader_study=reader_study).values_list("role", flat=True))
    assert roles == {Role.DATA: 285, Role.CONTROL: 15, Role.TRAINING: 1}
    through = Case.completions.through.objects.filter(case__reader_study=reader_study)
    assert set(Counter(through.values_list("case", flat=True)).values()) == {2}
    altered = Completion.with_altered.filter(cases__reader_study=reader_study).exclude(alteration="")
    assert set(altered.values_list("cases__role", flat=True)) == {Role.CONTROL}
    assert altered.count() == 15
    assert set(altered.values_list("alteration", flat=True)) == set(Completion.Alteration.values)


def assert_lists(reader_study: ReaderStudy, readers: list[User], design: ReaderStudyDesign) -> None:
    loads = []
    for reader in readers:
        mine = list_of(reader_study, reader)
        assert [item.position for item in mine] == list(range(1, len(mine) + 1))
        assert [item.pk for item in mine] == sorted(item.pk for item in mine)
        assert mine[0].case.role == Role.TRAINING
        loads.append(sum(item.kind == Kind.FIRST and item.case.role == Role.DATA for item in mine))
        place = {item.pk: item.position for item in mine}
        repeats = [item for item in mine if item.kind == Kind.REPEAT]
        assert len(repeats) == round(0.1 * loads[-1])
        for item in repeats:
            assert item.repeat_of_id is not None
            assert place[item.pk] - place[item.repeat_of_id] > WASHOUT
            assert item.available_at is None
        asked = Reading.objects.filter(assignment__in=mine, asks_first_read=True).count()
        assert asked / len(mine) == pytest.approx(0.3, abs=0.05)
    assert max(loads) - min(loads) <= 1


def assert_sides(reader_study: ReaderStudy) -> None:
    """Within one per reader and per case; a repeat shows what was on A on B."""
    first = dict(
        Case.completions.through.objects.filter(case__reader_study=reader_study)
        .order_by("-pk")
        .values_list("case", "completion")
    )
    by_reader: dict[int, list[bool]] = defaultdict(list)
    by_case: dict[int, list[bool]] = defaultdict(list)
    readings = Reading.objects.filter(assignment__case__reader_study=reader_study).select_related(
        "assignment"
    )
    side_a = {}
    for reading in readings:
        side_a[reading.assignment_id] = reading.completion_a_id
        assert reading.completion_b_id is not None
        if reading.assignment.kind == Kind.FIRST:
            swapped = reading.completion_a_id != first[reading.assignment.case_id]
            by_reader[reading.assignment.reader_id].append(swapped)
            by_case[reading.assignment.case_id].append(swapped)
    for swaps in [*by_reader.values(), *by_case.values()]:
        assert abs(2 * sum(swaps) - len(swaps)) <= 1
    repeats = [reading.assignment for reading in readings if reading.assignment.kind == Kind.REPEAT]
    assert all(side_a[repeat.pk] != side_a[repeat.repeat_of_id or 0] for repeat in repeats)


def assert_counted(reader_study: ReaderStudy, readers: list[User]) -> None:
    counted = dict(Invitation.objects.filter(reader_study=reader_study).values_list("reader", "num_assigned"))
    assert counted == {reader.pk: len(list_of(reader_study, reader)) for reader in readers}


def test_a_worklist_tells_neither_control_nor_repeat_nor_what_is_not_due() -> None:
    design = ReaderStudyDesign(control_share=0.2, repeat_share=0.2, washout_cases=2)
    reader_study = running(a_draft(num_cases=20, num_readers=1, design=design))
    reader = Invitation.objects.get(reader_study=reader_study).reader
    [row] = worklist(reader).rows
    mine = list_of(reader_study, reader)
    assert sum(item.kind == Kind.FIRST for item in mine) < len(mine)
    assert (row.assignment, row.num_behind) == (mine[0].uid, len(mine) - 1)
    assert (row.is_adjudication, row.is_training) == (False, False)


def test_signed_readings_are_of_data_alone() -> None:
    [training, calibration] = studies(2)
    design = ReaderStudyDesign(shows="one", control_share=0.25, repeat_share=0.25)
    reader_study = running(
        a_draft(
            num_cases=8,
            num_readers=1,
            design=design,
            taught=[TaughtCase(training, {}), TaughtCase(calibration, {}, role="calibration")],
        )
    )
    signed = Reading.objects.filter(assignment__case__reader_study=reader_study)
    kinds = Counter(signed.values_list("assignment__case__role", "assignment__kind"))
    assert kinds == {
        (Role.TRAINING, Kind.FIRST): 1,
        (Role.CALIBRATION, Kind.FIRST): 1,
        (Role.CONTROL, Kind.FIRST): 2,
        (Role.DATA, Kind.FIRST): 6,
        (Role.DATA, Kind.REPEAT): 2,
    }
    signed.update(signed_at="2026-01-01T00:00Z")
    assert Counter(signed_readings().values_list("assignment__case__role", "assignment__kind")) == {
        (Role.DATA, Kind.FIRST): 6
    }
    assert not Study.objects.filter(
        pk__in=signed_readings().values("assignment__case__study"), cases__role=Role.CONTROL
    ).exists()
