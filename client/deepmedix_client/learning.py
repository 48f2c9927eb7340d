"""Frozen data sets, training runs and models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from deepmedix_client.connection import Connection
from deepmedix_client.data_frames import required_pandas
from deepmedix_client.shapes import moment, shaped
from deepmedix_client.waiting import waited_for

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class DataSet:
    """Frozen: `sha256` is of all of it."""

    uid: str
    title: str
    as_of: datetime | None
    num_readings: int
    num_pairs: int
    num_labels: int
    num_regions: int
    sha256: str


@dataclass(frozen=True)
class Gate:
    """`outcome` is passed, held or unchanged; `sentence` says why."""

    outcome: str
    sentence: str
    comparisons: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Model:
    """`state` is candidate, serving or retired; `gate` is None until it has decided."""

    uid: str
    name: str
    number: int
    state: str
    parent: str | None
    sha256: str
    gate: Gate | None


@dataclass(frozen=True)
class Run:
    """`metrics` are the curves, step by step; `candidate` is the model that came of it."""

    uid: str
    state: str
    error: str
    step: int
    num_steps: int
    dataset: str
    parent: str
    candidate: str | None
    recipe: Mapping[str, Any]
    metrics: Sequence[Mapping[str, Any]] = field(repr=False)
    samples: Sequence[Mapping[str, Any]] = field(repr=False)
    _connection: Connection = field(repr=False, compare=False)
    _shows_progress: bool = field(repr=False, compare=False)

    @property
    def num_done(self) -> int:
        return self.step

    @property
    def num_total(self) -> int:
        return self.num_steps

    def refreshed(self) -> Run:
        """As it is now."""
        return run_of(self._connection, self._connection.get(self._path), self._shows_progress)

    def wait(self, seconds: float | None = None) -> Run:
        """Until it is done. Raises JobFailed, or TookTooLong after so many seconds; it goes on meanwhile."""
        return waited_for(
            self.refreshed, what="Training", unit="step", seconds=seconds, shows_progress=self._shows_progress
        )

    def cancel(self) -> Run:
        return run_of(self._connection, self._connection.post(f"{self._path}cancel/"), self._shows_progress)

    def retry(self) -> Run:
        """From its last checkpoint."""
        return run_of(self._connection, self._connection.post(f"{self._path}retry/"), self._shows_progress)

    def to_pandas(self) -> pandas.DataFrame:
        """Its curves, a row for each step. Needs pandas: pip install "deepmedix-client[pandas]"."""
        frame: pandas.DataFrame = required_pandas().DataFrame(
            [
                {**{name: row[name] for name in ("step", "stage", "seconds", "memory_mb")}, **row["values"]}
                for row in self.metrics
            ]
        )
        return frame

    @property
    def _path(self) -> str:
        return f"/api/training-runs/{self.uid}/"


@dataclass(frozen=True)
class _Decision:
    """A gate that has not decided is a job that goes on."""

    gate: Gate | None
    error: str = ""
    num_total: int = 1

    @property
    def state(self) -> str:
        return "done" if self.gate else "measuring"

    @property
    def num_done(self) -> int:
        return int(self.gate is not None)


def waited_for_gate(ask: Callable[[], Model], *, seconds: float | None, shows_progress: bool) -> Gate:
    """Raises TookTooLong."""
    found = waited_for(
        lambda: _Decision(ask().gate),
        what="Gate",
        unit="gate",
        seconds=seconds,
        shows_progress=shows_progress,
    )
    assert found.gate is not None
    return found.gate


def data_set_of(said: Mapping[str, Any]) -> DataSet:
    return shaped(DataSet, said, as_of=moment(said.get("as_of")))


def model_of(said: Mapping[str, Any]) -> Model:
    return shaped(Model, said, gate=shaped(Gate, said["gate"]) if said.get("gate") else None)


def run_of(connection: Connection, said: Mapping[str, Any], shows_progress: bool) -> Run:
    return shaped(Run, said, _connection=connection, _shows_progress=shows_progress)
