"""Gives readers the next free case of a pool under a lease, and takes back what a reader left."""

import random
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import Closed, NotYours, RefusedByRule
from deepmedix_review.reviews.designs import PlannedAssignment
from deepmedix_review.reviews.designs.balance import Before, choose_share
from deepmedix_review.reviews.guards import Standing
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.pauses import say_over, who_made
from deepmedix_review.reviews.study_services.assigning import (
    ground_of,
    newest_of,
    seed_of,
    sides_before,
    write_assignments,
)
from deepmedix_review.reviews.study_services.drafting import design_of
from deepmedix_review.studies.film_files import misses_a_file
from deepmedix_review.studies.models import Study

# A lease is renewed by a save once this much of it is gone: not at every click.
RENEWED_AFTER = 0.25
# So many of a reader's last cases are balanced with the next one.
LAST_CASES = 40


@transaction.atomic
def take_next_case(*, reader_study: ReaderStudy, reader: User) -> Reading | None:
    """The reader's own open case, else the next free one, now leased; None when nothing is free.

    Two readers never get the same place of a case: its row is locked, and others skip it. A case that the
    reader lost by its lease comes first where it is still free, with all that was said of it.
    """
    require(reader, Capability.READ_CASES)
    reader_study = ReaderStudy.objects.get(pk=reader_study.pk)
    _require_open_to(reader_study, reader)
    # Two clicks of one reader take one case.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [reader_study.pk, reader.pk])
    held = held_case(reader_study, reader.pk)
    if held is not None:
        return Reading.objects.get(assignment=held, signed_at=None)
    case = _next_free(reader_study, reader, skip_locked=True)
    if case is None:
        # Those that others are taking at this moment may stay free: no reader is told so of a taken one.
        case = _next_free(reader_study, reader, skip_locked=False)
    if case is None:
        return None
    Case.objects.filter(pk=case.pk).update(num_free=F("num_free") - 1)
    assignment = _lease(reader_study, case, reader)
    record_event(actor=reader, action="take_case", subject=assignment)
    return Reading.objects.get(assignment=assignment, signed_at=None)


def _next_free(reader_study: ReaderStudy, reader: User, *, skip_locked: bool) -> Case | None:
    """Locked for this transaction. Without `skip_locked` it waits until others have taken theirs."""
    free = Case.objects.filter(
        ~misses_a_file("study"), reader_study=reader_study, num_free__gt=0, study__state=Study.State.READY
    )
    locked = free.select_for_update(skip_locked=skip_locked, of=("self",)).order_by("position")
    mine = Assignment.objects.filter(reader=reader)
    lost = mine.filter(lease_expires_at__isnull=False, withdrawn_at__isnull=False)
    case = locked.filter(pk__in=list(lost.values_list("case", flat=True))).first()
    return case or locked.filter(~Exists(mine.filter(case=OuterRef("pk")))).first()


@transaction.atomic
def give_case_back(*, assignment: Assignment, reader: User) -> None:
    """The case is free for another reader at once; what was said of it is kept."""
    assignment = Assignment.objects.select_for_update().get(pk=assignment.pk)
    if assignment.reader_id != reader.pk:
        raise NotYours("This case is assigned to another reader. Go back to your worklist.")
    if assignment.lease_expires_at is None or assignment.withdrawn_at is not None:
        raise RefusedByRule("This case is not leased from a pool, so there is nothing to give back.")
    _free([assignment.pk])
    record_event(actor=reader, action="give_case_back", subject=assignment)


@transaction.atomic
def release_expired_leases() -> int:
    """Free the cases whose reader said nothing for the whole lease. Returns how many.

    A lease stands still while its film waits for a look: let in again, the case is still its reader's.
    """
    now = timezone.now()
    ended = Assignment.objects.filter(lease_expires_at__lt=now, withdrawn_at=None, signed_at=None)
    for waiting in ended.filter(case__study__state=Study.State.UNSEEN).select_related("case__reader_study"):
        whole = timedelta(minutes=waiting.case.reader_study.lease_minutes)
        ended.filter(pk=waiting.pk).update(lease_expires_at=now + whole)
    expired = (
        ended.exclude(case__study__state=Study.State.UNSEEN)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("case", "pk")
    )
    pks = [assignment.pk for assignment in expired]
    _free(pks)
    for assignment in Assignment.objects.filter(pk__in=pks):
        record_event(actor=None, action="release_case", subject=assignment)
    return len(pks)


