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
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading

State = Invitation.State
DAYS_SOON = 3
NOTHING = {"num_assigned": 0, "num_signed": 0, "num_adjudications": 0, "num_held": 0}


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
    num_free: int
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
    counts = _counts(reader)
    pools = [found.reader_study_id for found in invitations if found.reader_study.is_pool]
    free = _free(reader, pools) if pools else {}
    return tuple(
        _readers_study(
            invitation,
            counts.get(invitation.reader_study_id, NOTHING),
            free.get(invitation.reader_study_id, 0),
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


def _counts(reader: User) -> Mapping[int, Mapping[str, Any]]:
    signed = Exists(Reading.objects.filter(assignment=OuterRef("pk"), signed_at__isnull=False))
    rows = (
        Assignment.objects.filter(reader=reader, withdrawn_at=None)
        # A repeat that is not due yet would be told by its number.
        .exclude(Q(kind=Assignment.Kind.REPEAT) & (Q(available_at=None) | Q(available_at__gt=timezone.now())))
        .values("case__reader_study")
        .annotate(
            num_assigned=Count("pk"),
            num_signed=Count("pk", filter=signed),
            num_adjudications=Count("pk", filter=Q(~signed, kind=Assignment.Kind.ADJUDICATION)),
            num_held=Count("pk", filter=Q(~signed, lease_expires_at__isnull=False)),
        )
    )
    return {row["case__reader_study"]: row for row in rows}


def _free(reader: User, pools: list[int]) -> Mapping[int, int]:
    """How many cases of each pool this reader could take."""
    had = Assignment.objects.filter(case=OuterRef("pk"), reader=reader, lease_expires_at=None)
    rows = (
        Case.objects.filter(~Exists(had), reader_study__in=pools, num_free__gt=0)
        .order_by()
        .values_list("reader_study")
        .annotate(Count("pk"))
    )
    return dict(rows)


def _readers_study(invitation: Invitation, counts: Mapping[str, Any], num_free: int) -> ReadersStudy:
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
        num_assigned=counts["num_assigned"],
        num_signed=counts["num_signed"],
        num_adjudications=counts["num_adjudications"],
        num_free=num_free,
        is_holding_a_case=counts["num_held"] > 0,
    )
