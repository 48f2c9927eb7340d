"""How long studies are kept: rules, what falls due, and what is due and erased together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deepmedix_client.connection import Connection
from deepmedix_client.erasing import NamedUse, uses_of
from deepmedix_client.shapes import moment, shaped
from deepmedix_client.waiting import waited_for

RULES = "/api/retention/rules/"
BATCHES = "/api/retention/batches/"


@dataclass(frozen=True)
class RetentionRule:
    """`said`: of which studies, in words. A rule never changes; it erases nothing by itself."""

    uid: str
    of: str
    value: str
    said: str
    keep_days: int
    because: str
    is_on: bool
    created_at: datetime | None
    _connection: Connection = field(repr=False, compare=False)

    def switch(self, *, on: bool) -> RetentionRule:
        return rule_of(self._connection, self._connection.post(f"{RULES}{self.uid}/", {"is_on": on}))

    def delete(self) -> None:
        """What was erased by it stays erased."""
        self._connection.delete(f"{RULES}{self.uid}/")


@dataclass(frozen=True)
class DueStudy:
    """`rules` are the uids of all that are of it, the one that holds first; `hindrance` says why it would
    stay now."""

    study: str
    name: str
    due_at: datetime | None
    rules: Sequence[str]
    hindrance: str


@dataclass(frozen=True)
class DuePreview:
    """What would go now. `num_studies` and `as_of` confirm it; `num_read` are due and stay, for they are read
    in reader studies that are not locked; `num_later` are left to the next batch."""

    as_of: datetime
    num_studies: int
    num_films: int
    num_bytes: int
    num_signed: int
    num_read: int
    num_later: int
    uses: Sequence[NamedUse]


@dataclass(frozen=True)
class BatchedStudy:
    """`erasure` is the uid of its own erasure; `said` why there is none."""

    study: str
    due_at: datetime | None
    because: str
    erasure: str | None
    said: str


@dataclass(frozen=True)
class RetentionBatch:
    """A list of batches leaves their `studies` out; `refreshed` has them."""

    uid: str
    state: str
    error: str
    as_of: datetime | None
    num_studies: int
    num_erased: int
    num_kept: int
    studies: Sequence[BatchedStudy]
    created_at: datetime | None
    finished_at: datetime | None
    _connection: Connection = field(repr=False, compare=False)
    _shows_progress: bool = field(repr=False, compare=False)

    @property
    def num_done(self) -> int:
        return self.num_erased + self.num_kept

    @property
    def num_total(self) -> int:
        return self.num_studies

    def refreshed(self) -> RetentionBatch:
        """As it is now."""
        return batch_of(self._connection, self._connection.get(self._path), self._shows_progress)

    def wait(self, seconds: float | None = None) -> RetentionBatch:
        """Until it is done. Raises JobFailed, or TookTooLong after so many seconds; it goes on meanwhile."""
        return waited_for(
            self.refreshed, what="Erasing", unit="study", seconds=seconds, shows_progress=self._shows_progress
        )

    def cancel(self) -> RetentionBatch:
        """What has not begun stays, and is due still."""
        return self._after("cancel")

    def retry(self) -> RetentionBatch:
        """One that failed goes on where it stopped."""
        return self._after("retry")

    def _after(self, what: str) -> RetentionBatch:
        said = self._connection.post(f"{self._path}{what}/")
        return batch_of(self._connection, said, self._shows_progress)

    @property
    def _path(self) -> str:
        return f"{BATCHES}{self.uid}/"


def due_studies(connection: Connection, *, days: int) -> Iterator[DueStudy]:
    """Page by page, the longest due first."""
    offset: int | None = 0
    while offset is not None:
        page = connection.get("/api/retention/due/", days=days, offset=offset)
        for row in page["results"]:
            yield shaped(DueStudy, row, due_at=moment(row["due_at"]))
        offset = page["next_offset"]


def rule_of(connection: Connection, said: Mapping[str, Any]) -> RetentionRule:
    return shaped(RetentionRule, said, created_at=moment(said.get("created_at")), _connection=connection)


def due_preview_of(said: Mapping[str, Any]) -> DuePreview:
    return shaped(DuePreview, said, as_of=moment(said["as_of"]), uses=uses_of(said))


def batch_of(connection: Connection, said: Mapping[str, Any], shows_progress: bool) -> RetentionBatch:
    moments = {name: moment(said.get(name)) for name in ("as_of", "created_at", "finished_at")}
    studies = [shaped(BatchedStudy, row, due_at=moment(row["due_at"])) for row in said.get("studies", ())]
    return shaped(
        RetentionBatch,
        said,
        studies=studies,
        _connection=connection,
        _shows_progress=shows_progress,
        **moments,
    )