def renew_lease(assignment_id: int, standing: Standing) -> None:
    """A save shows that the reader is there. Raises Closed where the case was freed meanwhile."""
    if standing.lease_expires_at is None:
        return
    whole = timedelta(minutes=standing.lease_minutes)
    now = timezone.now()
    if standing.lease_expires_at - now > whole * (1 - RENEWED_AFTER):
        return
    renewed = Assignment.objects.filter(pk=assignment_id, withdrawn_at=None).update(
        lease_expires_at=now + whole
    )
    if not renewed:
        raise Closed(
            "Your lease on this case ran out a moment ago, so this was not kept. Take the case again.",
            may_take=True,
        )


def _free(assignments: list[int]) -> None:
    """Cases before assignments, as in taking one: else both could wait for each other."""
    freed = Assignment.objects.filter(pk__in=assignments)
    for case, number in freed.order_by("case").values_list("case").annotate(Count("pk")):
        Case.objects.filter(pk=case).update(num_free=F("num_free") + number)
    now = timezone.now()
    freed.update(withdrawn_at=now, lease_expires_at=now)


def _require_open_to(reader_study: ReaderStudy, reader: User) -> None:
    if not reader_study.is_pool:
        raise RefusedByRule("The cases of this reader study are on your worklist already. Read them there.")
    if reader_study.state != ReaderStudy.State.RUNNING:
        raise RefusedByRule(
            f"This reader study is {reader_study.get_state_display().lower()}, so no new case opens."
        )
    invitation = Invitation.objects.filter(
        reader_study=reader_study, reader=reader, state=Invitation.State.ACCEPTED
    ).first()
    if invitation is None:
        raise NotYours("You are no reader of this reader study. Accept its invitation first.")
    deadline = invitation.deadline or reader_study.deadline
    if deadline is not None and deadline < timezone.localdate():
        raise RefusedByRule(say_over(deadline, who_made(reader_study)))


def held_case(reader_study: ReaderStudy, reader_id: int) -> Assignment | None:
    """What the reader must finish before taking another: a case that teaches, or a leased one."""
    mine = Assignment.objects.filter(
        ~misses_a_file("case__study"),
        case__reader_study=reader_study,
        case__study__state=Study.State.READY,
        reader=reader_id,
        withdrawn_at=None,
        signed_at=None,
    )
    taught = Q(case__role__in=(Case.Role.TRAINING, Case.Role.CALIBRATION))
    # Each by its own index: what the reader has to read elsewhere may be long.
    for wanted in (taught, Q(lease_expires_at__isnull=False)):
        found = mine.filter(wanted).order_by("position").first()
        if found is not None:
            return found
    return None


def _lease(reader_study: ReaderStudy, case: Case, reader: User) -> Assignment:
    key = str(reader.uid)
    swapped, asked = sides_before(reader_study, [case.pk])
    before, asked_of_me = _sides_of_reader(reader_study, reader)
    rng = random.Random(f"{seed_of(reader_study, 'pool', key, case.pk)}")
    pair = [(key, case.pk)]
    design = design_of(reader_study)
    [swap] = choose_share(pair, 0.5, rng=rng, rows={key: before}, columns=swapped)
    [asks] = choose_share(
        pair,
        design.share_with_first_read,
        rng=rng,
        rows={key: asked_of_me},
        columns=asked,
    )
    planned = PlannedAssignment(case=case.pk, reader=key, position=1, swap=swap, asks_first_read=asks)
    [assignment] = write_assignments([planned], ground_of(reader_study, cases=[case]))
    assignment.lease_expires_at = timezone.now() + timedelta(minutes=reader_study.lease_minutes)
    assignment.save(update_fields=["lease_expires_at"])
    return assignment


def _sides_of_reader(reader_study: ReaderStudy, reader: User) -> tuple[Before, Before]:
    """How many of the reader's last cases were swapped, and how many asked a first read.

    The last ones are enough: where every stretch is balanced, all are.
    """
    last = newest_of(reader).filter(case__reader_study=reader_study, signed_at__isnull=False)
    first = Case.completions.through.objects.filter(case=OuterRef("assignment__case")).order_by("pk")
    rows = list(
        Reading.objects.filter(
            assignment__in=list(last.values_list("pk", flat=True)[:LAST_CASES]), amends=None
        )
        .annotate(unswapped=Subquery(first.values("completion")[:1]))
        .values_list("completion_a", "unswapped", "asks_first_read")
    )
    num_swapped = sum(side_a != unswapped for side_a, unswapped, _ in rows)
    return Before(num_swapped, len(rows)), Before(sum(asks for *_, asks in rows), len(rows))
