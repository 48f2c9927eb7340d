"""Films are masked in the process of the test."""

from pathlib import Path

import pytest
from pytest_django import Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.models import Instance
from tests.deepmedix_review.studies.masking.a_masking import film_with_text
from tests.factories.accounts import AdminFactory


@pytest.fixture(autouse=True)
def _no_second_connection(settings: Settings) -> None:
    """The thread that renews a lease sees nothing of a test's transaction: it shall not come to it."""
    settings.LEASE_SECONDS = 3600


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def film(tmp_path: Path) -> Instance:
    return film_with_text(tmp_path / "film.dcm")
