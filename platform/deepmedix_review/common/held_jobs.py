"""The leases of many jobs that one worker has at once: renewed together, lost and cancelled one by one."""

import logging
import threading
import time
from collections.abc import Iterable
from datetime import timedelta
from types import TracebackType
from typing import Generic, Self, TypeVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from deepmedix_review.common.jobs import JobCancelled, LeaseLost
from deepmedix_review.common.models import LeasedJob

Job = TypeVar("Job", bound=LeasedJob)
logger = logging.getLogger(__name__)

# One statement for all of them, however many. What it does not return has another worker by now, or ended.
RENEW = """
UPDATE {table} AS job
SET heartbeat_at = %(now)s, lease_expires_at = %(until)s, {progress} = held.progress
FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(progress)s::int[]) AS held (id, attempt, progress)
WHERE job.id = held.id AND job.attempt = held.attempt AND job.state = 'running'
RETURNING job.id, job.cancel_requested
"""


class HeldJobs(Generic[Job]):
    """A thread renews the leases while this is entered; `beat` does so at once and tells how far each is.

    Where nothing is `heard` of the work for `at_most_silent_seconds`, it hangs, and no lease is renewed any
    more. `progress` names the column of the jobs that counts how far they are.
    """

    def __init__(self, model: type[Job], *, progress: str, at_most_silent_seconds: float) -> None:
        self._sql = RENEW.format(table=model._meta.db_table, progress=progress)
        self._at_most_silent_seconds = at_most_silent_seconds
        self._held: dict[int, Job] = {}
        self._progress: dict[int, int] = {}
        self._reasons: dict[int, LeaseLost | JobCancelled] = {}
        self._heard_at = time.monotonic()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew_on, name="leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def add(self, claimed: Iterable[Job]) -> None:
        with self._lock:
            for job in claimed:
                self._held[job.pk], self._progress[job.pk] = job, 0
                self._reasons.pop(job.pk, None)
        self._heard_at = time.monotonic()

    def drop(self, job: Job) -> None:
        """Its work has ended."""
        with self._lock:
            self._held.pop(job.pk, None)
            self._progress.pop(job.pk, None)

    def heard(self, job: Job, progress: int) -> None:
        self._heard_at = time.monotonic()
        self._progress[job.pk] = progress

    def why_to_stop(self, job: Job) -> LeaseLost | JobCancelled | None:
        return self._reasons.get(job.pk)

    def beat(self) -> None:
        """Renew every lease, and find out whose work must stop."""
        with self._lock:
            held = [job for pk, job in self._held.items() if pk not in self._reasons]
            if not held:
                return
            now = timezone.now()
            with connection.cursor() as cursor:
                cursor.execute(
                    self._sql,
                    {
                        "now": now,
                        "until": now + timedelta(seconds=settings.LEASE_SECONDS),
                        "ids": [job.pk for job in held],
                        "attempts": [job.attempt for job in held],
                        "progress": [self._progress[job.pk] for job in held],
                    },
                )
                kept = dict(cursor.fetchall())
            for job in held:
                if job.pk not in kept:
                    self._reasons[job.pk] = LeaseLost(f"{job._meta.verbose_name} {job.pk}")
                elif kept[job.pk]:
                    self._reasons[job.pk] = JobCancelled()

    def _renew_on(self) -> None:
        while not self._stop.wait(settings.LEASE_SECONDS / 4):
            if time.monotonic() - self._heard_at > self._at_most_silent_seconds:
                with self._lock:
                    for pk in self._held:
                        self._reasons.setdefault(pk, LeaseLost("Nothing was heard of the work for too long"))
                return
            try:
                self.beat()
            except DatabaseError as error:
                # The leases outlive three missed beats, so a short loss of the database is no loss of work.
                logger.warning("%s leases were not renewed: %s", len(self._held), error)
            finally:
                connection.close()
