"""Overwrites the boxes of one film: decoded and encoded by a process of its own, then put in its place."""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.film_files import film_file
from deepmedix_review.studies.intake.content import FilmRefused
from deepmedix_review.studies.intake.decoding import decode_film
from deepmedix_review.studies.intake.display import write_cleaned_film
from deepmedix_review.studies.masking.selectors import ENDED_WITHOUT
from deepmedix_review.studies.masking.services import (
    delete_original,
    forget_failed,
    is_folder_away,
    replace_film,
)
from deepmedix_review.studies.models import TextMasking
from deepmedix_review.studies.services import film_limits
from deepmedix_review.studies.status_codes import is_disk_full
from deepmedix_review.studies.storage import StoredFilm, store_film

logger = logging.getLogger(__name__)


def mask_text(masking: TextMasking, *, check: Callable[[], None]) -> None:
    """To its end. A worker that takes it up again begins anew: until the film is replaced, it is whole as it
    was. Raises RefusedByRule with a sentence."""
    try:
        _replace(masking, check)
    except OSError as error:
        if is_disk_full(error):
            raise RefusedByRule(
                "The disk is full, so nothing was overwritten. Free some space, then ask again."
            ) from error
        raise RefusedByRule(
            "The film folder can't be written, so nothing was overwritten. An operator looks at its rights, "
            "then ask again."
        ) from error
    _delete_left(masking)


def tidy() -> None:
    """Delete what was interrupted: originals of films that are replaced, and what failed maskings wrote."""
    if is_folder_away():
        return
    left = TextMasking.objects.filter(
        ~Q(original_path="") | (Q(state__in=ENDED_WITHOUT) & ~Q(written_path=""))
    )
    for masking in left.order_by("pk"):
        _delete_left(masking)


def _delete_left(masking: TextMasking) -> None:
    try:
        if masking.state in ENDED_WITHOUT:
            forget_failed(masking)
        else:
            delete_original(masking)
    except OSError as error:
        logger.error("what a masking left could not be deleted, the next sweep tries: %s", error.strerror)


def _replace(masking: TextMasking, check: Callable[[], None]) -> None:
    stored = film_file(masking.film)
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="masking-") as folder:
        try:
            masked = decode_film(
                stored, limits=film_limits(), work=Path(folder), boxes=[tuple(box) for box in masking.boxes]
            )
        except FilmRefused as refusal:
            raise RefusedByRule(f"Nothing was overwritten: the film can't be read. {refusal}") from refusal

        def announce(written: StoredFilm) -> None:
            check()
            jobs.heartbeat(masking, written_path=written.path)

        written = store_film(
            lambda path: write_cleaned_film(path, masked, stored=stored),
            picture=masked.picture,
            announce=announce,
        )
        replace_film(masking, masked=masked, written=written)
