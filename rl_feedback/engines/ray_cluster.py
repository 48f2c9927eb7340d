"""Lets a run learn on a Ray cluster: submits it as a job, follows it, begins it again when it died, fetches
what it wrote.

A job is known by the run's name and the number of its attempt, so whoever follows it may be killed: the next
one finds it and submits no second one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Any

import inference
import rl_feedback
from rl_feedback.engines.addresses import require_allowed
from rl_feedback.engines.packing import Job, fetch_candidate, num_attempts
from rl_feedback.engines.telling import REFUSED, SAMPLE, STEP, WRITTEN, Followed, Listener, pass_on
from rl_feedback.training.environment import commit

# In a run's folder: the number of the attempt with which a person last began it, from which retries count.
BEGUN_AT = "begun_at"
POLL_SECONDS = 0.5
# A head node that is started again answers within this; longer, and a person has to look.
PATIENCE_SECONDS = 300.0
STOP_SECONDS = 60.0
LAST_LINES_SECONDS = 10.0
NUM_LINES_TOLD = 8
JOB_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    # A worker imports torch and its libraries before it answers; Ray itself waits for 60 s.
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "600",
}
# As in the environment of what follows the job, where named there. What opens a door is not among them: a
# cluster shows the environment of its jobs.
PASSED_ON = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME")
_FAILED, _SUCCEEDED, _STOPPED = "FAILED", "SUCCEEDED", "STOPPED"


class ClusterFailed(OSError):
    """The cluster could not do it; the message says why and what to do."""


@dataclass
class RayCluster:
    """The cluster at `address`, its job API; see `addresses.require_allowed` for `hosts`.

    Raises ValueError for an address that is not allowed, ClusterFailed where ray is not installed here.
    """

    address: str
    hosts: Collection[str] = ()
    _client: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        require_allowed(self.address, hosts=self.hosts)
        if find_spec("ray") is None:
            raise ClusterFailed(
                "Ray is not installed here. Install it (pip install 'deepmedix-review[ray]'), "
                "or choose the engine local."
            )

    def learn(
        self,
        job: Job,
        *,
        name: str,
        out: Path,
        listener: Listener,
        log: Path,
        anew: bool = True,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Return once the candidate lies in `out`, whole.

        `anew` begins a job; else one of this name that runs, or ran, is followed, from its beginning. What
        `check` or the listener raises leaves the job running: `stop` ends it. Raises ValueError for what
        would happen again, ClusterFailed where the cluster or the job failed for good.
        """
        begun = job.folder / BEGUN_AT
        if anew:
            self.require_reachable()
            self.stop(job.folder, name=name)
            begun.write_text(str(job.num_attempts() + 1), encoding="ascii")
        first = int(begun.read_text("ascii"))
        number = max(job.num_attempts(), first)
        films = job.films()
        for earlier in range(1, number):
            # A job that was stopped had gone on for a moment: its checkpoint may lie behind what was heard.
            for event in Followed(job.teller(earlier).path).new():
                if event["kind"] in (STEP, SAMPLE):
                    pass_on(event, listener, films=films)
        while True:
            manifest = self._follow(job, name, number, listener=listener, films=films, log=log, check=check)
            if manifest is not None:
                return fetch_candidate(job, manifest=manifest, out=out)
            reason = self._reason(job, name, number)
            if number - first >= job.placement.max_retries:
                raise ClusterFailed(
                    f"The job on the cluster ended {number - first + 1} times before it was through. {reason}"
                )
            listener.on_retry(reason)
            number += 1

    def require_reachable(self) -> None:
        """Raises ClusterFailed at once where nothing answers: a person may have named another address."""
        try:
            self.client()
        except (ConnectionError, OSError) as error:
            raise ClusterFailed(
                f"No Ray cluster answers at {self.address}. Start it, or name the address of its job API."
            ) from error

    def stop(self, folder: Path, *, name: str, number: int | None = None) -> None:
        """End this job of the run in this folder, else the newest, with its workers; nothing where it runs
        no more."""
        number = num_attempts(folder) if number is None else number
        if number == 0:
            return
        submission = _submission(name, number)
        deadline = time.monotonic() + STOP_SECONDS
        while self._status(submission) not in (None, _FAILED, _SUCCEEDED, _STOPPED):
            self._ask("stop_job", submission)
            if time.monotonic() > deadline:
                raise ClusterFailed(
                    f"The job {submission} did not stop within {STOP_SECONDS:.0f} s. "
                    f"Stop it on the cluster: ray job stop {submission}"
                )
            time.sleep(POLL_SECONDS)

    def _follow(
        self,
        job: Job,
        name: str,
        number: int,
        *,
        listener: Listener,
        films: Mapping[str, str],
        log: Path,
        check: Callable[[], None],
    ) -> str | None:
        """The sha256 of the candidate's manifest once the job is through; None where the job died."""
        submission = _submission(name, number)
        if self._status(submission) is None:
            self._submit(job, submission, number)
        told = Followed(job.teller(number).path)
        manifest = None
        copier = _LogCopier(self, submission, log)
        while True:
            check()
            copier.go_on()
            # Asked before reading: what a job told before it ended is then read in any case.
            status = self._status(submission)
            for event in told.new():
                pass_on(_of_this_code(event), listener, films=films)
                if event["kind"] == WRITTEN:
                    manifest = str(event["manifest"])
                elif event["kind"] == REFUSED:
                    self.stop(job.folder, name=name)
                    raise ValueError(event["reason"])
            if status in (None, _FAILED, _SUCCEEDED):
                copier.finish()
                return manifest if status == _SUCCEEDED else None
            if status == _STOPPED:
                raise ClusterFailed("The job was stopped on the cluster. Go on to begin it again.")
            time.sleep(POLL_SECONDS)

    def _submit(self, job: Job, submission: str, number: int) -> None:
        # Known here before it is known there: a number is never given twice.
        job.teller(number).path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as code:
            for package in (inference, rl_feedback):
                source = Path(str(package.__file__)).parent
                shutil.copytree(
                    source, Path(code) / source.name, ignore=shutil.ignore_patterns("__pycache__")
                )
            self._ask(
                "submit_job",
                entrypoint=f"python -m rl_feedback ray-job {quote(str(job.folder))} --attempt {number}",
                submission_id=submission,
                runtime_env={"working_dir": code, "env_vars": _environment()},
            )

    def _status(self, submission: str) -> str | None:
        """None where the cluster knows of no such job: it was not submitted, or the head node lost it."""
        known = {one.submission_id: one for one in self._ask("list_jobs")}
        return str(known[submission].status) if submission in known else None

    def _reason(self, job: Job, name: str, number: int) -> str:
        submission = _submission(name, number)
        known = {one.submission_id: one for one in self._ask("list_jobs")}
        if submission not in known:
            return "The cluster no longer knows the job: its head node was started again."
        said = str(known[submission].message or "").strip().splitlines()
        return " ".join(said[-NUM_LINES_TOLD:]) or "The job died without a word."

    def _ask(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Of Ray's client, again while the cluster does not answer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return getattr(self.client(), method)(*arguments, **named)
            except (ConnectionError, OSError) as error:
                self._client = None
                if time.monotonic() > deadline:
                    raise ClusterFailed(
                        f"The cluster at {self.address} has not answered for {PATIENCE_SECONDS:.0f} s. "
                        "Look after its head node, then go on: the run continues from its last checkpoint."
                    ) from error
                time.sleep(POLL_SECONDS)
            except RuntimeError as error:
                raise ClusterFailed(f"The cluster refused: {_first_line(error)}") from error

    def client(self) -> Any:
        if self._client is None:
            from ray.job_submission import JobSubmissionClient

            self._client = JobSubmissionClient(self.address)
        return self._client


@dataclass
class _LogCopier:
    """Copies what a job prints to a file while it runs; begins again where the connection was lost."""

    cluster: RayCluster
    submission: str
    log: Path
    _thread: threading.Thread | None = field(default=None, init=False)

    def go_on(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._copy, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Of a job that has ended: its last lines come at once."""
        if self._thread is not None:
            self._thread.join(LAST_LINES_SECONDS)

    def _copy(self) -> None:
        async def copy() -> None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("w", encoding="utf-8") as file:
                async for lines in self.cluster.client().tail_job_logs(self.submission):
                    file.write(lines)
                    file.flush()

        try:
            asyncio.run(copy())
        except (OSError, RuntimeError) as error:
            sys.stderr.write(f"the log of {self.submission} is no longer copied: {error}\n")


def _environment() -> dict[str, str]:
    return JOB_ENVIRONMENT | {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}


def _submission(name: str, number: int) -> str:
    return f"{name}-{number}"


def _of_this_code(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The job ran the code of this checkout, which it can't know of itself."""
    about = event.get("about")
    if not about or about["environment"]["commit"]:
        return event
    return {**event, "about": {**about, "environment": {**about["environment"], "commit": commit()}}}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
