"""Pauses, resumes and locks a reader study."""

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.guards import require_designer
from deepmedix_review.reviews.models import ReaderStudy

State = ReaderStudy.State


@transaction.atomic
def pause_reader_study(*, reader_study: ReaderStudy, actor: User | None) -> ReaderStudy:
    """No new case opens; readings that are open can be finished."""
    return _move(reader_study, actor=actor, to=State.PAUSED, of=(State.RUNNING,), action="pause_reader_study")


@transaction.atomic
def resume_reader_study(*, reader_study: ReaderStudy, actor: User | None) -> ReaderStudy:
    return _move(
        reader_study, actor=actor, to=State.RUNNING, of=(State.PAUSED,), action="resume_reader_study"
    )


@transaction.atomic
def lock_reader_study(*, reader_study: ReaderStudy, actor: User | None) -> ReaderStudy:
    """For good: no reader can rate, sign or amend in it any more, and its results can be seen."""
    locked = _move(
        reader_study,
        actor=actor,
        to=State.LOCKED,
        of=(State.RUNNING, State.PAUSED),
        action="lock_reader_study",
    )
    locked.locked_at = timezone.now()
    locked.save(update_fields=["locked_at"])
    return locked


def _move(
    reader_study: ReaderStudy, *, actor: User | None, to: State, of: tuple[State, ...], action: str
) -> ReaderStudy:
    require_designer(actor)
    locked = ReaderStudy.objects.select_for_update().get(pk=reader_study.pk)
    if locked.state not in of:
        raise RefusedByRule(
            f"This reader study is {locked.get_state_display().lower()}, so it can't be "
            f"{to.label.lower()} now."
        )
    locked.state = to
    locked.save(update_fields=["state"])
    record_event(actor=actor, action=action, subject=locked)
    return locked
