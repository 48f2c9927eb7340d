"""What a reader's coming or leaving moves is shown before, happens as shown, and is told to its readers."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy, Reading, WorklistNotice
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.reviews.study_services import (
    ChangedMeanwhile,
    Moves,
    answer_invitation,
    dismiss_notice,
    extend_reader_study,
    invite_reader,
    preview_invitation,
    preview_removal,
    remove_reader,
)
from deepmedix_review.reviews.worklist.offers import notices_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reader_studies import a_draft, list_of, running, sign_unsaid
from tests.factories.reviews import completed_study

pytestmark = pytest.mark.django_db

ROTATION = ReaderStudyDesign(design="k_readers", readers_per_case=2, shows="one")
DESIGNS = {
    "every reader": ReaderStudyDesign(shows="one"),
    "k readers": ROTATION,
    "split-plot": ReaderStudyDesign(shows="one", design="split_plot", num_blocks=2),
    "anchor": ReaderStudyDesign(
        shows="one", design="anchor_rotation", readers_per_case=2, num_anchor_cases=2
    ),
    "pool": replace(ROTATION, is_pool=True),
    "with repeats and controls": replace(ROTATION, repeat_share=0.3, washout_cases=1, control_share=0.2),
}


def readers_of(reader_study: ReaderStudy) -> list[User]:
    rows = reader_study.invitations.select_related("reader").order_by("pk")
    return [row.reader for row in rows]


def lists(reader_study: ReaderStudy) -> dict[str, set[tuple[int, str]]]:
    """By reader's pseudonym, the cases to read."""
    rows = Assignment.objects.filter(case__reader_study=reader_study, withdrawn_at=None, signed_at=None)
    found: dict[str, set[tuple[int, str]]] = {}
    for pseudonym, case, kind in rows.values_list("reader__pseudonym", "case", "kind"):
        found.setdefault(pseudonym, set()).add((case, kind))
    return found


def told(moves: Moves) -> dict[str, tuple[int, int]]:
    """By pseudonym, how many cases were and will be to read."""
    changes = (moves.own, *moves.others)
    return {change.reader.pseudonym: (change.num_before, change.num_after) for change in changes}


def counted(
    before: dict[str, set[tuple[int, str]]], after: dict[str, set[tuple[int, str]]], *, of: Iterable[str]
) -> dict[str, tuple[int, int]]:
    return {name: (len(before.get(name, ())), len(after.get(name, ()))) for name in of}


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_what_is_shown_before_is_what_happens(design: ReaderStudyDesign) -> None:
    reader_study = running(a_draft(num_cases=10, num_readers=4, design=design))
    stays, leaves, *_ = readers_of(reader_study)
    for item in list_of(reader_study, stays)[:2]:
        sign_unsaid(item)
    admin, newcomer = AdminFactory.create(), ExpertFactory.create()

    before, num_events = lists(reader_study), AuditEvent.objects.count()
    shown = preview_invitation(reader_study=reader_study, reader=newcomer, actor=admin)
    assert lists(reader_study) == before
    assert AuditEvent.objects.count() == num_events
    assert not Invitation.objects.filter(reader=newcomer).exists()
    invite_reader(reader_study=reader_study, reader=newcomer, actor=admin, shown=shown.fingerprint)
    after = lists(reader_study)
    assert told(shown) == counted(before, after, of=told(shown))
    gone = {change.reader.pseudonym: change.num_gone for change in shown.others}
    assert gone == {name: len(before.get(name, set()) - after.get(name, set())) for name in gone}

    shown = preview_removal(reader_study=reader_study, reader=leaves, actor=admin)
    assert lists(reader_study) == after
    remove_reader(reader_study=reader_study, reader=leaves, actor=admin, shown=shown.fingerprint)
    at_last = lists(reader_study)
    assert told(shown) == counted(after, at_last, of=told(shown))
    come = {change.reader.pseudonym: change.num_come for change in shown.others}
    assert come == {name: len(at_last.get(name, set()) - after.get(name, set())) for name in come}
    assert shown.num_moved == sum(come.values())


def test_readings_that_nobody_else_can_take_are_counted_before() -> None:
    reader_study = running(a_draft(num_cases=6, num_readers=2, design=ROTATION))
    stays, leaves = readers_of(reader_study)
    mark_opened(Reading.objects.get(assignment=list_of(reader_study, leaves)[0]), reader=leaves)
    shown = preview_removal(reader_study=reader_study, reader=leaves, actor=None)
    assert (shown.num_lacking, shown.num_begun, shown.num_moved) == (6, 1, 0)
    assert shown.evenness == (6, 6)
    assert told(shown) == {leaves.pseudonym: (6, 0), stays.pseudonym: (6, 6)}


def test_nothing_moves_where_others_would_move_than_were_shown() -> None:
    reader_study = running(a_draft(num_cases=8, num_readers=2, design=ROTATION))
    newcomer = ExpertFactory.create()
    shown = preview_invitation(reader_study=reader_study, reader=newcomer, actor=None)
    for item in list_of(reader_study, readers_of(reader_study)[0])[:6]:
        sign_unsaid(item)
    before = lists(reader_study)
    with pytest.raises(ChangedMeanwhile, match="look at it again"):
        invite_reader(reader_study=reader_study, reader=newcomer, actor=None, shown=shown.fingerprint)
    assert lists(reader_study) == before
    assert not WorklistNotice.objects.exists()


