"""Who conducts, in every test of a running reader study's pages."""

import pytest
from django.test import Client

from tests.deepmedix_review.reviews.conduct.the_page import client_of
from tests.factories.accounts import AdminFactory


@pytest.fixture
def admin() -> Client:
    return client_of(AdminFactory.create())
