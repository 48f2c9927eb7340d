"""Erasures are run in the process of the test; everything of the product has used the study that goes."""

import pytest
from pytest_django import Settings

from deepmedix_review.accounts.models import User
from tests.factories.accounts import AdminFactory


@pytest.fixture(autouse=True)
def _no_second_connection(settings: Settings) -> None:
    """The thread that renews a lease sees nothing of a test's transaction: it shall not come to it."""
    settings.LEASE_SECONDS = 3600


@pytest.fixture
def admin() -> User:
    return AdminFactory.create(username="anna")
