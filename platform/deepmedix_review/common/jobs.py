"""How a worker claims a job, keeps it, and hands it back: leases, heartbeats and fencing.

A message may be lost, doubled or late; these functions make that harmless.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from celery import Task
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState, LeasedJob

Job = TypeVar("Job", bound=LeasedJob)
logger = logging.getLogger(__name__)

# Queued jobs woken by one sweep: a busy worker's queue must not fill with calls that find nothing to do.
NUM_WOKEN_AT_ONCE = 20


class LeaseLost(Exception):
    """Another worker has this job now, or it ended: stop working on it and write nothing."""


class JobCancelled(Exception):
    """A person asked for this job to stop."""


def wake(task: Task[Any, Any], job: LeasedJob, *, queue: str | None = None) -> None:
    """Call a worker for this job once the transaction commits: one of this queue, else of the task's own. A
    broker that is away loses the call, not the job: the next sweep calls again."""
    where: dict[str, Any] = {} if queue is None else {"queue": queue}
    call(task, job.pk, **where)


def call(task: Task[Any, Any], *arguments: Any, **options: Any) -> None:
    """As `wake`, of a task that finds by itself what waits."""

    def send() -> None:
        try:
            task.apply_async(arguments, retry=False, **options)
        except BrokerError as error:
            logger.warning("%s %s waits for the next sweep: %s", task.name, arguments, error)

    transaction.on_commit(send)


def claim(model: type[Job], *, job_id: int) -> Job | None:
    """The job, now leased by the caller; None when it is done, taken, or was cancelled.

    While a study is being erased it waits: what the caller reads is from before all of it or after.
    """
    now = timezone.now()
    with transaction.atomic():
        keep_whole()
        job = (
            model._default_manager.select_for_update(skip_locked=True)
            .filter(pk=job_id, state=JobState.QUEUED)
            .first()
        )
        if job is None:
            return None
        if job.cancel_requested:
            job.state, job.finished_at = JobState.CANCELLED, now
            job.save(update_fields=["state", "finished_at"])
            return None
        lease([job])
    return job


def lease(locked: Sequence[Job]) -> None:
    """Inside the transaction that locked these queued jobs: they are the caller's from here on."""
    now = timezone.now()
    for job in locked:
        job.state = JobState.RUNNING
        job.attempt += 1
        job.started_at = job.started_at or now
        job.heartbeat_at = now
        job.lease_expires_at = now + timedelta(seconds=settings.LEASE_SECONDS)
    if locked:
        type(locked[0])._default_manager.filter(pk__in=[job.pk for job in locked]).update(
            state=JobState.RUNNING,
            attempt=F("attempt") + 1,
            started_at=Coalesce("started_at", now),
            heartbeat_at=now,
            lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS),
        )


def claim_in_turn(model: type[Job], *, job_id: int) -> Job | None:
    """As `claim`, of a kind of which one runs at a time: None also while another has its turn."""
    with transaction.atomic():
        return None if _count_running(model) else claim(model, job_id=job_id)


def claim_oldest(model: type[Job], *, at_most: int) -> Job | None:
    """As `claim`, of the one that waits longest; None also where `at_most` of the kind run."""
    with transaction.atomic():
        if _count_running(model) >= at_most:
            return None
        waiting = model._default_manager.filter(state=JobState.QUEUED).order_by("pk")
        # Of one that was cancelled the claim is its end.
        claims = (claim(model, job_id=pk) for pk in waiting.values_list("pk", flat=True)[:NUM_WOKEN_AT_ONCE])
        return next((job for job in claims if job is not None), None)


