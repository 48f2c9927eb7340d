"""Imaging studies: what is there, and films that are brought in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from deepmedix_client.connection import Connection
from deepmedix_client.errors import DeepMedixError
from deepmedix_client.shapes import moment, shaped


@dataclass(frozen=True)
class Film:
    """`rows` and `columns` are pixels; spacing is None where the film does not say it."""

    uid: str
    sop_instance_uid: str
    modality: str
    view_position: str
    rows: int
    columns: int
    bits_stored: int
    row_spacing_mm: float | None
    column_spacing_mm: float | None


@dataclass(frozen=True)
class Study:
    """`state` is ready, unseen, held or rejected; `held_reasons` say why it is held."""

    uid: str
    label: str
    state: str
    held_reasons: Sequence[str]
    patient_pseudonym: str
    is_phantom: bool
    created_at: datetime | None
    films: Sequence[Film]


@dataclass(frozen=True)
class UploadedFile:
    """`outcome` is accepted, held, duplicate, refused, or archive: a worker brings in what lies in it."""

    name: str
    outcome: str
    reason: str
    study: str | None


@dataclass(frozen=True)
class Uploaded:
    """What became of each file, in the order in which they were given."""

    batch: str | None
    files: Sequence[UploadedFile]

    def of(self, outcome: str) -> Sequence[UploadedFile]:
        return [one for one in self.files if one.outcome == outcome]


def study_of(said: dict[str, Any]) -> Study:
    return shaped(
        Study,
        said,
        created_at=moment(said.get("created_at")),
        films=[shaped(Film, film) for film in said.get("films", ())],
    )


def upload(connection: Connection, paths: Iterable[str | Path], *, shows_progress: bool) -> Uploaded:
    """File by file, one import. A folder is all files in it. Raises DeepMedixError before anything is sent
    where one is not there."""
    files = list(_files(paths))
    batch: str | None = None
    found: list[UploadedFile] = []
    for path in tqdm(files, desc="Upload", unit="file", disable=not shows_progress):
        with path.open("rb") as film:
            said = {"batch": batch} if batch else {}
            answer = connection.send_files("/api/studies/", files={"files": (path.name, film)}, said=said)
        batch = answer["batch"]
        found.extend(
            UploadedFile(str(path), one["outcome"], one.get("reason", ""), one.get("study"))
            for one in answer["items"]
        )
        found.extend(UploadedFile(str(path), "archive", "", None) for _ in answer["archives"])
    return Uploaded(batch, found)


def _files(paths: Iterable[str | Path]) -> Iterator[Path]:
    every = [Path(one) for one in paths]
    missing = [str(one) for one in every if not one.exists()]
    if missing:
        raise DeepMedixError(f"There is no {', '.join(missing[:5])}. Nothing was sent.")
    for path in every:
        yield from sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
