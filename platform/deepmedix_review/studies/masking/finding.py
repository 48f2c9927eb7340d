"""Finds lines of print on a stored film, as boxes to be suggested to the person who masks it."""

import tempfile
from pathlib import Path

from django.conf import settings

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.film_files import film_file
from deepmedix_review.studies.intake.content import FilmRefused
from deepmedix_review.studies.intake.decoding import decode_film
from deepmedix_review.studies.masking.boxes import Box
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.services import film_limits


def find_text(film: Instance) -> list[Box]:
    """From the top down; of its first picture. Nothing is kept of it. Raises RefusedByRule, or FileAway, with
    a sentence."""
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="finding-") as folder:
        try:
            found = decode_film(film_file(film), limits=film_limits(), work=Path(folder), finds_text=True)
        except FilmRefused as refusal:
            raise RefusedByRule(f"Text can't be looked for: the film can't be read. {refusal}") from refusal
    return [Box(*line) for line in found.text_lines]
