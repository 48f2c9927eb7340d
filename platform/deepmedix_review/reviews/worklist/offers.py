"""Finds what a reader is asked to do beside single cases: invitations, pools, and how far each study is."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import NotYours
from deepmedix_review.reviews.criteria.versions import Asked, asked_of
from deepmedix_review.reviews.designing.reading_times import reading_times
from deepmedix_review.reviews.models import (
    Assignment,
    Invitation,
    ReaderStudy,
    Reading,
    WorklistNotice,
)
from deepmedix_review.reviews.pauses import Pause, pauses_of, who_made, whom_to_ask
from deepmedix_review.reviews.study_services.drafting import design_of
from deepmedix_review.reviews.worklist.endings import MOST_COUNTED, Ending, ending_of_pool
from deepmedix_review.reviews.worklist.per_case import said_of_disputes, said_per_case
from deepmedix_review.reviews.worklist.readable import is_late, opens_at, resting, to_read
from deepmedix_review.studies.film_files import misses_a_file
from deepmedix_review.studies.models import Study

State = Invitation.State
DAYS_SOON = 3
MOST_NOTICES = 20
NOTHING = {"num_adjudications": 0, "num_held": 0}


@dataclass(frozen=True)
class GoingOn:
    """The assignment to go on with in one reader study."""

    case: uuid.UUID
    is_begun: bool


@dataclass(frozen=True)
class ReadersStudy:
    """One reader study as its reader sees it. Nothing here tells a hidden repeat or a control from data.

    `rests`: repeats are hidden and nothing can be read now, so that no number may tell what is left.
    `who_made`: whom the reader may ask, in words; `is_reachable`: whether these say how."""

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
    rests: bool
    seconds_per_reading: float | None
    said_per_case: tuple[str, ...]
    num_adjudications: int
    num_free: int
    is_waiting_for_pool: bool
    pool_ending: str
    is_holding_a_case: bool
    next_case: uuid.UUID | None
    has_begun_next: bool
    pause: Pause | None
    opens_at: datetime | None
    who_made: str
    is_reachable: bool

    @property
    def minutes_per_case(self) -> float | None:
        """What an invitation asks for, by the plan's own count."""
        return None if self.seconds_per_reading is None else self.seconds_per_reading / 60

    @property
    def minutes(self) -> float | None:
        """In all; of a pool nobody knows."""
        if self.minutes_per_case is None or self.is_pool:
            return None
        return self.minutes_per_case * self.num_assigned

    @property
    def num_open(self) -> int:
        return self.num_assigned - self.num_signed

    @property
    def is_soon(self) -> bool:
        return self.days_left is not None and 0 <= self.days_left <= DAYS_SOON and self.num_open > 0

    @property
    def is_late(self) -> bool:
        return self.days_left is not None and self.days_left < 0

    @property
    def takes_cases(self) -> bool:
        return self.is_pool and self.state == ReaderStudy.State.RUNNING and not self.is_late

    @property
    def free_said(self) -> str:
        return f"over {MOST_COUNTED} free" if self.num_free > MOST_COUNTED else f"{self.num_free} free"

    @property
    def can_go_on(self) -> bool:
        """Whether there is a case to read or to take now."""
        if self.takes_cases:
            return self.is_holding_a_case or self.num_open > 0 or self.num_free > 0
        return self.next_case is not None

    @property
    def waits(self) -> bool:
        """Whether cases are left, and none of them can be read yet."""
        is_open = self.state == ReaderStudy.State.RUNNING and not (self.is_invited or self.is_late)
        return is_open and not self.is_pool and self.num_open > 0 and self.next_case is None

    @property
    def next_step(self) -> str:
        """What the button says that goes on with this study."""
        if self.is_holding_a_case or self.has_begun_next:
            return "Go on with your case"
        which = "next" if self.num_signed else "first"
        return f"Take the {which} case" if self.takes_cases else f"Read the {which} case"


