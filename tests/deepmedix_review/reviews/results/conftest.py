"""Who looks at results."""

import pytest
from django.test import Client

from tests.factories.accounts import AdminFactory


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(AdminFactory.create())
    return client
