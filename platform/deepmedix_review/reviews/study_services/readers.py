"""Invites readers, takes their answer, and removes them; what it moves on others' lists is shown before."""

from datetime import date

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews.guards import require_designer
from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy
from deepmedix_review.reviews.study_services.moves import (
    Lists,
    Moves,
    lists_of,
    moves_since,
    require_as_shown,
    taken_back,
)
from deepmedix_review.reviews.study_services.notices import forget_removal, tell_readers, tell_removed
from deepmedix_review.reviews.study_services.redrawing import (
    give_list,
    num_lacking,
    smallest_block,
    take_list_back,
)

State = Invitation.State


def preview_invitation(*, reader_study: ReaderStudy, reader: User, actor: User | None) -> Moves:
    """What inviting this reader would move; nothing is moved. Refuses what an invitation refuses."""
    with taken_back():
        return _invite(reader_study, reader, actor=actor, deadline=None)[1]


@transaction.atomic
def invite_reader(
    *,
    reader_study: ReaderStudy,
    reader: User,
    actor: User | None,
    deadline: date | None = None,
    shown: str | None = None,
) -> Invitation:
    """Into a draft, or into the middle of a running study: then the reader's list is drawn at once.

    Nothing that another reader has opened or signed is moved. Who declined or left can be invited again.
    `shown`: the fingerprint of the moves that were agreed to, else ChangedMeanwhile.
    """
    invitation, moves = _invite(reader_study, reader, actor=actor, deadline=deadline)
    require_as_shown(moves, shown)
    record_event(
        actor=actor, action="invite_reader", subject=reader_study, details={"reader": str(reader.uid)}
    )
    forget_removal(reader, reader_study=reader_study)
    tell_readers(moves, reader_study=reader_study, actor=actor)
    return invitation


def _invite(
    reader_study: ReaderStudy, reader: User, *, actor: User | None, deadline: date | None
) -> tuple[Invitation, Moves]:
    require_designer(actor)
    reader_study = _running_or_draft(reader_study)
    if not may(reader, Capability.READ_CASES):
        raise RefusedByRule(f"{reader.pseudonym} may not read cases. Choose an expert.")
    invitation = Invitation.objects.filter(reader_study=reader_study, reader=reader).first()
    if invitation is not None and invitation.state in (State.INVITED, State.ACCEPTED):
        raise RefusedByRule(f"{reader.pseudonym} is a reader of this reader study already.")
    block = smallest_block(reader_study)
    if invitation is None:
        invitation = Invitation(
            reader_study=reader_study, reader=reader, **_settled_before(reader_study, reader)
        )
    invitation.state, invitation.answered_at = State.INVITED, None
    invitation.block, invitation.deadline = block, deadline
    invitation.save()
    before = lists_of(reader_study)
    if reader_study.state != ReaderStudy.State.DRAFT:
        give_list(reader_study, invitation)
    return invitation, _moves(before, reader_study, reader)


def _settled_before(reader_study: ReaderStudy, reader: User) -> dict[str, int]:
    """What an invitation counts, of the cases that its reader was given to settle before it."""
    given = Assignment.objects.filter(case__reader_study=reader_study, reader=reader)
    held = Q(withdrawn_at=None)
    return given.aggregate(
        num_assigned=Count("pk", filter=held),
        num_signed=Count("signed_at", filter=held),
        num_opened=Count("number"),
    )


@transaction.atomic
def answer_invitation(*, invitation: Invitation, reader: User, accepts: bool) -> Invitation:
    """Accepted, the cases are on the reader's worklist; declined, they go to the others."""
    _hold_assignments(invitation.reader_study_id, reader)
    invitation = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("reader_study")
        .get(pk=invitation.pk)
    )
    if invitation.reader_id != reader.pk:
        raise NotYours("This invitation is not yours. Go back to your worklist.")
    if invitation.state != State.INVITED:
        raise RefusedByRule(f"This invitation was {invitation.get_state_display().lower()} already.")
    if invitation.reader_study.state == ReaderStudy.State.LOCKED:
        raise RefusedByRule("This reader study was locked meanwhile, so nothing of it can be read any more.")
    invitation.state = State.ACCEPTED if accepts else State.DECLINED
    invitation.answered_at = timezone.now()
    invitation.save(update_fields=["state", "answered_at"])
    moves = None
    if not accepts:
        reader_study = _locked(invitation.reader_study)
        before = lists_of(reader_study)
        take_list_back(reader_study, reader)
        moves = _moves(before, reader_study, reader)
    record_event(
        actor=reader,
        action="accept_invitation" if accepts else "decline_invitation",
        subject=invitation.reader_study,
    )
    if moves is not None:
        tell_readers(moves, reader_study=invitation.reader_study, actor=reader)
    return invitation


def preview_removal(*, reader_study: ReaderStudy, reader: User, actor: User | None) -> Moves:
    """What removing this reader would move; nothing is moved. Refuses what a removal refuses."""
    with taken_back():
        return _remove(reader_study, reader, actor=actor)[1]


@transaction.atomic
def remove_reader(
    *, reader_study: ReaderStudy, reader: User, actor: User | None, shown: str | None = None
) -> Invitation:
    """What the reader signed stays; the cases not yet signed go to the others where the design rotates them.

    `shown`: the fingerprint of the moves that were agreed to, else ChangedMeanwhile.
    """
    was_reading = Invitation.objects.filter(
        reader_study=reader_study, reader=reader, state=State.ACCEPTED
    ).exists()
    invitation, moves = _remove(reader_study, reader, actor=actor)
    require_as_shown(moves, shown)
    record_event(
        actor=actor, action="remove_reader", subject=reader_study, details={"reader": str(reader.uid)}
    )
    if was_reading:
        tell_removed(reader, reader_study=reader_study, actor=actor)
    tell_readers(moves, reader_study=reader_study, actor=actor)
    return invitation


def _remove(reader_study: ReaderStudy, reader: User, *, actor: User | None) -> tuple[Invitation, Moves]:
    require_designer(actor)
    reader_study = _running_or_draft(reader_study)
    _hold_assignments(reader_study.pk, reader)
    invitation = Invitation.objects.filter(
        reader_study=reader_study, reader=reader, state__in=(State.INVITED, State.ACCEPTED)
    ).first()
    if invitation is None:
        raise RefusedByRule(f"{reader.pseudonym} is no reader of this reader study.")
    invitation.state, invitation.answered_at = State.REMOVED, timezone.now()
    invitation.save(update_fields=["state", "answered_at"])
    before = lists_of(reader_study)
    take_list_back(reader_study, reader, takes_opened=True)
    return invitation, _moves(before, reader_study, reader)


def _moves(before: Lists, reader_study: ReaderStudy, reader: User) -> Moves:
    return moves_since(
        before, reader_study=reader_study, reader=reader, num_lacking=num_lacking(reader_study)
    )


def _hold_assignments(reader_study: int, reader: User) -> None:
    """A signature locks its assignment before the invitation that counts it; so does whoever takes both."""
    mine = Assignment.objects.filter(case__reader_study=reader_study, reader=reader, withdrawn_at=None)
    list(mine.select_for_update(of=("self",)).order_by("pk").values_list("pk"))


def _running_or_draft(reader_study: ReaderStudy) -> ReaderStudy:
    locked = _locked(reader_study)
    if locked.state == ReaderStudy.State.LOCKED:
        raise RefusedByRule("This reader study is locked, so its readers stay as they are.")
    return locked


def _locked(reader_study: ReaderStudy) -> ReaderStudy:
    return ReaderStudy.objects.select_for_update().get(pk=reader_study.pk)
