"""Films of these tests lie in a folder of their own."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def film_folder(tmp_path: Path, settings: Settings) -> Path:
    settings.FILM_FOLDER = tmp_path / "films"
    settings.UPLOAD_FOLDER = tmp_path / "uploads"
    settings.ARCHIVE_FOLDER = tmp_path / "archives"
    settings.MESSAGE_FOLDER = tmp_path / "messages"
    settings.FILE_UPLOAD_TEMP_DIR = str(settings.UPLOAD_FOLDER)
    settings.FILM_FOLDER.mkdir()
    settings.UPLOAD_FOLDER.mkdir()
    return tmp_path / "films"
