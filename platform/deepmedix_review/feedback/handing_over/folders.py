"""Where archives of bundles lie until they are fetched, and what came back until it is taken."""

from pathlib import Path

from django.conf import settings

from deepmedix_review.feedback.models import HandOver


def archive_path(hand_over: HandOver) -> Path:
    return Path(settings.MODEL_FOLDER) / "bundles" / f"{hand_over.uid}.zip"


def return_folder() -> Path:
    """Made when it is first asked for, so that there is a place to copy to."""
    folder = Path(settings.RETURN_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
