"""Where a model that learned from drawn films is asked about a real one, the page says what that is worth."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.accounts import AdminFactory
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db

WARNING = "has learned from drawn films only. What it says of a real film means nothing."


@pytest.mark.parametrize(
    ("template", "is_phantom", "warned"),
    [("phantom", False, True), ("phantom", True, False), ("deepmedix-r1", False, False)],
)
def test_a_model_of_drawn_films_is_not_asked_about_a_real_one_without_a_warning(
    template: str, is_phantom: bool, warned: bool
) -> None:
    version = ServingModelFactory.create(prompt_template=template)
    study = InstanceFactory.create(series__study__is_phantom=is_phantom).study
    client = Client()
    client.force_login(AdminFactory.create())
    page = client.get(reverse("inference-fragment", args=[study.uid])).content.decode()
    assert (f"{version} {WARNING}" in page) is warned
