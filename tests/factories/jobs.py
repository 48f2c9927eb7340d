"""Inference jobs for tests: rows that wait."""

import factory

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob, Purpose
from tests.factories.accounts import AdminFactory
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


class InferenceBatchFactory(factory.django.DjangoModelFactory[InferenceBatch]):
    """One whose jobs are all there."""

    class Meta:
        model = InferenceBatch

    model_version = factory.SubFactory(ServingModelFactory)
    requested_by = factory.SubFactory(AdminFactory)
    query = "Write the findings and the impression of this radiograph."
    num_samples = 2
    temperature = factory.LazyAttribute(lambda batch: batch.model_version.temperature)
    state = JobState.DONE


class BatchedJobFactory(InferenceJobFactory):
    """A queued job of a batch, asked by who asked for that."""

    batch = factory.SubFactory(InferenceBatchFactory)
    purpose = Purpose.BATCH
    model_version = factory.LazyAttribute(lambda job: job.batch.model_version)  # type: ignore[assignment]
    requested_by = factory.LazyAttribute(lambda job: job.batch.requested_by)
