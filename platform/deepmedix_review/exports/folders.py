"""Where archives of exports lie, and the files of one that is being written."""

from pathlib import Path

from django.conf import settings

from deepmedix_review.exports.models import Export


def archive_path(export: Export) -> Path:
    return Path(settings.EXPORT_FOLDER) / f"{export.uid}.zip"


def parts_folder(export: Export) -> Path:
    return Path(settings.EXPORT_FOLDER) / f"{export.uid}.parts"
