"""Real workers answer, once and only once, whatever becomes of them and of the broker."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.conf import settings

from deepmedix_review.common.models import JobState
from deepmedix_review.config.embedded import redis_socket
from deepmedix_review.reasoning import services
from deepmedix_review.reasoning.models import Completion, InferenceJob, UnfinishedText
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.tasks import request_inference, request_inference_of_all, request_retry
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.services import promote, register_model
from inference.engines import folder_sha256
from inference.presets import PRESETS
from tests.factories.accounts import AdminFactory
from tests.factories.learning import film
from tests.factories.models import write_untrained_model
from tests.home import HOME
from tests.workers import PATIENCE_SECONDS, Workers, wait_until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def serving(celery_workers: Workers, folder: Path) -> ModelVersion:
    version = register_model(folder=folder, preset=PRESETS["phantom"], card={}, actor=None)
    assert version.sha256 == folder_sha256(Path(version.folder))
    promote(version, actor=None)
    return version


def write_at_length(version: ModelVersion) -> None:
    """An untrained model writes on until it is cut off: some seconds on two cores."""
    ModelVersion.objects.filter(pk=version.pk).update(max_new_tokens=600)


def wait_for(job: InferenceJob, holds: Callable[[InferenceJob], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds(job):
        assert time.monotonic() < deadline, f"{job.state}, {job.num_tokens} tokens, {job.error}"
        time.sleep(0.05)
        job.refresh_from_db()


def is_final(job: InferenceJob) -> bool:
    return job.is_final


def is_writing(job: InferenceJob) -> bool:
    return job.state == JobState.RUNNING and job.num_tokens > 0


def test_two_samples_are_asked_for_and_answered(serving: ModelVersion) -> None:
    instance = film(1)
    jobs = request_inference(study=instance.study, actor=AdminFactory.create())
    assert [job.seed for job in jobs] == [1, 2]
    for job in jobs:
        wait_for(job, is_final)
        assert job.state == JobState.DONE, job.error
        assert job.num_tokens == job.completion.num_tokens > 0
    assert Completion.objects.filter(study=instance.study).values("text").distinct().count() == 2
    again = request_inference(study=instance.study, actor=None)
    assert again == jobs
    assert Completion.objects.count() == 2


def test_a_worker_killed_midway_leaves_one_completion_after_its_restart(
    serving: ModelVersion, celery_workers: Workers
) -> None:
    write_at_length(serving)
    (job,) = request_inference(study=film(1).study, actor=None, sampling=Sampling(1))
    wait_for(job, is_writing)
    wait_until(UnfinishedText.objects.filter(job=job, attempt=1).exists, what="a text so far")
    celery_workers.kill("inference")
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    celery_workers.start("inference")
    wait_until(UnfinishedText.objects.filter(job=job, attempt=2).exists, what="one begun anew")
    wait_for(job, is_final)
    assert (job.state, job.attempt) == (JobState.DONE, 2), job.error
    assert Completion.objects.filter(content_key=job.content_key).count() == 1
    wait_until(lambda: not UnfinishedText.objects.exists(), what="the sweep that throws it away")


def test_a_running_inference_is_cancelled_and_tried_again(serving: ModelVersion) -> None:
    admin = AdminFactory.create()
    write_at_length(serving)
    (job,) = request_inference(study=film(1).study, actor=admin, sampling=Sampling(1))
    wait_for(job, is_writing)
    services.cancel_inference(job, actor=admin)
    wait_for(job, is_final)
    assert job.state == JobState.CANCELLED
    assert not Completion.objects.exists()
    request_retry(job, actor=admin)
    wait_for(job, is_final)
    assert job.state == JobState.DONE, job.error


def test_a_broker_that_forgot_everything_loses_no_job(serving: ModelVersion) -> None:
    admin = AdminFactory.create()
    write_at_length(serving)
    (long_job,) = request_inference(study=film(1).study, actor=admin, sampling=Sampling(1))
    wait_for(long_job, is_writing)
    ModelVersion.objects.filter(pk=serving.pk).update(max_new_tokens=5)
    # The worker holds one message in its hand; those of the others are lost.
    waiting = request_inference(study=film(2).study, actor=admin, sampling=Sampling(3))
    redis.Redis(unix_socket_path=str(redis_socket(HOME))).flushall()
    services.cancel_inference(long_job, actor=admin)
    for job in waiting:
        wait_for(job, is_final)
        assert job.state == JobState.DONE, job.error


def test_all_that_was_asked_at_once_is_answered_without_a_message_for_each(
    serving: ModelVersion, celery_workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No sweep helps.
    celery_workers.kill("beat")
    monkeypatch.setattr("deepmedix_review.common.jobs.NUM_WOKEN_AT_ONCE", 1)
    ModelVersion.objects.filter(pk=serving.pk).update(max_new_tokens=5)
    for seed in (1, 2, 3):
        film(seed)
    request_inference_of_all(actor=AdminFactory.create())
    jobs = wait_until(lambda: list(InferenceJob.objects.order_by("pk")), what="jobs of the batch")
    assert len(jobs) == 6
    for job in jobs:
        wait_for(job, is_final)
        assert job.state == JobState.DONE, job.error


def test_a_film_whose_file_is_gone_fails_with_a_sentence(serving: ModelVersion) -> None:
    instance = film(1)
    (settings.FILM_FOLDER / instance.file_path).unlink()
    (job,) = request_inference(study=instance.study, actor=None, sampling=Sampling(1))
    wait_for(job, is_final)
    assert job.state == JobState.FAILED
    assert "is missing from the film folder" in job.error
