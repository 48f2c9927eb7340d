"""Readers are invited, decline, come in the middle and leave; the balance stays, and nothing signed moves."""

from collections import Counter
from dataclasses import replace

import pytest

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    Invitation,
    ReaderStudy,
    Reading,
    WorklistNotice,
)
from deepmedix_review.reviews.selectors import worklist
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.reviews.study_services import (
    TaughtCase,
    answer_invitation,
    design_reader_study,
    invite_reader,
    lock_reader_study,
    remove_reader,
    start_reader_study,
)
from deepmedix_review.reviews.worklist.offers import reader_studies_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reader_studies import a_draft, list_of, load_of, running, sign_all, sign_unsaid, studies
from tests.factories.reviews import complete

pytestmark = pytest.mark.django_db

ROTATION = ReaderStudyDesign(design="k_readers", readers_per_case=2, shows="one")


def readers_of(reader_study: ReaderStudy) -> list[User]:
    rows = Invitation.objects.filter(reader_study=reader_study).order_by("pk")
    return [invitation.reader for invitation in rows]


def invitation_of(reader_study: ReaderStudy, reader: User) -> Invitation:
    return Invitation.objects.get(reader_study=reader_study, reader=reader)


def holders(reader_study: ReaderStudy) -> list[int]:
    """How many readers have each data case, read or to be read."""
    rows = Assignment.objects.filter(
        case__reader_study=reader_study, case__role=Case.Role.DATA, kind="first", withdrawn_at=None
    )
    return sorted(Counter(rows.values_list("case", flat=True)).values())


def test_cases_come_on_the_worklist_with_the_acceptance() -> None:
    reader_study = design_reader_study(draft=a_draft(), actor=None)
    start_reader_study(reader_study=reader_study, actor=None)
    reader, other = readers_of(reader_study)
    assert worklist(reader).rows == ()
    invitation = invitation_of(reader_study, reader)
    with pytest.raises(NotYours):
        answer_invitation(invitation=invitation, reader=other, accepts=True)
    answer_invitation(invitation=invitation, reader=reader, accepts=True)
    assert len(worklist(reader).rows) == 4
    with pytest.raises(RefusedByRule, match="accepted already"):
        answer_invitation(invitation=invitation, reader=reader, accepts=False)


def test_an_invitation_that_was_not_answered_before_the_lock_is_offered_no_more() -> None:
    reader_study = design_reader_study(draft=a_draft(), actor=None)
    start_reader_study(reader_study=reader_study, actor=None)
    reader = readers_of(reader_study)[0]
    assert [study.is_invited for study in reader_studies_of(reader)] == [True]
    lock_reader_study(reader_study=reader_study, actor=None)
    assert reader_studies_of(reader) == ()
    invitation = invitation_of(reader_study, reader)
    for accepts in (True, False):
        with pytest.raises(RefusedByRule, match="locked meanwhile"):
            answer_invitation(invitation=invitation, reader=reader, accepts=accepts)


def test_cases_of_who_declines_go_to_the_others_evenly() -> None:
    reader_study = running(a_draft(num_cases=12, num_readers=4, design=ROTATION))
    *stay, gone = readers_of(reader_study)
    Invitation.objects.filter(reader=gone).update(state=Invitation.State.INVITED)
    answer_invitation(invitation=invitation_of(reader_study, gone), reader=gone, accepts=False)
    assert holders(reader_study) == [2] * 12
    assert [load_of(reader_study, reader) for reader in (*stay, gone)] == [8, 8, 8, 0]
    assert invitation_of(reader_study, gone).num_assigned == 0


def test_repeats_of_who_takes_cases_over_are_a_share_of_the_whole_list() -> None:
    design = replace(ROTATION, repeat_share=0.2, washout_cases=1)
    reader_study = running(a_draft(num_cases=16, num_readers=4, design=design))
    *stay, gone = readers_of(reader_study)
    remove_reader(reader_study=reader_study, reader=gone, actor=None)
    assert holders(reader_study) == [2] * 16
    for reader in stay:
        rows = Assignment.objects.filter(case__reader_study=reader_study, reader=reader, withdrawn_at=None)
        kinds = Counter(rows.values_list("kind", flat=True))
        # A fifth of 10 or 11; rounded of 8 and of 3 apart it would have been 3 of 11.
        assert kinds["first"] in (10, 11)
        assert kinds["repeat"] == 2


def test_notices_of_those_who_leave_are_one_and_who_comes_again_has_none() -> None:
    reader_study = running(a_draft(num_cases=12, num_readers=4, design=ROTATION))
    stays, _, *gone = readers_of(reader_study)
    notices = WorklistNotice.objects.filter(reader=stays, dismissed_at=None)
    before = load_of(reader_study, stays)
    for reader in gone:
        remove_reader(reader_study=reader_study, reader=reader, actor=None)
    [notice] = notices
    assert (notice.num_gone, notice.num_come) == (0, load_of(reader_study, stays) - before)
    of_gone = WorklistNotice.objects.filter(reader=gone[0], dismissed_at=None)
    assert [one.is_end for one in of_gone] == [True]
    invite_reader(reader_study=reader_study, reader=gone[0], actor=None)
    assert [(one.is_end, one.num_gone, one.num_come) for one in of_gone.all()] == []
    # What goes is another thing than what came.
    assert [(one.num_gone > 0, one.num_come > 0) for one in notices.order_by("pk")] == [
        (False, True),
        (True, False),
    ]


