"""Brings the films of one message in, one after the other: a worker that takes it up again repeats none."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake.meta_header import read_sent_names
from deepmedix_review.studies.models import ImportItem, SentMessage
from deepmedix_review.studies.sent_messages.folders import (
    film_path_of,
    message_folder,
    read_addressed,
    write_told,
)
from deepmedix_review.studies.services import Receipt, receive_sent
from deepmedix_review.studies.status_codes import is_disk_full
from deepmedix_review.studies.taking import take_one


def bring_in(message: SentMessage, *, check: Callable[[], None]) -> None:
    """Raises RefusedByRule with a sentence where it can't go on; then what is in stays."""
    try:
        _bring_in(message, check)
    except OSError as error:
        raise RefusedByRule(_said(error, message)) from error


def _bring_in(message: SentMessage, check: Callable[[], None]) -> None:
    folder = message_folder(message)
    judged = set(ImportItem.objects.filter(batch=message.batch).values_list("number", flat=True))
    of_study = read_addressed(folder)
    for number in range(1, message.num_films + 1):
        path = film_path_of(folder, number)
        if number not in judged:
            check()
            _take(message, path, number=number, of_study=of_study, check=check)
            judged.add(number)
            jobs.heartbeat(message, is_kept=True, num_done=len(judged))
            message.num_done = len(judged)
        path.unlink(missing_ok=True)


def _take(message: SentMessage, path: Path, *, number: int, of_study: str, check: Callable[[], None]) -> None:
    names, file_name = read_sent_names(path), f"part {number} of {message.label}"
    taken = take_one(
        partial(
            receive_sent,
            path,
            batch=message.batch,
            file_name=file_name,
            actor=message.requested_by,
            of_study=of_study,
            sender={"by_token": str(message.token)} if message.token else None,
            number=number,
        ),
        job=message,
        batch=message.batch,
        number=number,
        file_name=file_name,
        check=check,
    )
    receipt = taken if isinstance(taken, Receipt) else None
    write_told(path.parent, number, names=names, receipt=receipt)


def _said(error: OSError, message: SentMessage) -> str:
    if is_disk_full(error):
        return (
            f"The disk is full. {message.num_done:,} of {message.num_films:,} films are done, and stay so. "
            "Free some space, then try again: it goes on from here."
        )
    if isinstance(error, FileNotFoundError):
        return (
            "A film of the message is not on the disk of the worker. Send the message again: films that are "
            "in are known."
        )
    return f"The message can't be read from the disk ({os.strerror(error.errno or 0)}). Try again."
