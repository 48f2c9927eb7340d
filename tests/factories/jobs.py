"""Inference jobs for tests: rows that wait."""

import factory

from deepmedix_review.reasoning.models import InferenceJob
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import InstanceFactory


class InferenceJobFactory(factory.django.DjangoModelFactory[InferenceJob]):
    """A queued job for one sample."""

    class Meta:
        model = InferenceJob

    instance = factory.SubFactory(InstanceFactory)
    study = factory.LazyAttribute(lambda job: job.instance.series.study)
    model_version = factory.SubFactory(ServingModelFactory)
    query = "Write the findings and the impression of this radiograph."
    temperature = 1.0
    seed = factory.Sequence(lambda n: n + 1)
    content_key = factory.Sequence(lambda n: f"{n:064x}")
    max_new_tokens = 256
