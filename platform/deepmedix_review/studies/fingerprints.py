"""Takes the fingerprints of films that came in before fingerprints were taken."""

import logging

from PIL import Image

from deepmedix_review.studies.intake.fingerprint import bands_of, is_blank
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.storage import picture_path

logger = logging.getLogger(__name__)
# In a sweep: a few seconds of one processor.
MOST_AT_ONCE = 200


def take_fingerprints() -> int:
    """Of the oldest films without one. Returns how many were dealt with; one whose small picture can't be
    read is passed over for good, and is found by no search for what looks like it."""
    films = Instance.objects.filter(picture_bands=None).order_by("pk")[:MOST_AT_ONCE]
    return sum(_take(film) for film in films)


def _take(film: Instance) -> int:
    try:
        with Image.open(picture_path(film), formats=("PNG",)) as picture:
            bands = [] if is_blank(picture) else bands_of(picture)
    except (OSError, SyntaxError, ValueError):
        logger.warning("the small picture of a film can't be read: %s", film.file_path)
        bands = []
    return Instance.objects.filter(pk=film.pk, picture_bands=None).update(picture_bands=bands)
