"""How fast a batch of 2,000 drawn films is, its worker killed twice and Redis emptied once meanwhile."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.installation import private_installation
from benchmarks.report import CannotRun, Figure, Peer, median_seconds

NUM_FILMS = int(os.environ.get("BENCH_NUM_FILMS", "2000"))
NUM_ALONE = max(8, NUM_FILMS // 20)
LEASE_SECONDS = 30
FEW, MANY = 1_000, 100_000
NUM_CLAIMS = 20
PATIENCE_SECONDS = 3 * 3600


def run() -> list[Figure]:
    if shutil.which("redis-server") is None:
        raise CannotRun("it empties a Redis, and redis-server is not installed.")
    with private_installation(has_redis=True) as home:
        from deepmedix_review.registry.services import register_shipped_model
        from tests.workers import Workers

        for folder in ("films", "models", "uploads"):
            (home / folder).mkdir(exist_ok=True)
        version = register_shipped_model()
        claims = {number: _claim_seconds(version, number) for number in (FEW, MANY)}
        workers = Workers(home=home, database_url=os.environ["DATABASE_URL"])
        try:
            for name in ("io", "beat"):
                workers.start(name)
            alone = _alone_per_minute(workers, version)
            batched, requeued = _batched(workers, version)
        finally:
            workers.stop_all()
    return [
        Figure(
            f"completions of a batch of {NUM_FILMS:,}, with two deaths of the worker and an emptied Redis",
            batched,
            "per minute",
            Peer("one film at a time, undisturbed", alone),
            NUM_FILMS,
        ),
        Figure(
            "from the death of a worker until its jobs are queued again, the longer of two",
            requeued,
            "seconds",
            Peer("the lease and 10 s", LEASE_SECONDS + 10),
            2,
        ),
        Figure(
            f"a claim of 8 jobs with {MANY:,} queued",
            1000 * claims[MANY],
            "ms",
            Peer(f"the same with {FEW:,} queued", 1000 * claims[FEW]),
            NUM_CLAIMS,
        ),
    ]


def _alone_per_minute(workers: Any, version: Any) -> float:
    seconds, _ = _answer(workers, version, first=1, number=NUM_ALONE, disturb=None, at_once=1)
    return 60 * NUM_ALONE / seconds


def _batched(workers: Any, version: Any) -> tuple[float, float]:
    seconds, requeued = _answer(
        workers, version, first=NUM_ALONE + 1, number=NUM_FILMS, disturb=_kill, at_once=8
    )
    return 60 * NUM_FILMS / seconds, requeued


def _answer(
    workers: Any,
    version: Any,
    *,
    first: int,
    number: int,
    disturb: Callable[[Any, bool], float] | None,
    at_once: int,
) -> tuple[float, float]:
    """Seconds from the asking to the end, and the longest until jobs were queued again."""
    from deepmedix_review.common.models import JobState
    from deepmedix_review.reasoning.batches.asking import WantedBatch
    from deepmedix_review.reasoning.models import Completion, InferenceJob
    from deepmedix_review.reasoning.sampling import Sampling
    from deepmedix_review.reasoning.tasks import request_batch
    from tests.factories.accounts import AdminFactory
    from tests.factories.learning import film
    from tests.workers import wait_until

    for seed in range(first, first + number):
        film(seed)
    env = {"INFERENCE_MICRO_BATCH": str(at_once), "LEASE_SECONDS": str(LEASE_SECONDS)}
    workers.start("inference", **env)
    before, begin = Completion.objects.count(), time.perf_counter()
    batch = request_batch(WantedBatch(version=version, sampling=Sampling(1)), actor=AdminFactory.create())
    if batch is None:
        raise RuntimeError("nothing was asked")
    requeued = 0.0

    def has_done(part: int) -> bool:
        return Completion.objects.count() - before >= part * number // 4

    for death in (1, 2):
        if disturb is None:
            break
        wait_until(partial(has_done, death), what="completions", seconds=PATIENCE_SECONDS)
        requeued = max(requeued, disturb(workers, death == 1))
        workers.start("inference", **env)

    def ended() -> bool:
        batch.refresh_from_db()
        return batch.ended_at is not None

    wait_until(ended, what="the end of the batch", seconds=PATIENCE_SECONDS)
    seconds = time.perf_counter() - begin
    workers.stop("inference")
    of_it = InferenceJob.objects.filter(batch=batch)
    keys = of_it.filter(state=JobState.DONE, completion__isnull=False).values("content_key").distinct()
    if not number == of_it.count() == keys.count() == Completion.objects.count() - before:
        raise RuntimeError(f"{keys.count()} of {number} were answered, {Completion.objects.count()} are kept")
    return seconds, requeued


def _kill(workers: Any, empties_redis: bool) -> float:
    """Seconds until what the worker had is queued again."""
    import redis

    from deepmedix_review.common.models import JobState
    from deepmedix_review.config.embedded import redis_socket
    from deepmedix_review.reasoning.models import InferenceJob
    from tests.workers import wait_until

    running = InferenceJob.objects.filter(state=JobState.RUNNING)
    while True:
        wait_until(running.exists, what="a worker at work")
        workers.processes["inference"].send_signal(signal.SIGSTOP)
        held = set(running.values_list("pk", flat=True))
        if held:
            break
        workers.processes["inference"].send_signal(signal.SIGCONT)
    workers.kill("inference")
    begin = time.perf_counter()
    if empties_redis:
        redis.Redis(unix_socket_path=str(redis_socket(Path(workers.home)))).flushall()
    wait_until(lambda: not running.filter(pk__in=held).exists(), what="jobs queued again")
    return time.perf_counter() - begin


def _claim_seconds(version: Any, number: int) -> float:
    """With so many queued of one person and one of another, whose turn it is; all of them are gone then."""
    from django.db import transaction

    from benchmarks.bulk_rows import fill, series, settle
    from deepmedix_review.reasoning.claiming import claim_next
    from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob, Purpose
    from tests.factories.jobs import BatchedJobFactory, InferenceBatchFactory

    batch = InferenceBatchFactory.create(model_version=version)
    one = BatchedJobFactory.create(batch=batch)
    other = BatchedJobFactory.create(batch=InferenceBatchFactory.create(model_version=version))
    fill(
        InferenceJob,
        series(1, number),
        study_id=str(one.study_id),
        instance_id=str(one.instance_id),
        model_version_id=str(version.pk),
        requested_by_id=str(batch.requested_by_id),
        batch_id=str(batch.pk),
        purpose=f"'{Purpose.BATCH.value}'",
        content_key="md5(n::text)",
        temperature="0",
        seed="n",
        max_new_tokens="256",
    )
    settle()

    def claim() -> None:
        with transaction.atomic():
            taken = claim_next(lambda _: 8)
            if len(taken) != 8 and taken != [other]:
                raise RuntimeError(f"{len(taken)} were claimed")
            transaction.set_rollback(True)

    seconds = median_seconds(claim, num_runs=NUM_CLAIMS)
    InferenceJob.objects.all().delete()
    InferenceBatch.objects.all().delete()
    type(one.study).objects.update(state="rejected")
    return seconds
