"""Tells readers on their worklist what changed it: others who came or left, more cases, another deadline."""

from collections.abc import Collection, Iterator, Sequence

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours
from deepmedix_review.reviews.models import Invitation, ReaderStudy, WorklistNotice
from deepmedix_review.reviews.study_services.moves import ListChange, Moves


def tell_readers(moves: Moves, *, reader_study: ReaderStudy, actor: User | None) -> None:
    """A notice for each reader whose list changed. One that was not dismissed yet is taken into it, so that
    several readers who leave are one notice."""
    for change in _with_a_list(moves.touched, reader_study):
        earlier = _open(reader_study, change.reader).filter(is_end=False, is_grown=False, deadline=None)
        earlier = earlier.filter(num_gone__gt=0) if change.num_gone else earlier.filter(num_come__gt=0)
        told = earlier.aggregate(gone=Sum("num_gone", default=0), come=Sum("num_come", default=0))
        earlier.update(dismissed_at=timezone.now())
        _tell(
            WorklistNotice(
                reader_study=reader_study,
                reader=change.reader,
                num_gone=change.num_gone + told["gone"],
                num_come=change.num_come + told["come"],
            ),
            actor,
        )


def tell_of_taken_case(reader: User, *, reader_study: ReaderStudy, actor: User | None) -> None:
    """A case that this reader was to settle went to another reader."""
    _tell(WorklistNotice(reader_study=reader_study, reader=reader, num_gone=1), actor)


def tell_of_extension(
    changes: Sequence[ListChange],
    *,
    reader_study: ReaderStudy,
    actor: User | None,
    later: Collection[int],
    num_pooled: int,
) -> None:
    """A notice for each reader who got cases, or a pool to take them from, or another deadline for what is
    left to read. `later` are the primary keys of those whose deadline the reader study's is now.
    """
    come = {change.reader.pk: change.num_come for change in changes}
    accepted = Invitation.objects.filter(reader_study=reader_study, state=Invitation.State.ACCEPTED)
    for invitation in accepted.select_related("reader").order_by("pk"):
        num_come = come.get(invitation.reader_id) or num_pooled
        has_more = reader_study.is_pool or invitation.num_signed < invitation.num_assigned
        deadline = reader_study.deadline if invitation.reader_id in later and has_more else None
        if num_come or deadline:
            _tell(
                WorklistNotice(
                    reader_study=reader_study,
                    reader=invitation.reader,
                    num_come=num_come,
                    is_grown=num_come > 0,
                    deadline=deadline,
                ),
                actor,
            )


def _with_a_list(changes: Sequence[ListChange], reader_study: ReaderStudy) -> Iterator[ListChange]:
    """Who has not accepted yet has seen no list."""
    accepted = set(
        Invitation.objects.filter(reader_study=reader_study, state=Invitation.State.ACCEPTED).values_list(
            "reader", flat=True
        )
    )
    return (change for change in changes if change.reader.pk in accepted)


def tell_removed(reader: User, *, reader_study: ReaderStudy, actor: User | None) -> None:
    """The study vanishes from this reader's worklist, so the worklist says why, and nothing else of it."""
    _open(reader_study, reader).update(dismissed_at=timezone.now())
    _tell(WorklistNotice(reader_study=reader_study, reader=reader, is_end=True), actor)


def forget_removal(reader: User, *, reader_study: ReaderStudy) -> None:
    """Who is invited again is a reader again, so the notice that says otherwise goes."""
    _open(reader_study, reader).filter(is_end=True).update(dismissed_at=timezone.now())


def _open(reader_study: ReaderStudy, reader: User) -> QuerySet[WorklistNotice]:
    return WorklistNotice.objects.filter(reader_study=reader_study, reader=reader, dismissed_at=None)


@transaction.atomic
def dismiss_notice(*, notice: WorklistNotice, reader: User) -> None:
    """Read by its reader; a second click changes nothing."""
    if notice.reader_id != reader.pk:
        raise NotYours("This notice is not yours. Go back to your worklist.")
    if WorklistNotice.objects.filter(pk=notice.pk, dismissed_at=None).update(dismissed_at=timezone.now()):
        record_event(actor=reader, action="dismiss_notice", subject=notice)


def _tell(notice: WorklistNotice, actor: User | None) -> None:
    notice.save()
    record_event(
        actor=actor,
        action="change_worklist",
        subject=notice,
        details={
            "reader": str(notice.reader.uid),
            "reader_study": str(notice.reader_study.uid),
            "gone": notice.num_gone,
            "come": notice.num_come,
            "deadline": notice.deadline.isoformat() if notice.deadline else None,
        },
    )
