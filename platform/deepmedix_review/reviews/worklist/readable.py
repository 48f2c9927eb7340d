"""Which of their cases readers can read now, and when the next ones open."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy
from deepmedix_review.studies.film_files import misses_a_file
from deepmedix_review.studies.models import Study

State = ReaderStudy.State


def is_late(invitation: Invitation) -> bool:
    deadline = invitation.deadline or invitation.reader_study.deadline
    return deadline is not None and deadline < timezone.localdate()


def is_read_in(invitation: Invitation) -> bool:
    """Cases open to the reader now."""
    is_accepted = invitation.state == Invitation.State.ACCEPTED
    return is_accepted and invitation.reader_study.state == State.RUNNING and not is_late(invitation)


def to_read(reader_id: int) -> QuerySet[Assignment]:
    """On the reader's list and not signed, whatever the reader study's state; a repeat once it is due."""
    return Assignment.objects.filter(
        ~Q(kind=Assignment.Kind.REPEAT) | Q(available_at__lte=timezone.now()),
        reader=reader_id,
        signed_at=None,
        withdrawn_at=None,
    )


def open_of(reader_id: int, invitations: Iterable[Invitation]) -> QuerySet[Assignment]:
    """What the reader may begin or go on with now; adjudications need no invitation."""
    accepted = [
        invitation
        for invitation in invitations
        if invitation.state == Invitation.State.ACCEPTED and not is_late(invitation)
    ]
    running = [i.reader_study_id for i in accepted if i.reader_study.state == State.RUNNING]
    paused = [i.reader_study_id for i in accepted if i.reader_study.state == State.PAUSED]
    begun = Q(readings__opened_at__isnull=False, readings__signed_at=None)
    wanted = Q(case__reader_study__in=running)
    if paused:
        wanted |= Q(case__reader_study__in=paused, pk__in=unsigned_of(reader_id).filter(begun).values("pk"))
    wanted |= Q(kind=Assignment.Kind.ADJUDICATION, case__reader_study__state=State.RUNNING)
    return to_read(reader_id).filter(wanted)


def unsigned_of(reader_id: int) -> QuerySet[Assignment]:
    return Assignment.objects.filter(reader=reader_id, signed_at=None, withdrawn_at=None)


def resting(reader_id: int, invitations: Iterable[Invitation]) -> set[int]:
    """The reader studies that hide repeats and of which cases are left, none to be read now.

    Nothing tells a reader how many are left in these: they may be the repeats alone.
    """
    hiding = [i for i in invitations if i.reader_study.repeat_share and i.num_signed < i.num_assigned]
    if not hiding:
        return set()
    readable = to_read(reader_id).filter(
        ~misses_a_file("case__study"),
        case__reader_study=OuterRef("reader_study"),
        case__study__state=Study.State.READY,
    )
    read_in = Invitation.objects.filter(pk__in=[i.pk for i in hiding if is_read_in(i)])
    going_on = read_in.filter(Exists(readable)).values_list("reader_study", flat=True)
    return {i.reader_study_id for i in hiding} - set(going_on)


def opens_at(reader_id: int, reader_studies: Collection[int]) -> Mapping[int, datetime]:
    """By reader study, of those of these in which a case of the reader waits for its day: the first such day.

    Never how many wait: where nothing else is left to read, those are the repeats.
    """
    waiting = Assignment.objects.filter(
        reader=reader_id,
        signed_at=None,
        withdrawn_at=None,
        available_at__gt=timezone.now(),
        case__reader_study__in=reader_studies,
    )
    rows = waiting.order_by().values_list("case__reader_study").annotate(Min("available_at"))
    return dict(rows)