def test_a_preview_refuses_what_the_act_refuses() -> None:
    reader_study = running()
    with pytest.raises(RefusedByRule, match="already"):
        preview_invitation(reader_study=reader_study, reader=readers_of(reader_study)[0], actor=None)
    with pytest.raises(RefusedByRule, match="is no reader"):
        preview_removal(reader_study=reader_study, reader=ExpertFactory.create(), actor=None)
    with pytest.raises(NotYours):
        preview_removal(
            reader_study=reader_study, reader=readers_of(reader_study)[0], actor=ExpertFactory.create()
        )


def test_readers_are_told_of_cases_that_went_and_came_and_that_they_read_no_more() -> None:
    reader_study = running(a_draft(num_cases=12, num_readers=3, design=ROTATION))
    readers, admin, newcomer = readers_of(reader_study), AdminFactory.create(), ExpertFactory.create()
    invitation = invite_reader(reader_study=reader_study, reader=newcomer, actor=admin)
    for reader in readers:
        [notice] = notices_of(reader)
        assert (notice.num_gone, notice.num_come, notice.is_end) == (2, 0, False)
        dismiss_notice(notice=notice, reader=reader)
    assert notices_of(newcomer) == []
    answer_invitation(invitation=invitation, reader=newcomer, accepts=False)
    assert sum(notice.num_come for reader in readers for notice in notices_of(reader)) == 6

    stays, gone, _ = readers
    dismiss_notice(notice=notices_of(stays)[0], reader=stays)
    assert len(notices_of(gone)) == 1
    remove_reader(reader_study=reader_study, reader=gone, actor=admin)
    assert [notice.is_end for notice in notices_of(gone)] == [True]
    assert [notice.num_come for notice in notices_of(stays)] == [4]


def test_another_deadline_is_told_to_whom_it_is_another_and_who_has_more_to_read() -> None:
    reader_study = running(a_draft(num_cases=1, num_readers=5, design=ReaderStudyDesign(shows="one")))
    reads, own_later, own_sooner, done, invited = readers_of(reader_study)
    today = timezone.localdate()
    for reader, days in ((own_later, 20), (own_sooner, 2)):
        Invitation.objects.filter(reader=reader).update(deadline=today + timedelta(days=days))
    Invitation.objects.filter(reader=invited).update(state=Invitation.State.INVITED)
    sign_unsaid(list_of(reader_study, done)[0])
    day = today + timedelta(days=10)
    for _ in range(2):
        # What stays as it is is told once.
        extend_reader_study(reader_study=reader_study, actor=None, deadline=day)
    for reader in (reads, own_sooner):
        assert [(notice.deadline, notice.num_come) for notice in notices_of(reader)] == [(day, 0)]
    for reader in (own_later, done, invited):
        assert notices_of(reader) == []


def test_a_pool_that_grew_is_told_to_all_its_readers() -> None:
    reader_study = running(a_draft(num_cases=1, num_readers=2, design=DESIGNS["pool"]))
    more = [completed_study(), completed_study()]
    day = timezone.localdate() + timedelta(days=10)
    extend_reader_study(reader_study=reader_study, actor=None, cases=more, deadline=day)
    for reader in readers_of(reader_study):
        [notice] = notices_of(reader)
        assert (notice.num_come, notice.is_grown, notice.deadline) == (2, True, day)


def test_who_has_not_accepted_is_told_nothing_since_no_list_was_seen() -> None:
    reader_study = running(a_draft(num_cases=12, num_readers=3, design=ROTATION))
    invited, reads, _ = readers_of(reader_study)
    Invitation.objects.filter(reader=invited).update(state=Invitation.State.INVITED)
    invite_reader(reader_study=reader_study, reader=ExpertFactory.create(), actor=None)
    assert notices_of(invited) == []
    assert len(notices_of(reads)) == 1
    remove_reader(reader_study=reader_study, reader=invited, actor=None)
    assert notices_of(invited) == []


def test_each_change_of_a_list_and_each_dismissal_is_audited() -> None:
    reader_study = running(a_draft(num_cases=12, num_readers=2, design=ROTATION))
    reader, other = readers_of(reader_study)
    admin = AdminFactory.create()
    invite_reader(reader_study=reader_study, reader=ExpertFactory.create(), actor=admin)
    events = AuditEvent.objects.filter(action="change_worklist")
    assert {event.details["reader"] for event in events} == {str(reader.uid), str(other.uid)}
    assert {(event.actor, event.details["gone"]) for event in events} == {(admin, 4)}
    [notice] = notices_of(reader)
    with pytest.raises(NotYours):
        dismiss_notice(notice=notice, reader=other)
    for _ in range(2):
        dismiss_notice(notice=notice, reader=reader)
    [event] = AuditEvent.objects.filter(action="dismiss_notice")
    assert (event.actor, event.subject_uid) == (reader, str(notice.uid))
    assert notices_of(reader) == []
