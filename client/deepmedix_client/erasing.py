"""Studies and patients that are erased for good: what would go, and how far an erasure is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deepmedix_client.connection import Connection
from deepmedix_client.errors import DeepMedixError
from deepmedix_client.shapes import moment, shaped
from deepmedix_client.waiting import waited_for


@dataclass(frozen=True)
class NamedUse:
    """A data set, a model or another thing that had used a study, and how."""

    kind: str
    uid: str | None
    name: str
    said: str


@dataclass(frozen=True)
class ErasurePreview:
    """`counts` are rows that would go, by kind; `hindrances` say why it can't go now, and the way out;
    `same_picture_in` are studies that show the same picture, and stay. `name` confirms the erasure."""

    kind: str
    name: str
    studies: Sequence[str]
    counts: Mapping[str, int]
    num_files: int
    num_bytes: int
    uses: Sequence[NamedUse]
    same_picture_in: Sequence[str]
    hindrances: Sequence[str]


@dataclass(frozen=True)
class Erasure:
    """`found` was counted when it was asked for, `gone` is what went. `uses` name what had used it; a list of
    erasures leaves them out."""

    uid: str
    kind: str
    why: str
    note: str
    state: str
    error: str
    studies: Sequence[str]
    found: Mapping[str, int]
    gone: Mapping[str, int]
    num_files: int
    num_files_left: int
    uses: Sequence[NamedUse]
    erased_at: datetime | None
    let_in_at: datetime | None
    created_at: datetime | None
    finished_at: datetime | None
    _connection: Connection = field(repr=False, compare=False)
    _shows_progress: bool = field(repr=False, compare=False)

    @property
    def num_done(self) -> int:
        return self.num_files - self.num_files_left

    @property
    def num_total(self) -> int:
        return self.num_files

    def refreshed(self) -> Erasure:
        """As it is now."""
        return erasure_of(self._connection, self._connection.get(self._path), self._shows_progress)

    def wait(self, seconds: float | None = None) -> Erasure:
        """Until it is done. Raises JobFailed, or TookTooLong after so many seconds; it goes on meanwhile."""
        return waited_for(
            self.refreshed, what="Erasure", unit="file", seconds=seconds, shows_progress=self._shows_progress
        )

    def cancel(self) -> Erasure:
        """Only before anything went."""
        return self._after("cancel")

    def retry(self) -> Erasure:
        """One that failed goes on where it stopped."""
        return self._after("retry")

    def let_in(self) -> Erasure:
        """The same study or patient may come in again; what went stays gone."""
        return self._after("let-in")

    def _after(self, what: str) -> Erasure:
        said = self._connection.post(f"{self._path}{what}/")
        return erasure_of(self._connection, said, self._shows_progress)

    @property
    def _path(self) -> str:
        return f"/api/erasures/{self.uid}/"


def of_what(study: str | None, patient: str | None) -> dict[str, str]:
    """As the platform is asked: one of the two."""
    if (study is None) == (patient is None):
        raise DeepMedixError("Name a study by its uid, or a patient by the pseudonym: one of the two.")
    return {"study": study} if study is not None else {"patient": str(patient)}


def preview_of(said: Mapping[str, Any]) -> ErasurePreview:
    return shaped(ErasurePreview, said, uses=uses_of(said))


def erasure_of(connection: Connection, said: Mapping[str, Any], shows_progress: bool) -> Erasure:
    names = ("erased_at", "let_in_at", "created_at", "finished_at")
    moments = {name: moment(said.get(name)) for name in names}
    uses = uses_of(said)
    return shaped(Erasure, said, uses=uses, _connection=connection, _shows_progress=shows_progress, **moments)


def uses_of(said: Mapping[str, Any]) -> list[NamedUse]:
    return [shaped(NamedUse, use) for use in said.get("uses", ())]
