"""A reader study that several have read, with repeats and controls, and the data set frozen of it."""

import pytest

from deepmedix_review.accounts.models import User
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import ReaderStudy
from tests.deepmedix_review.feedback.road import Road
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import a_study_read_by_several
from tests.factories.registry import ServingModelFactory

DESIGN = ReaderStudyDesign(repeat_share=0.4, washout_cases=1, control_share=0.2)


@pytest.fixture
def model() -> ModelVersion:
    return ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)


@pytest.fixture
def researcher() -> User:
    return ResearcherFactory.create()


@pytest.fixture
def study(model: ModelVersion) -> ReaderStudy:
    return a_study_read_by_several(model, num_films=6, num_readers=3, design=DESIGN)


@pytest.fixture
def dataset(study: ReaderStudy, researcher: User) -> PreferenceDataset:
    return freeze_dataset(title="Several", actor=researcher)


@pytest.fixture
def road() -> Road:
    return Road()
