"""Finds when a case came onto its reader's screen, of which the server may hear only later."""

from datetime import datetime, timedelta

from django.utils import timezone

from deepmedix_review.reviews.models import Invitation, Reading


def opened_moment(reading: Reading, *, seconds_ago: int) -> datetime:
    """`seconds_ago` from now, but never before the reader could have had the case."""
    now = timezone.now()
    if seconds_ago == 0:
        return now
    return min(now, max(now - timedelta(seconds=seconds_ago), first_free_moment(reading)))


def first_free_moment(reading: Reading) -> datetime:
    """The first at which this reader could have come to the case: given to them, leased, come due, its reader
    study begun and accepted, and the case before it signed."""
    assignment = reading.assignment
    reader_study = assignment.case.reader_study
    moments = [reader_study.created_at, assignment.created_at, reading.created_at, assignment.available_at]
    if assignment.lease_expires_at is not None:
        # A lease that was renewed since says a later moment than it began: rather too late than too early.
        moments.append(assignment.lease_expires_at - timedelta(minutes=reader_study.lease_minutes))
    invited = Invitation.objects.filter(reader_study=reader_study, reader=assignment.reader_id)
    moments += [*invited.values_list("answered_at", flat=True), _previous_signature(reading)]
    return max(moment for moment in moments if moment is not None)


def _previous_signature(reading: Reading) -> datetime | None:
    """When the reader signed last in this reader study. Where the network was away, that is before the server
    had it, and the next case was on the screen from then on."""
    previous = (
        Reading.objects.filter(
            assignment__reader=reading.assignment.reader_id,
            assignment__case__reader_study=reading.assignment.case.reader_study_id,
            signed_at__isnull=False,
        )
        .order_by("-signed_at")
        .first()
    )
    if previous is None or previous.signed_at is None:
        return None
    sent = previous.changes.filter(kind="sign").values_list("payload__seconds_ago", flat=True).first()
    pressed = previous.signed_at - timedelta(seconds=sent or 0)
    return max(pressed, previous.opened_at or previous.signed_at)
