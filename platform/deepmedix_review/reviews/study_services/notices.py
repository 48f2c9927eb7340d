"""Tells readers on their worklist that another's coming or leaving moved cases of theirs."""

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours
from deepmedix_review.reviews.models import Invitation, ReaderStudy, WorklistNotice
from deepmedix_review.reviews.study_services.moves import Moves


def tell_readers(moves: Moves, *, reader_study: ReaderStudy, actor: User | None) -> None:
    """A notice for each reader whose list changed; who has not accepted yet has seen no list."""
    accepted = set(
        Invitation.objects.filter(reader_study=reader_study, state=Invitation.State.ACCEPTED).values_list(
            "reader", flat=True
        )
    )
    for change in moves.touched:
        if change.reader.pk in accepted:
            _tell(
                WorklistNotice(
                    reader_study=reader_study,
                    reader=change.reader,
                    num_gone=change.num_gone,
                    num_come=change.num_come,
                ),
                actor,
            )


def tell_removed(reader: User, *, reader_study: ReaderStudy, actor: User | None) -> None:
    """The study vanishes from this reader's worklist, so the worklist says why."""
    _tell(WorklistNotice(reader_study=reader_study, reader=reader, is_end=True), actor)


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
        },
    )
