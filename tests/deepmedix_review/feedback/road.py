"""What the pages of learning are asked about: a data set, a run on it and its candidate."""

from collections.abc import Callable

from django.conf import settings
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.models import PreferenceDataset, TrainingMetric, TrainingRun
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.registry.models import ModelVersion
from tests.factories.accounts import PASSWORD, ResearcherFactory
from tests.factories.knowing import measure_for
from tests.factories.learning import a_reading_to_learn_from
from tests.factories.registry import ModelVersionFactory, ServingModelFactory

PAGES = {
    "dataset-list": ("get", None),
    "dataset-detail": ("get", "dataset"),
    "dataset-train": ("post", "dataset"),
    "dataset-card": ("get", "dataset"),
    "dataset-card-json": ("get", "dataset"),
    "training-run": ("get", "run"),
    "training-run-live": ("get", "run"),
    "training-run-cancel": ("post", "run"),
    "training-run-retry": ("post", "run"),
    "model-list": ("get", None),
    "model-detail": ("get", "model"),
    "model-gate": ("get", "model"),
    "model-promote": ("post", "model"),
    "model-measure": ("post", "model"),
    "model-retire": ("post", "model"),
    "model-roll-back": ("post", None),
    "api-dataset-list": ("get", None),
    "api-dataset": ("get", "dataset"),
    "api-training-run-list": ("post", None),
    "api-training-run": ("get", "run"),
    "api-training-run-cancel": ("post", "run"),
    "api-training-run-retry": ("post", "run"),
    "api-model-list": ("get", None),
    "api-model": ("get", "model"),
    "api-model-promote": ("post", "model"),
    "api-model-measure": ("post", "model"),
    "api-model-retire": ("post", "model"),
}
SIGNATURE = {"password": PASSWORD, "reason": "It is better."}
RECIPE = {"stages": [{"kind": "dpo", "num_steps": 2}]}


class Road:
    """A data set of one reading, a finished run on it, and its candidate beside the parent."""

    def __init__(self) -> None:
        self.parent = ServingModelFactory.create(
            image_preparation="square", min_pixels=12544, max_pixels=12544
        )
        self.reading = a_reading_to_learn_from(self.parent)
        self.researcher: User = ResearcherFactory.create()
        self.dataset: PreferenceDataset = freeze_dataset(title="Round 1", actor=self.researcher)
        self.candidate: ModelVersion = ModelVersionFactory.create(
            number=1000, parent=self.parent, folder=str(settings.SHIPPED_MODEL)
        )
        self.run = TrainingRun.objects.create(
            dataset=self.dataset,
            parent_version=self.parent,
            candidate=self.candidate,
            recipe=RECIPE,
            state=JobState.DONE,
            step=2,
            num_steps=2,
        )
        for step, loss in ((1, 0.7), (2, 0.5)):
            values = {"loss": loss, "margin": step / 10, "accuracy": 0.5}
            TrainingMetric.objects.create(run=self.run, step=step, values=values)

    def measure(self, version: ModelVersion, *, say: Callable[[str], str] = str) -> None:
        """As if the version had answered every film with the truth, put through `say`."""
        measure_for(self.candidate, version, say=say)

    def url(self, name: str) -> str:
        thing = PAGES[name][1]
        uids = {"dataset": self.dataset.uid, "run": self.run.uid, "model": self.candidate.uid}
        return reverse(name, args=[uids[thing]] if thing else [])


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
