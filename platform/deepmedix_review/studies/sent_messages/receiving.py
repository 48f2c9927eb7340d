"""Keeps a message as it came, so that its sender can go: durable before its row is."""

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.disk import sync
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.dicomweb.multipart_reading import SentFile
from deepmedix_review.studies.models import ImportBatch, SentMessage
from deepmedix_review.studies.sent_messages.folders import film_path_of, write_addressed


def keep_message(files: Sequence[SentFile], *, of_study: str, actor: User) -> SentMessage:
    """Its files are moved away. Raises OSError, and keeps nothing, where the disk is full.

    `of_study`: the Study Instance UID of the address that it was sent to, or "".
    """
    uid = uuid.uuid4()
    folder = Path(settings.MESSAGE_FOLDER) / uid.hex
    folder.mkdir(parents=True)
    try:
        for number, sent in enumerate(files, start=1):
            sync(sent.path)
            sent.path.replace(film_path_of(folder, number))
        if of_study:
            write_addressed(folder, of_study=of_study)
        sync(folder)
        sync(folder.parent)
        with transaction.atomic():
            batch = start_import(
                actor=actor, source=ImportBatch.Source.STOW, profile=settings.DICOMWEB_PROFILE
            )
            num_bytes = sum(sent.num_bytes for sent in files)
            message = SentMessage.objects.create(
                uid=uid,
                batch=batch,
                num_films=len(files),
                num_bytes=num_bytes,
                token=actor.token.uid if actor.token else None,
            )
            details = {"num_films": len(files), "num_bytes": num_bytes}
            record_event(actor=actor, action="leave_message", subject=message, details=details)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return message
