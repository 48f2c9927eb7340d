"""Workers come, leave and take another version in while a batch runs; no job is lost or answered twice."""

import signal
import time
from functools import partial
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.batches.asking import WantedBatch
from deepmedix_review.reasoning.models import Completion, InferenceBatch, InferenceJob, InferenceWorker
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.tasks import request_batch, request_inference
from deepmedix_review.reasoning.workers.selectors import workers
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.services import promote, register_model, register_shipped_model
from inference.presets import PRESETS
from tests.factories.accounts import AdminFactory
from tests.factories.learning import film
from tests.factories.models import write_untrained_model
from tests.workers import Workers, wait_until

NUM_FILMS = 24
DRAIN_SECONDS = 20
FEW_AT_ONCE = {"INFERENCE_MICRO_BATCH": "4", "DRAIN_SECONDS": str(DRAIN_SECONDS)}


def row_of(kind: str) -> InferenceWorker:
    return InferenceWorker.objects.filter(name__startswith=f"{kind}-").latest("pk")


def states() -> dict[str, str]:
    """Of each worker by the beginning of its name; one that is there before one that was."""
    return {one.worker.name.partition("@")[0].rpartition("-")[0]: one.state for one in reversed(workers())}


def is_done(job: InferenceJob) -> bool:
    return InferenceJob.objects.filter(pk=job.pk, state=JobState.DONE).exists()


def untrained(folder: Path, *, most_tokens: int, seed: int = 1, is_endless: bool = False) -> ModelVersion:
    version = register_model(
        folder=write_untrained_model(folder, seed=seed, is_endless=is_endless),
        preset=PRESETS["phantom"],
        card={},
        actor=None,
    )
    ModelVersion.objects.filter(pk=version.pk).update(max_new_tokens=most_tokens)
    version.refresh_from_db()
    return version


def is_at(name: str, state: str) -> bool:
    return states().get(name) == state


def test_one_leaves_one_joins_and_a_version_is_promoted_while_a_batch_runs(
    celery_workers: Workers, tmp_path: Path
) -> None:
    admin = AdminFactory.create()
    version = untrained(tmp_path / "older", seed=1, most_tokens=400)
    promote(version, actor=admin)
    films = [film(seed) for seed in range(1, NUM_FILMS + 1)]
    celery_workers.restart("inference", **FEW_AT_ONCE)
    celery_workers.start("inference-2", **FEW_AT_ONCE)
    leaves = celery_workers.processes["inference-2"]
    try:
        batch = request_batch(WantedBatch(version=version, sampling=Sampling(2)), actor=admin)
        assert batch is not None
        page, address = Client(), reverse("inference-workers")
        page.force_login(admin)
        wait_until(lambda: page.get(address).content.decode().count(">at work<") == 2, what="both at work")
        told_at = time.monotonic()
        leaves.send_signal(signal.SIGTERM)
        newer = untrained(tmp_path / "newer", seed=2, most_tokens=5)
        promote(newer, actor=admin)
        wanted = request_inference(study=films[0].study, actor=admin, sampling=Sampling(1))
        leaves.wait(DRAIN_SECONDS + 20)
        assert time.monotonic() - told_at < DRAIN_SECONDS + 20
        assert row_of("inference-2").drains_until is not None
        celery_workers.start("inference-3", **FEW_AT_ONCE)
        assert ">gone<" in page.get(address).content.decode()
        wait_until(lambda: InferenceBatch.objects.get().ended_at, what="the end of the batch")
        for job in wanted:
            wait_until(
                partial(InferenceJob.objects.filter(pk=job.pk, state=JobState.DONE).exists),
                what="the newer version's",
            )
        assert is_at("inference-2", "gone")
    finally:
        for name in ("inference-2", "inference-3"):
            if name in celery_workers.processes:
                celery_workers.stop(name)
        celery_workers.restart("inference")
    batch.refresh_from_db()
    num_wanted = 2 * NUM_FILMS
    assert (batch.num_done, batch.num_failed, batch.num_cancelled) == (num_wanted, 0, 0)
    said = Completion.objects.filter(model_version=version)
    assert said.count() == said.values("content_key").distinct().count() == num_wanted
    assert {job.completion.model_version for job in InferenceJob.objects.filter(pk=wanted[0].pk)} == {newer}
    # A drain is no death: nobody's attempt was for nothing.
    assert set(InferenceJob.objects.values_list("attempt", flat=True)) == {1}


def test_what_a_leaving_worker_can_not_end_in_its_time_is_handed_back_without_an_attempt(
    celery_workers: Workers, tmp_path: Path
) -> None:
    endless = untrained(tmp_path, most_tokens=100_000, is_endless=True)
    promote(endless, actor=None)
    celery_workers.restart("inference", DRAIN_SECONDS="1")
    leaves = celery_workers.processes["inference"]
    try:
        (job,) = request_inference(study=film(1).study, actor=None, sampling=Sampling(1))
        running = InferenceJob.objects.filter(pk=job.pk, state=JobState.RUNNING, num_tokens__gt=0)
        wait_until(running.exists, what="a text that goes on")
        leaves.send_signal(signal.SIGTERM)
        wait_until(partial(is_at, "inference", "draining"), what="a worker that says that it drains")
        leaves.wait(60)
        job.refresh_from_db()
        assert (job.state, job.attempt, job.lease_expires_at) == (JobState.QUEUED, 0, None)
        assert is_at("inference", "gone")
        InferenceJob.objects.filter(pk=job.pk).update(max_new_tokens=5)
    finally:
        celery_workers.restart("inference")
    wait_until(
        InferenceJob.objects.filter(pk=job.pk, state=JobState.DONE).exists, what="its answer elsewhere"
    )
    job.refresh_from_db()
    assert job.attempt == 1


def test_a_worker_whose_model_writes_nothing_says_so_and_takes_no_jobs(
    celery_workers: Workers, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = write_untrained_model(tmp_path)
    (weights,) = folder.glob("*.safetensors")
    broken = {name: torch.full_like(weight, torch.nan) for name, weight in load_file(weights).items()}
    save_file(broken, weights, metadata={"format": "pt"})
    version = register_model(folder=folder, preset=PRESETS["phantom"], card={}, actor=None)
    promote(version, actor=None)
    (job,) = request_inference(study=film(1).study, actor=None, sampling=Sampling(1))
    wait_until(partial(is_at, "inference", "can't generate"), what="a worker that says that it can't")
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    page = Client()
    page.force_login(AdminFactory.create())
    shown = page.get(reverse("inference-workers")).content.decode()
    assert f"{version} is in memory and can" in shown
    assert "its weights are broken" in shown
    # It goes on with what it can run.
    works = register_shipped_model()
    (other,) = request_inference(study=film(2).study, actor=None, sampling=Sampling(1), version=works)
    wait_until(partial(is_done, other), what="what another version was asked")
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)


@pytest.fixture(autouse=True)
def _is_ready(celery_workers: Workers) -> None:
    """Each begins with the usual workers."""