def reader_studies_of(reader: User) -> tuple[ReadersStudy, ...]:
    """The studies that invite this reader or that the reader reads in, those that end first at the top."""
    require(reader, Capability.READ_CASES)
    invitations = list(
        Invitation.objects.filter(reader=reader, state__in=(State.INVITED, State.ACCEPTED))
        .exclude(reader_study__state=ReaderStudy.State.DRAFT)
        .exclude(state=State.INVITED, reader_study__state=ReaderStudy.State.LOCKED)
        .select_related("reader_study__created_by")
        .order_by(F("deadline").asc(nulls_last=True), F("reader_study__deadline").asc(nulls_last=True), "pk")
    )
    special = _special(reader)
    pools = [found.reader_study for found in invitations if found.reader_study.is_pool]
    going_on = _cases_to_go_on_with(reader, invitations)
    pauses = pauses_of(found.reader_study for found in invitations)
    ending = {pool.pk: ending_of_pool(pool, reader.pk) for pool in pools}
    stopped = [
        found.reader_study_id
        for found in invitations
        if found.num_signed < found.num_assigned and found.reader_study_id not in going_on
    ]
    openings = opens_at(reader.pk, stopped) if stopped else {}
    rests = resting(reader.pk, invitations)
    return tuple(
        _readers_study(
            invitation,
            special.get(invitation.reader_study_id, NOTHING),
            going_on.get(invitation.reader_study_id),
            ending=ending.get(invitation.reader_study_id),
            pause=pauses.get(invitation.reader_study.uid),
            opening=openings.get(invitation.reader_study_id),
            rests=invitation.reader_study_id in rests,
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


def study_to_go_on_with(mine: Sequence[ReadersStudy]) -> uuid.UUID | None:
    """Where the reader goes on first: with a case held for a while, else with one begun, else by deadline."""
    able = [study for study in mine if study.can_go_on]
    able.sort(key=lambda study: (not study.is_holding_a_case, not study.has_begun_next))
    return able[0].uid if able else None


def study_to_go_on_with_after(reading: Reading) -> ReadersStudy | None:
    """Another one in which this reader has a case to read, where none of this reading's is left."""
    study = reading.assignment.case.reader_study
    mine = {one.uid: one for one in reader_studies_of(reading.assignment.reader) if not one.is_invited}
    mine.pop(study.uid, None)
    uid = study_to_go_on_with(tuple(mine.values()))
    return mine[uid] if uid is not None else None


def notices_of(reader: User) -> Sequence[WorklistNotice]:
    """What the reader was not told yet, the newest first. Of a locked study, in which nothing is left to
    do, only that the reader was removed: its row is gone, too."""
    require(reader, Capability.READ_CASES)
    mine = WorklistNotice.objects.filter(reader=reader, dismissed_at=None).exclude(
        reader_study__state=ReaderStudy.State.LOCKED, is_end=False
    )
    return list(mine.select_related("reader_study").order_by("-pk")[:MOST_NOTICES])


def notice_for(reader: User, uid: uuid.UUID) -> WorklistNotice:
    """The reader's own. Raises NotYours for any other, there or not."""
    require(reader, Capability.READ_CASES)
    notice = WorklistNotice.objects.filter(uid=uid, reader=reader).first()
    if notice is None:
        raise NotYours("This notice is not yours. Go back to your worklist.")
    return notice


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


def _cases_to_go_on_with(reader: User, invitations: Sequence[Invitation]) -> Mapping[int, GoingOn]:
    """By reader study: its first case on the reader's list, in a paused one the first that was begun."""
    able = [
        found
        for found in invitations
        if found.state == State.ACCEPTED and found.num_signed < found.num_assigned and not is_late(found)
    ]
    begun = Exists(Reading.objects.filter(assignment=OuterRef("pk"), opened_at__isnull=False, signed_at=None))
    firsts: list[int | None] = []
    for state, more in ((ReaderStudy.State.RUNNING, Q()), (ReaderStudy.State.PAUSED, Q(begun))):
        going = [found.pk for found in able if found.reader_study.state == state]
        if not going:
            continue
        waiting = to_read(reader.pk).filter(
            more,
            ~misses_a_file("case__study"),
            case__reader_study=OuterRef("reader_study"),
            case__study__state=Study.State.READY,
        )
        first = Subquery(waiting.order_by("pk").values("pk")[:1])
        firsts += (
            Invitation.objects.filter(pk__in=going).annotate(first=first).values_list("first", flat=True)
        )
    assignments = Assignment.objects.filter(pk__in=[pk for pk in firsts if pk is not None])
    rows = assignments.values_list("case__reader_study", "uid", begun)
    return {study: GoingOn(uid, is_begun) for study, uid, is_begun in rows}


def _readers_study(
    invitation: Invitation,
    special: Mapping[str, Any],
    going_on: GoingOn | None,
    *,
    ending: Ending | None,
    pause: Pause | None,
    opening: datetime | None,
    rests: bool,
) -> ReadersStudy:
    study = invitation.reader_study
    deadline, asks = invitation.deadline or study.deadline, whom_to_ask(study.created_by)
    is_invited = invitation.state == State.INVITED
    asked = asked_of(study) if is_invited else ()
    return ReadersStudy(
        uid=study.uid,
        invitation=invitation.uid,
        title=study.title,
        instructions=study.instructions,
        state=study.state,
        is_invited=is_invited,
        is_pool=study.is_pool,
        deadline=deadline,
        days_left=(deadline - timezone.localdate()).days if deadline else None,
        num_assigned=invitation.num_assigned,
        num_signed=invitation.num_signed,
        rests=rests,
        seconds_per_reading=_seconds_of(study, asked) if is_invited else None,
        said_per_case=(
            (
                *said_per_case(study, asked, num_outputs=design_of(study).num_outputs),
                *said_of_disputes(study),
            )
            if is_invited
            else ()
        ),
        num_adjudications=special["num_adjudications"],
        num_free=ending.num_free if ending is not None else 0,
        is_waiting_for_pool=ending is not None and ending.is_waiting,
        pool_ending=ending.sentence if ending is not None else "",
        is_holding_a_case=special["num_held"] > 0,
        next_case=going_on.case if going_on else None,
        has_begun_next=going_on is not None and going_on.is_begun,
        pause=pause,
        opens_at=opening,
        who_made=who_made(study),
        is_reachable=asks is not None and bool(asks.contact),
    )


def _seconds_of(study: ReaderStudy, asked: Sequence[Asked]) -> float:
    """The median of a reading, as the plan of its design counts it."""
    shown = [version for version in (study.model_version, study.other_version) if version]
    times = reading_times(
        design_of(study),
        asked=asked,
        model_versions=shown,
        has_choices=bool(study.first_read_choices),
    )
    return times.median
