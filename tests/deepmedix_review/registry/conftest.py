"""Folders for models, of this test alone."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture
def incoming(tmp_path: Path, settings: Settings) -> Path:
    settings.MODEL_FOLDER = tmp_path / "models"
    settings.MODEL_FOLDER.mkdir()
    settings.INCOMING_MODEL_FOLDER = tmp_path / "incoming"
    settings.INCOMING_MODEL_FOLDER.mkdir()
    return tmp_path / "incoming"
