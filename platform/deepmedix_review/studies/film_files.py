"""Notices that a film's file is gone, leads readers past its cases, and back once it is there again."""

import logging
from collections.abc import Collection, Iterable
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from deepmedix_review.common.errors import FileAway
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.storage import film_path, picture_path

logger = logging.getLogger(__name__)

# More are looked at again when these are back.
MOST_LOOKED_AT_AGAIN = 500


def film_file(film: Instance) -> Path:
    """The film's DICOM file, there to be read. Raises FileAway."""
    path = film_path(film)
    if not is_readable(path):
        _miss(film)
        raise FileAway(
            "The file of this film is missing or can't be read, so the film can't be shown. An admin sees "
            "that on the studies page and can restore it. Nothing that was said of it is lost."
        )
    if film.file_missed_at is not None:
        _found([film])
    return path


def picture_file(film: Instance) -> Path:
    """The film's small picture, there to be read. Raises FileAway; the film itself may be there."""
    path = picture_path(film)
    if not is_readable(path):
        logger.error("a small picture is missing or can't be read in the film folder: %s", path.name)
        raise FileAway("The small picture of this film is missing or can't be read. An admin can restore it.")
    return path


def is_readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def look_for_files(films: Iterable[Instance]) -> Collection[int]:
    """Which of these films have no file that can be read now. Each is noted, or forgotten if it is back."""
    films = list(films)
    missing = [film for film in films if not is_readable(film_path(film))]
    for film in missing:
        _miss(film)
    _found([film for film in films if film not in missing and film.file_missed_at is not None])
    return {film.pk for film in missing}


def look_again() -> None:
    """For the files that were missed: those that are back let their cases in again."""
    look_for_files(
        Instance.objects.filter(file_missed_at__isnull=False).order_by("pk")[:MOST_LOOKED_AT_AGAIN]
    )


def misses_a_file(study: str) -> Exists:
    """Whether a film of the study was missed: `study` is the way to it from the rows that are filtered."""
    return Exists(Instance.objects.filter(series__study=OuterRef(study), file_missed_at__isnull=False))


def studies_that_miss_a_file(studies: Collection[int]) -> Collection[int]:
    """Those among these, by their primary keys."""
    missed = Instance.objects.filter(series__study__in=studies, file_missed_at__isnull=False)
    return set(missed.values_list("series__study", flat=True))


def _miss(film: Instance) -> None:
    """A folder that is away as a whole is no word on single films: they come back with it."""
    if film.file_missed_at is not None:
        return
    logger.error("a film is missing or can't be read in the film folder: %s", film.file_path)
    if _is_folder_there():
        film.file_missed_at = timezone.now()
        # Unless it has another file by now.
        named = Instance.objects.filter(pk=film.pk, file_path=film.file_path)
        named.update(file_missed_at=film.file_missed_at)


def _found(films: Collection[Instance]) -> None:
    if films:
        Instance.objects.filter(pk__in=[film.pk for film in films]).update(file_missed_at=None)


def _is_folder_there() -> bool:
    """The folder of a volume that is not mounted is empty, or not there."""
    folder = Path(settings.FILM_FOLDER)
    return folder.is_dir() and any(each.name != "incoming" for each in folder.iterdir())
