"""Cancels messages that are not in yet, tries them again, and deletes what is done with."""

import shutil
import time
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.studies.models import SentMessage
from deepmedix_review.studies.sent_messages.folders import message_folder
from deepmedix_review.studies.storage import LEFTOVER_SECONDS


def cancel_message(message: SentMessage, *, actor: User) -> None:
    """One that a worker has ends after the film in hand; films that are in stay, the others are deleted."""
    require(actor, Capability.IMPORT_STUDIES)
    with transaction.atomic():
        jobs.request_cancel(message)
        record_event(actor=actor, action="cancel_message", subject=message)
    if message.state == JobState.CANCELLED:
        forget_message(message)


@transaction.atomic
def retry_message(message: SentMessage, *, actor: User) -> None:
    """It goes on behind the last film that was judged. Raises RefusedByRule where its films are gone."""
    require(actor, Capability.IMPORT_STUDIES)
    if message.state != JobState.FAILED:
        raise RefusedByRule("Only a message that failed is tried again.")
    if not message.is_here:
        raise RefusedByRule("The message is not here any more. Have it sent again: what is in is known.")
    jobs.retry(message)
    record_event(actor=actor, action="retry_message", subject=message)


def delete_message(message: SentMessage, *, actor: User) -> None:
    """What was brought in of it stays."""
    require(actor, Capability.IMPORT_STUDIES)
    if not message.is_final:
        raise RefusedByRule("This message is still to be brought in. Cancel it first.")
    forget_message(message)
    record_event(actor=actor, action="delete_message", subject=message)


def forget_message(message: SentMessage) -> None:
    """Its films, and what its sender was to be told."""
    shutil.rmtree(message_folder(message), ignore_errors=True)
    SentMessage.objects.filter(pk=message.pk).update(is_here=False)
    message.is_here = False


def close_message(message: SentMessage) -> None:
    """Once the job has ended; in the audit record each film stands by itself, too."""
    if not message.is_final:
        return
    told = {"state": str(message.state), "num_films": message.num_films, "num_done": message.num_done}
    record_event(actor=message.requested_by, action="end_message", subject=message, details=told)
    if message.state == JobState.CANCELLED:
        forget_message(message)


def tidy_messages() -> None:
    """Delete what nobody can ask for any more, what failed and was left so, and films without a row, of a
    server that was killed while it kept them."""
    now = timezone.now()
    here = SentMessage.objects.filter(is_here=True)
    answered = here.filter(
        state=JobState.DONE, finished_at__lt=now - timedelta(hours=settings.MESSAGE_ANSWER_HOURS)
    )
    left = here.filter(state=JobState.FAILED, finished_at__lt=now - timedelta(days=settings.ARCHIVE_DAYS))
    for message in (answered | left | here.filter(state=JobState.CANCELLED)).iterator():
        forget_message(message)
    _clear_leftovers(Path(settings.MESSAGE_FOLDER))


def _clear_leftovers(root: Path) -> None:
    before = time.time() - LEFTOVER_SECONDS
    for folder in root.iterdir() if root.is_dir() else ():
        try:
            is_old = folder.stat().st_mtime < before
        except FileNotFoundError:
            continue  # another process cleared it first
        if is_old and not SentMessage.objects.filter(uid=uuid.UUID(folder.name), is_here=True).exists():
            shutil.rmtree(folder, ignore_errors=True)