def test_who_is_removed_keeps_what_was_signed_and_says_no_more() -> None:
    reader_study = running(a_draft(num_cases=12, num_readers=4, design=ROTATION))
    *stay, gone = readers_of(reader_study)
    signed, opened = list_of(reader_study, gone)[:2]
    sign_unsaid(signed)
    reading = Reading.objects.get(assignment=opened)
    mark_opened(reading, reader=gone)
    remove_reader(reader_study=reader_study, reader=gone, actor=AdminFactory.create())
    assert list_of(reader_study, gone) == [signed]
    assert holders(reader_study) == [2] * 12
    loads = [load_of(reader_study, reader) for reader in stay]
    assert max(loads) - min(loads) <= 1
    with pytest.raises(RefusedByRule, match="no longer a reader of this reader study"):
        complete(reading)
    assert worklist(gone).rows == ()
    with pytest.raises(RefusedByRule, match="is no reader"):
        remove_reader(reader_study=reader_study, reader=gone, actor=None)


def test_a_reader_who_comes_to_a_rotation_takes_from_those_with_most_left() -> None:
    reader_study = running(a_draft(num_cases=20, num_readers=4, design=ROTATION))
    early, *others = readers_of(reader_study)
    sign_all(list_of(reader_study, early))
    kept = {reader.pk: list_of(reader_study, reader)[:2] for reader in others}
    for items in kept.values():
        sign_all(items)
    new = ExpertFactory.create()
    invite_reader(reader_study=reader_study, reader=new, actor=None)
    assert holders(reader_study) == [2] * 20
    left = [sum(item.signed_at is None for item in list_of(reader_study, reader)) for reader in others]
    assert max([*left, load_of(reader_study, new)]) - min([*left, load_of(reader_study, new)]) <= 1
    assert load_of(reader_study, early) == 10
    for reader in others:
        assert kept[reader.pk] == list_of(reader_study, reader)[:2]


def test_cases_that_repeats_tie_to_their_reader_count_as_loads_of_a_rotation() -> None:
    """Nobody has read yet, so that whoever comes gets as many cases as each of the others keeps."""
    design = replace(ROTATION, repeat_share=0.25, washout_cases=2)
    reader_study = running(a_draft(num_cases=12, num_readers=2, design=design))
    others = readers_of(reader_study)
    new = ExpertFactory.create()
    invite_reader(reader_study=reader_study, reader=new, actor=None)
    assert holders(reader_study) == [2] * 12
    assert [load_of(reader_study, reader) for reader in (*others, new)] == [8, 8, 8]
    for reader in others:
        mine = list_of(reader_study, reader)
        assert {item.repeat_of_id for item in mine if item.repeat_of_id} <= {item.pk for item in mine}


def test_a_reader_who_comes_to_a_rotation_fills_open_slots_first() -> None:
    reader_study = running(a_draft(num_cases=6, num_readers=2, design=ROTATION))
    stays, leaves = readers_of(reader_study)
    remove_reader(reader_study=reader_study, reader=leaves, actor=None)
    assert holders(reader_study) == [1] * 6
    new = ExpertFactory.create()
    invite_reader(reader_study=reader_study, reader=new, actor=None)
    assert (holders(reader_study), load_of(reader_study, stays)) == ([2] * 6, 6)


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        (ReaderStudyDesign(shows="one"), 12),
        (ReaderStudyDesign(shows="one", design="split_plot", num_blocks=2), 6),
        (
            ReaderStudyDesign(shows="one", design="anchor_rotation", readers_per_case=1, num_anchor_cases=4),
            6,
        ),
    ],
)
def test_a_reader_who_comes_reads_what_the_design_gives_and_all_that_everybody_reads(
    design: ReaderStudyDesign, expected: int
) -> None:
    [training] = studies(1)
    reader_study = running(
        a_draft(num_cases=12, num_readers=3, design=design, taught=[TaughtCase(training, {})])
    )
    before = holders(reader_study)
    new = ExpertFactory.create()
    invite_reader(reader_study=reader_study, reader=new, actor=None)
    assert load_of(reader_study, new) == expected
    first = list_of(reader_study, new)[0]
    assert (first.case.role, first.position) == (Case.Role.TRAINING, 1)
    assert all(now >= then for now, then in zip(holders(reader_study), before, strict=True))


def test_sides_of_a_late_reader_make_up_for_those_before() -> None:
    design = ReaderStudyDesign(shows="two_samples")
    reader_study = running(a_draft(num_cases=10, num_readers=1, design=design))
    new = ExpertFactory.create()
    invite_reader(reader_study=reader_study, reader=new, actor=None)
    for case in Case.objects.filter(reader_study=reader_study):
        sides = Reading.objects.filter(assignment__case=case).values_list("completion_a", flat=True)
        assert len(set(sides)) == 2


def test_who_was_removed_can_come_back_to_the_same_cases() -> None:
    reader_study = running(a_draft(num_cases=4, num_readers=2))
    reader = readers_of(reader_study)[0]
    before = list_of(reader_study, reader)
    remove_reader(reader_study=reader_study, reader=reader, actor=None)
    invite_reader(reader_study=reader_study, reader=reader, actor=None)
    assert list_of(reader_study, reader) == before
    assert Reading.objects.filter(assignment__in=before).count() == 4


def test_who_may_not_be_invited_is_said() -> None:
    reader_study = running()
    reader = readers_of(reader_study)[0]
    for guest, sentence in ((reader, "already"), (AdminFactory.create(), "may not read cases")):
        with pytest.raises(RefusedByRule, match=sentence):
            invite_reader(reader_study=reader_study, reader=guest, actor=None)
    lock_reader_study(reader_study=reader_study, actor=None)
    with pytest.raises(RefusedByRule, match="locked"):
        invite_reader(reader_study=reader_study, reader=ExpertFactory.create(), actor=None)
    with pytest.raises(RefusedByRule, match="locked"):
        remove_reader(reader_study=reader_study, reader=reader, actor=None)
