"""The platform as a program meets it: a web server and workers of its own, a token, and what was read."""

from collections.abc import Callable

import pytest
from pytest_django.live_server_helper import LiveServer

from deepmedix_client import Client
from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token, scopes_for
from tests.factories.accounts import ResearcherFactory

USE = "Agreement of readers, by our group alone."

ClientOf = Callable[..., Client]


@pytest.fixture
def client_of(live_server: LiveServer) -> ClientOf:
    def connected(account: User | None = None, scopes: list[Capability] | None = None) -> Client:
        account = account or ResearcherFactory.create()
        _, words = make_token(account=account, name="program", scopes=scopes or scopes_for(account), days=1)
        return Client(live_server.url, words, data_use=USE, shows_progress=False)

    return connected
