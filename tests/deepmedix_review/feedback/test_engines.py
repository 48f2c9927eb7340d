"""A run names its engine: offered and taken only where an operator has named a cluster."""

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.feedback.models import TrainingRun
from deepmedix_review.feedback.services import freeze_dataset
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from
from tests.factories.registry import ServingModelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client: Client):
    researcher = ResearcherFactory.create(username="rita")
    client.force_login(researcher)
    return researcher


@pytest.fixture
def dataset(researcher):
    model = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    a_reading_to_learn_from(model)
    return freeze_dataset(title="Round 1", actor=researcher)


def ask(client: Client, dataset, placement: dict[str, object]):
    body = {
        "dataset": str(dataset.uid),
        "recipe": {"stages": [{"kind": "dpo"}]},
        "placement": placement,
    }
    return client.post(reverse("api-training-run-list"), body, content_type="application/json")


def test_without_a_cluster_no_engine_is_offered_and_ray_is_refused(client: Client, dataset) -> None:
    page = client.get(reverse("dataset-detail", args=[dataset.uid])).content.decode()
    assert 'name="engine"' not in page
    refused = ask(client, dataset, {"engine": "ray"})
    assert refused.status_code == 409
    assert "An operator names one by RAY_ADDRESS" in refused.json()["detail"]
    assert ask(client, dataset, {}).status_code == 202
    assert TrainingRun.objects.get().engine == "local"


def test_with_a_cluster_a_run_keeps_where_it_learns(client: Client, dataset, settings) -> None:
    settings.RAY_ADDRESS = "http://127.0.0.1:8265"
    address = reverse("dataset-train", args=[dataset.uid])
    assert 'name="engine"' in client.get(reverse("dataset-detail", args=[dataset.uid])).content.decode()
    asked = {"recipe": "dpo", "engine": "ray", "num_workers": "3", "gpus_per_worker": "1"}
    page = client.post(address, asked).content.decode()
    assert "Stage 1: examples_per_step is 8, which 3 workers can&#x27;t share evenly" in page
    assert not TrainingRun.objects.exists()
    answer = client.post(address, {**asked, "num_workers": "2", "max_retries": "1"})
    run = TrainingRun.objects.get()
    assert answer.status_code == 302
    assert (run.engine, run.placement) == (
        "ray",
        {"num_workers": 2, "gpus_per_worker": 1, "sharding": "none", "max_retries": 1},
    )
    told = client.get(reverse("training-run", args=[run.uid])).content.decode()
    assert "The Ray cluster, 2 workers with a GPU each" in told


@pytest.mark.parametrize(
    ("placement", "sentence"),
    [
        ({"engine": "slurm"}, "engine must be one of local, ray"),
        ({"engine": "ray"}, "ray.example.org is not among the hosts that films may be sent to"),
    ],
)
def test_an_engine_that_is_none_and_a_host_that_is_not_named_are_refused(
    client: Client, dataset, settings, placement, sentence
) -> None:
    settings.RAY_ADDRESS = "http://ray.example.org:8265"
    refused = ask(client, dataset, placement)
    assert refused.status_code == 409
    assert sentence in refused.json()["detail"]
    assert not TrainingRun.objects.exists()
