"""Messages are brought in by the process of the test, but where it asks for workers."""

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _no_second_connection(settings: Settings) -> None:
    """The thread that renews a lease sees nothing of a test's transaction: it shall not come to it."""
    settings.LEASE_SECONDS = 3600
