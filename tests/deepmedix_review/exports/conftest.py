"""Exports are written in the process of the test; a frozen data set that may leave."""

import pytest
from pytest_django import Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.registry.models import ModelVersion
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import a_study_read_by_several
from tests.factories.registry import ServingModelFactory


@pytest.fixture(autouse=True)
def _no_second_connection(settings: Settings) -> None:
    """The thread that renews a lease sees nothing of a test's transaction: it shall not come to it."""
    settings.LEASE_SECONDS = 3600


@pytest.fixture
def researcher() -> User:
    return ResearcherFactory.create(username="rita")


@pytest.fixture
def model() -> ModelVersion:
    return ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)


@pytest.fixture
def dataset(model: ModelVersion, researcher: User) -> PreferenceDataset:
    a_study_read_by_several(model, num_films=8, num_readers=3)
    return freeze_dataset(title="Round 1", actor=researcher)
