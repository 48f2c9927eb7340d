"""Finds what a reader is asked to do beside single cases: invitations, pools, and how far each study is."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import NotYours
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy

State = Invitation.State
DAYS_SOON = 3
NOTHING = {"num_adjudications": 0, "num_held": 0}


@dataclass(frozen=True)
class ReadersStudy:
    """One reader study as its reader sees it. Nothing here tells a hidden repeat or a control from data."""

    uid: uuid.UUID
    invitation: uuid.UUID
    title: str
    instructions: str
    state: str
    is_invited: bool
    is_pool: bool
    deadline: date | None
    days_left: int | None
    num_assigned: int
    num_signed: int
    num_adjudications: int
    has_free_case: bool
    is_holding_a_case: bool

    @property
    def num_open(self) -> int:
        return self.num_assigned - self.num_signed

    @property
    def is_soon(self) -> bool:
        return self.days_left is not None and 0 <= self.days_left <= DAYS_SOON and self.num_open > 0

    @property
    def is_late(self) -> bool:
        return self.days_left is not None and self.days_left < 0


def reader_studies_of(reader: User) -> tuple[ReadersStudy, ...]:
    """The studies that invite this reader or that the reader reads in, those that end first at the top."""
    require(reader, Capability.READ_CASES)
    invitations = list(
        Invitation.objects.filter(reader=reader, state__in=(State.INVITED, State.ACCEPTED))
        .exclude(reader_study__state=ReaderStudy.State.DRAFT)
        .select_related("reader_study")
        .order_by(F("deadline").asc(nulls_last=True), F("reader_study__deadline").asc(nulls_last=True), "pk")
    )
    special = _special(reader)
    pools = [found.reader_study_id for found in invitations if found.reader_study.is_pool]
    free = {pool for pool in pools if _has_free_case(reader, pool)}
    return tuple(
        _readers_study(
            invitation,
            special.get(invitation.reader_study_id, NOTHING),
            has_free_case=invitation.reader_study_id in free,
        )
        for invitation in invitations
    )


def invitation_for(reader: User, uid: uuid.UUID) -> Invitation:
    """The reader's own. Raises NotYours for any other, there or not."""
    require(reader, Capability.READ_CASES)
    invitation = Invitation.objects.select_related("reader_study").filter(uid=uid, reader=reader).first()
    if invitation is None:
        raise NotYours("This invitation is not yours. Go back to your worklist.")
    return invitation


def pool_for(reader: User, uid: uuid.UUID) -> ReaderStudy:
    """A reader study that this reader was invited to. Raises NotYours for any other, there or not."""
    require(reader, Capability.READ_CASES)
    found = ReaderStudy.objects.filter(uid=uid, invitations__reader=reader).first()
    if found is None:
        raise NotYours("You are no reader of this reader study. Go back to your worklist.")
    return found


def _special(reader: User) -> Mapping[int, Mapping[str, Any]]:
    """By reader study: open adjudications, and cases of a pool that the reader holds now."""
    rows = (
        Assignment.objects.filter(
            Q(kind=Assignment.Kind.ADJUDICATION) | Q(lease_expires_at__isnull=False),
            reader=reader,
            signed_at=None,
            withdrawn_at=None,
        )
        .values("case__reader_study")
        .annotate(
            num_adjudications=Count("pk", filter=Q(kind=Assignment.Kind.ADJUDICATION)),
            num_held=Count("pk", filter=Q(lease_expires_at__isnull=False)),
        )
    )
    return {row["case__reader_study"]: row for row in rows}


def _has_free_case(reader: User, pool: int) -> bool:
    """Whether there is a case of this pool that the reader could take."""
    had = Assignment.objects.filter(case=OuterRef("pk"), reader=reader, lease_expires_at=None)
    free = Case.objects.filter(~Exists(had), reader_study=pool, num_free__gt=0)
    # In the order of its index, so that the first one found ends the search.
    return free.order_by("position").first() is not None


def _readers_study(
    invitation: Invitation, special: Mapping[str, Any], *, has_free_case: bool
) -> ReadersStudy:
    study = invitation.reader_study
    deadline = invitation.deadline or study.deadline
    return ReadersStudy(
        uid=study.uid,
        invitation=invitation.uid,
        title=study.title,
        instructions=study.instructions,
        state=study.state,
        is_invited=invitation.state == State.INVITED,
        is_pool=study.is_pool,
        deadline=deadline,
        days_left=(deadline - timezone.localdate()).days if deadline else None,
        num_assigned=invitation.num_assigned,
        num_signed=invitation.num_signed,
        num_adjudications=special["num_adjudications"],
        has_free_case=has_free_case,
        is_holding_a_case=special["num_held"] > 0,
    )
