"""Batches: a version is asked about many studies, and what failed is asked again by its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deepmedix_client.connection import Connection
from deepmedix_client.shapes import moment, shaped
from deepmedix_client.waiting import waited_for

BATCHES = "/api/inference-batches/"
WORKERS = "/api/inference-workers/"
_STATES = {"through": "done", "cancelled": "cancelled", "not asked": "failed"}


@dataclass(frozen=True)
class Failure:
    """`number` inferences failed with this `error`; an empty one is of those that were cancelled."""

    error: str
    number: int


@dataclass(frozen=True)
class InferenceBatch:
    """`phase` is beginning, at work, paused, ending, cancelled, not asked or through. A list of batches
    leaves `failures` out; one that is through may hold some."""

    uid: str
    model: str
    collection: str | None
    query: str
    num_samples: int
    temperature: float
    first_seed: int
    purpose: str
    phase: str
    error: str
    num_studies: int
    num_asked: int
    num_queued: int
    num_running: int
    num_failed: int
    num_cancelled: int
    num_answered: int
    per_minute: float | None
    seconds_left: float | None
    created_at: datetime | None
    ended_at: datetime | None
    failures: Sequence[Failure]
    _connection: Connection = field(repr=False, compare=False)
    _shows_progress: bool = field(repr=False, compare=False)

    @property
    def state(self) -> str:
        """The phase, or done, failed and cancelled once it has ended."""
        return _STATES.get(self.phase, self.phase)

    @property
    def num_done(self) -> int:
        """Of its inferences those that have ended, well or not."""
        return self.num_answered + self.num_failed + self.num_cancelled

    @property
    def num_total(self) -> int:
        return self.num_asked

    def refreshed(self) -> InferenceBatch:
        """As it is now."""
        return batch_of(self._connection, self._connection.get(self._path), self._shows_progress)

    def wait(self, seconds: float | None = None) -> InferenceBatch:
        """Until it is through: look at its `failures` then. Raises JobFailed, or TookTooLong after so many
        seconds, as of a paused one; it goes on meanwhile."""
        return waited_for(
            self.refreshed,
            what="Inference",
            unit="completion",
            seconds=seconds,
            shows_progress=self._shows_progress,
        )

    def pause(self) -> InferenceBatch:
        """What runs goes on; nothing more of it begins."""
        return self._after("pause")

    def resume(self) -> InferenceBatch:
        """After a pause, or where the asking failed."""
        return self._after("resume")

    def cancel(self) -> InferenceBatch:
        """What was answered stays."""
        return self._after("cancel")

    def retry(self, failure: Failure | str = "") -> InferenceBatch:
        """What failed for this reason is asked again; without one, what was cancelled."""
        reason = failure.error if isinstance(failure, Failure) else failure
        said = self._connection.post(f"{self._path}retry/", {"reason": reason})
        return batch_of(self._connection, said["batch"], self._shows_progress)

    def _after(self, what: str) -> InferenceBatch:
        said = self._connection.post(f"{self._path}{what}/")
        return batch_of(self._connection, said, self._shows_progress)

    @property
    def _path(self) -> str:
        return f"{BATCHES}{self.uid}/"


def batch_of(connection: Connection, said: Mapping[str, Any], shows_progress: bool) -> InferenceBatch:
    return shaped(
        InferenceBatch,
        said,
        num_answered=said["num_done"],
        created_at=moment(said["created_at"]),
        ended_at=moment(said["ended_at"]),
        failures=[shaped(Failure, one) for one in said.get("failures", ())],
        _connection=connection,
        _shows_progress=shows_progress,
    )


@dataclass(frozen=True)
class InferenceWorker:
    """A process that answers. `state` is at work, idle, can't generate, draining, gone or lost; `problem`
    says which versions it can't run and why; `num_remembered` counts answers for which the model did not look
    at the film again."""

    uid: str
    name: str
    state: str
    model: str | None
    num_running: int
    num_answered: int
    num_remembered: int
    problem: str
    started_at: datetime | None
    seen_at: datetime | None
    drains_until: datetime | None
    ended_at: datetime | None

    @property
    def is_there(self) -> bool:
        return self.state not in ("gone", "lost")


def worker_of(said: Mapping[str, Any]) -> InferenceWorker:
    moments = ("started_at", "seen_at", "drains_until", "ended_at")
    return shaped(InferenceWorker, said, **{name: moment(said[name]) for name in moments})
