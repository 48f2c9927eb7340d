"""Who is next: what a person waits for, then a batch of whoever was served longest ago."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.claiming import claim_more, claim_next, something_waits
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob, Purpose
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.services import queue_inference
from deepmedix_review.registry.models import ModelVersion
from tests.factories.accounts import AdminFactory
from tests.factories.jobs import BatchedJobFactory, InferenceBatchFactory, InferenceJobFactory
from tests.factories.registry import ModelVersionFactory, ServingModelFactory

pytestmark = pytest.mark.django_db


def two(version: ModelVersion) -> int:
    return 2


def batch_of(number: int, **fields: object) -> tuple[InferenceBatch, list[InferenceJob]]:
    batch = InferenceBatchFactory.create(**fields)
    return batch, BatchedJobFactory.create_batch(number, batch=batch, purpose=batch.purpose)


def end_all() -> None:
    InferenceJob.objects.filter(state=JobState.RUNNING).update(state=JobState.DONE)


def test_what_a_person_waits_for_goes_before_batches_and_those_before_evaluations() -> None:
    evaluation, _ = batch_of(1, purpose=Purpose.EVALUATION)
    batch, _ = batch_of(3)
    waited_for = InferenceJobFactory.create()
    assert claim_next(two) == [waited_for]
    assert [job.batch for job in claim_next(two)] == [batch, batch]
    InferenceJobFactory.create()
    assert claim_next(two)[0].batch is None
    assert [job.batch for job in claim_next(two)] == [batch]
    assert [job.batch for job in claim_next(two)] == [evaluation]
    assert not something_waits()
    assert claim_next(two) == []


def test_people_take_turns_however_much_each_asked_for() -> None:
    busy = AdminFactory.create()
    first, _ = batch_of(6, requested_by=busy)
    second, _ = batch_of(6, requested_by=busy)
    other, _ = batch_of(4)
    served = []
    while taken := claim_next(two):
        served.append(taken[0].batch)
        end_all()
    assert served == [first, other, first, other, first, second, second, second]


def test_who_has_least_running_is_next() -> None:
    one, _ = batch_of(8)
    other, _ = batch_of(8)
    assert [claim_next(two)[0].batch for _ in range(4)] == [one, other, one, other]
    InferenceJob.objects.filter(state=JobState.RUNNING, batch=one).update(state=JobState.DONE)
    assert [claim_next(two)[0].batch for _ in range(2)] == [one, one]


def test_a_round_is_of_one_version_and_is_filled_up_with_what_others_asked_of_it() -> None:
    version, another = ServingModelFactory.create(), ModelVersionFactory.create()
    one, (alone,) = batch_of(1, model_version=version)
    batch_of(5, model_version=another)
    _, others = batch_of(2, model_version=version)
    assert claim_next(two) == [alone, others[0]]
    assert one.model_version == version
    waited_for = InferenceJobFactory.create(model_version=version)
    InferenceJobFactory.create(model_version=another)
    also = InferenceJobFactory.create(model_version=version)
    assert claim_next(two) == [waited_for, also]


def test_the_version_in_memory_is_kept_before_another_persons_turn() -> None:
    version, another = ServingModelFactory.create(), ModelVersionFactory.create()
    batch_of(4, model_version=version)
    other, _ = batch_of(4, model_version=another)
    assert {claim_next(two, keeps=version.pk)[0].model_version for _ in range(2)} == {version}
    assert claim_next(two, keeps=version.pk)[0].batch == other


def test_what_died_with_its_worker_is_taken_alone() -> None:
    batch, queued = batch_of(4)
    InferenceJob.objects.filter(pk__in=[queued[0].pk, queued[2].pk]).update(attempt=1)
    assert [job.pk for job in claim_next(two)] == [queued[0].pk]
    assert [job.pk for job in claim_next(two)] == [queued[1].pk, queued[3].pk]
    assert claim_more(batch.model_version, number=1) == []
    assert [job.pk for job in claim_next(two)] == [queued[2].pk]


def test_a_worker_with_room_takes_more_of_its_version_until_it_is_anothers_turn() -> None:
    version = ServingModelFactory.create()
    _, queued = batch_of(2, model_version=version)
    assert claim_more(version, number=1) == [queued[0]]
    InferenceJobFactory.create(model_version=ModelVersionFactory.create())
    assert claim_more(version, number=1) == []
    assert InferenceJob.objects.filter(state=JobState.RUNNING).count() == 1


def test_paused_and_cancelled_batches_are_passed_over() -> None:
    for field in ("paused_at", "cancelled_at", "ended_at"):
        batch, _ = batch_of(1)
        assert something_waits()
        setattr(batch, field, batch.created_at)
        batch.save()
        assert not something_waits()
        assert claim_next(two) == []


def test_what_a_batch_asked_already_is_waited_for_once_a_person_asks_it() -> None:
    version = ServingModelFactory.create()
    batch, (batched,) = batch_of(1, model_version=version, paused_at="2026-01-01T00:00Z")
    (wanted,) = queue_inference(
        study=batched.study, version=version, query=batched.query, sampling=Sampling(1), actor=None
    )
    # The same wish has the same key.
    InferenceJob.objects.filter(pk=wanted.pk).update(purpose=Purpose.BATCH, batch=batch)
    queue_inference(
        study=batched.study, version=version, query=batched.query, sampling=Sampling(1), actor=None
    )
    assert claim_next(two) == [wanted]


def test_a_claim_takes_as_many_statements_however_many_wait() -> None:
    def count(number: int) -> int:
        batch_of(number)
        with CaptureQueriesContext(connection) as captured:
            assert len(claim_next(two)) == 2
        end_all()
        InferenceJob.objects.filter(state=JobState.QUEUED).update(state=JobState.DONE)
        return len(captured)

    assert count(3) == count(30)


def test_an_attempt_and_a_lease_are_counted_for_each() -> None:
    batch_of(2)
    for job in claim_next(two):
        kept = InferenceJob.objects.get(pk=job.pk)
        assert (kept.state, kept.attempt, kept.started_at) == (JobState.RUNNING, 1, job.started_at)
        jobs.finish(job, state=JobState.DONE)
