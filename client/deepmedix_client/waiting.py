"""Waits for a job of the platform, with a bar that says how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from tqdm.auto import tqdm

from deepmedix_client.errors import JobFailed, TookTooLong

FIRST_SECONDS, LONGEST_SECONDS = 0.2, 5.0
DONE, ENDED = "done", ("done", "failed", "cancelled")


class Job(Protocol):
    """How far it is; `num_total` is 0 where nobody knows yet."""

    @property
    def state(self) -> str: ...

    @property
    def error(self) -> str: ...

    @property
    def num_done(self) -> int: ...

    @property
    def num_total(self) -> int: ...


AnyJob = TypeVar("AnyJob", bound=Job)


def waited_for(
    ask: Callable[[], AnyJob], *, what: str, unit: str, seconds: float | None, shows_progress: bool
) -> AnyJob:
    """The job once it is done. Raises JobFailed, or TookTooLong after `seconds`; neither ends the job."""
    deadline = None if seconds is None else time.monotonic() + seconds
    pause = FIRST_SECONDS
    with tqdm(desc=what, unit=unit, disable=not shows_progress) as bar:
        while True:
            job = ask()
            bar.total = job.num_total or None
            bar.n = job.num_done
            bar.set_postfix_str(job.state)
            if job.state in ENDED:
                break
            if deadline is not None and time.monotonic() + pause > deadline:
                raise TookTooLong(f"{what}: still {job.state} after {seconds:g} s. It goes on; wait again.")
            time.sleep(pause)
            pause = min(LONGEST_SECONDS, pause * 1.5)
    if job.state != DONE:
        raise JobFailed(job.state, job.error)
    return job