def _count_running(model: type[LeasedJob]) -> int:
    """For who claims in this transaction: others who ask wait for its end, else each would count without the
    other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [model._meta.db_table])
    return model._default_manager.filter(state=JobState.RUNNING).count()


def heartbeat(job: LeasedJob, *, is_kept: bool = False, **progress: Any) -> None:
    """Renew the lease and record progress. Raises LeaseLost or JobCancelled when the work must stop.

    `is_kept`: what this attempt did by now is not done again by the next, so it is not one of those that
    were for nothing.
    """
    now = timezone.now()
    if is_kept:
        progress["kept_attempt"] = job.attempt
    rows = _held(job).update(
        heartbeat_at=now, lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS), **progress
    )
    if not rows:
        raise LeaseLost(f"{job._meta.verbose_name} {job.pk}, attempt {job.attempt}")
    if type(job)._default_manager.filter(pk=job.pk, cancel_requested=True).exists():
        raise JobCancelled


def hold(job: LeasedJob) -> None:
    """Inside a transaction, before writing a result: lock the row and check that the lease is still ours."""
    if not _held(job).select_for_update().exists():
        raise LeaseLost(f"{job._meta.verbose_name} {job.pk}, attempt {job.attempt}")


def finish(job: LeasedJob, *, state: JobState, error: str = "", **fields: Any) -> None:
    """End the job. Raises LeaseLost when another attempt owns it."""
    if state not in FINAL_STATES:
        raise ValueError(f"{state} does not end a job")
    rows = _held(job).update(
        state=state, error=error, finished_at=timezone.now(), lease_expires_at=None, **fields
    )
    if not rows:
        raise LeaseLost(f"{job._meta.verbose_name} {job.pk}, attempt {job.attempt}")
    job.refresh_from_db()


def carry_out(model: type[Job], *, job_id: int, work: Callable[..., None]) -> None:
    """Claim the job and do `work(job, check=…)`, which ends it where all goes well, with its lease kept."""
    job = claim(model, job_id=job_id)
    if job is None:
        return
    try:
        with kept_alive(job) as check:
            work(job, check=check)
    except Exception as error:
        end_by(job, error)


def end_by(
    job: LeasedJob, error: Exception, *, says: tuple[type[Exception], ...] = (), **fields: Any
) -> None:
    """End the job by what stopped its work: cancelled, failed with a sentence, or left to who has it now.

    `says` are further kinds of error whose message is a sentence for a person; `fields` are written with the
    end.
    """
    name = f"{job._meta.verbose_name} {job.pk}"
    tells = isinstance(error, (RefusedByRule, ValueError, OSError, *says))
    try:
        match error:
            case LeaseLost():
                logger.warning("left to another worker: %s", error)
            case JobCancelled():
                finish(job, state=JobState.CANCELLED, **fields)
            case _:
                logger.error("%s failed", name, exc_info=error)
                where = "the worker's log names the place."
                unknown = f"It stopped unexpectedly ({type(error).__name__}); {where}"
                finish(job, state=JobState.FAILED, error=str(error) if tells else unknown, **fields)
    except LeaseLost as reason:
        logger.warning("left to another worker: %s", reason)


def request_cancel(job: LeasedJob) -> None:
    """A job that no worker has ends at once; a running one at its next heartbeat."""
    model = type(job)._default_manager
    if not cancel_unclaimed(model.filter(pk=job.pk)):
        model.filter(pk=job.pk).exclude(state__in=FINAL_STATES).update(cancel_requested=True)
    job.refresh_from_db()


def hand_back(job: LeasedJob) -> None:
    """Queue it again as if this attempt had not been: for a worker that ends, or can't do such work.

    Who calls writes nothing of it from here on. Raises LeaseLost where another has it.
    """
    now, held = timezone.now(), _held(job)
    rows = held.filter(cancel_requested=True).update(
        state=JobState.CANCELLED, finished_at=now, lease_expires_at=None
    ) or held.update(state=JobState.QUEUED, attempt=F("attempt") - 1, lease_expires_at=None)
    if not rows:
        raise LeaseLost(f"{job._meta.verbose_name} {job.pk}, attempt {job.attempt}")


def cancel_unclaimed(found: QuerySet[Job]) -> int:
    """Those of them that no worker has, queued or before that, end at once; returns how many."""
    return found.exclude(state__in=(JobState.RUNNING, *FINAL_STATES)).update(
        state=JobState.CANCELLED, cancel_requested=True, finished_at=timezone.now()
    )


def requeue_expired(model: type[Job]) -> list[int]:
    """As `requeue_lost`. Returns the oldest queued jobs' ids, since a queued job's message may be lost too:
    waking it once more is harmless."""
    requeue_lost(model)
    return list(
        model._default_manager.filter(state=JobState.QUEUED)
        .order_by("pk")
        .values_list("pk", flat=True)[:NUM_WOKEN_AT_ONCE]
    )


def requeue_lost(model: type[Job]) -> None:
    """Queue again what lost its worker; fail what was tried too often."""
    now = timezone.now()
    expired = model._default_manager.filter(state=JobState.RUNNING, lease_expires_at__lt=now)
    expired.filter(cancel_requested=True).update(
        state=JobState.CANCELLED, finished_at=now, lease_expires_at=None
    )
    expired.filter(attempt__gte=F("kept_attempt") + settings.MAX_ATTEMPTS).update(
        state=JobState.FAILED,
        finished_at=now,
        lease_expires_at=None,
        error=(
            f"The worker stopped without an answer {settings.MAX_ATTEMPTS} times. "
            "Retry it; if it stops again, the worker's log says why."
        ),
    )
    expired.update(state=JobState.QUEUED, lease_expires_at=None)


def retry(job: LeasedJob, **fields: Any) -> None:
    """A person tries a failed or cancelled job again, with all attempts."""
    retry_all(type(job)._default_manager.filter(pk=job.pk), **fields)
    job.refresh_from_db()


def retry_all(found: QuerySet[Job], **fields: Any) -> None:
    """Those of them that failed or were cancelled are queued anew, with all attempts."""
    found.filter(state__in=(JobState.FAILED, JobState.CANCELLED)).update(
        state=JobState.QUEUED,
        attempt=0,
        kept_attempt=0,
        cancel_requested=False,
        error="",
        finished_at=None,
        **fields,
    )


@contextmanager
def kept_alive(job: LeasedJob, *, at_most_seconds: float | None = None) -> Iterator[Callable[[], None]]:
    """Renew the lease from a thread while long work runs; the yielded function raises when work must stop.

    Work that hangs would keep its lease for ever: after `at_most_seconds` it is renewed no more.
    """
    stop, started = threading.Event(), time.monotonic()
    lost: list[Exception] = []

    def renew() -> None:
        while not stop.wait(settings.LEASE_SECONDS / 4):
            if at_most_seconds is not None and time.monotonic() - started > at_most_seconds:
                lost.append(LeaseLost(f"{job._meta.verbose_name} {job.pk} took over {at_most_seconds:g} s"))
                break
            try:
                heartbeat(job)
            except (LeaseLost, JobCancelled) as reason:
                lost.append(reason)
                break
            except DatabaseError as error:
                # The lease outlives three missed beats, so a short loss of the database is no loss of work.
                logger.warning(
                    "the lease of %s %s was not renewed: %s", job._meta.verbose_name, job.pk, error
                )
            finally:
                connection.close()

    def check() -> None:
        if lost:
            raise lost[0]

    thread = threading.Thread(target=renew, name=f"lease-{job.pk}", daemon=True)
    thread.start()
    try:
        yield check
    finally:
        stop.set()
        thread.join()


def _held(job: Job) -> Any:
    return type(job)._default_manager.filter(pk=job.pk, state=JobState.RUNNING, attempt=job.attempt)
