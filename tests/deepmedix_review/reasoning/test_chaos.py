"""A batch on the shipped model ends with one completion per wish, whatever becomes of workers and broker."""

import signal
import time
from functools import partial

import redis

from deepmedix_review.common.models import JobState
from deepmedix_review.config.embedded import redis_socket
from deepmedix_review.reasoning.batches.asking import WantedBatch
from deepmedix_review.reasoning.models import Completion, InferenceBatch, InferenceJob
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.tasks import request_batch
from deepmedix_review.registry.services import register_shipped_model
from tests.factories.accounts import AdminFactory
from tests.factories.learning import film
from tests.home import HOME
from tests.workers import Workers, wait_until

NUM_FILMS = 48
LEASE_SECONDS = 5
FEW_AT_ONCE = {"LEASE_SECONDS": str(LEASE_SECONDS), "INFERENCE_MICRO_BATCH": "4"}


def running() -> dict[int, int]:
    """By job, its attempt."""
    return dict(InferenceJob.objects.filter(state=JobState.RUNNING).values_list("pk", "attempt"))


def has_done(number: int) -> bool:
    return Completion.objects.count() >= number


def is_free(held: dict[int, int]) -> bool:
    return not held.items() & running().items()


def kill_at_work(workers: Workers) -> dict[int, int]:
    """kill -9 while it has jobs; these."""

    def stopped_at_work() -> dict[int, int]:
        wait_until(running, what="a worker at work")
        process = workers.processes["inference"]
        process.send_signal(signal.SIGSTOP)
        held = running()
        if not held:
            process.send_signal(signal.SIGCONT)
        return held

    held: dict[int, int] = wait_until(stopped_at_work, what="a worker stopped at work")
    workers.kill("inference")
    return held


def test_two_deaths_and_an_emptied_broker_leave_one_completion_for_each(celery_workers: Workers) -> None:
    version = register_shipped_model()
    for seed in range(1, NUM_FILMS + 1):
        film(seed)
    celery_workers.restart("inference", **FEW_AT_ONCE)
    batch = request_batch(WantedBatch(version=version, sampling=Sampling(1)), actor=AdminFactory.create())
    assert batch is not None
    for number in (1, 2):
        wait_until(partial(has_done, 4 * number), what="some completions")
        held = kill_at_work(celery_workers)
        killed_at = time.monotonic()
        if number == 1:
            redis.Redis(unix_socket_path=str(redis_socket(HOME))).flushall()
        wait_until(partial(is_free, held), what="jobs queued again")
        assert time.monotonic() - killed_at < LEASE_SECONDS + 10
        assert not has_done(NUM_FILMS)
        celery_workers.start("inference", **FEW_AT_ONCE)
    wait_until(lambda: InferenceBatch.objects.get().ended_at, what="the end of the batch")
    batch.refresh_from_db()
    assert (batch.num_done, batch.num_failed, batch.num_cancelled) == (NUM_FILMS, 0, 0)
    said = Completion.objects.all()
    assert said.count() == said.values("content_key").distinct().count() == NUM_FILMS
    assert not InferenceJob.objects.filter(attempt__gt=3).exists()
    assert set(InferenceJob.objects.values_list("state", flat=True)) == {JobState.DONE}
    celery_workers.restart("inference")
