"""Where an archive lies from its first part until its films are in."""

from pathlib import Path

from django.conf import settings

from deepmedix_review.studies.models import ArchiveImport


def archive_path(job: ArchiveImport) -> Path:
    folder = Path(settings.ARCHIVE_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{job.uid}.archive"
