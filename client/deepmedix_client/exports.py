"""Data sets that leave: asked for, waited for, fetched in parts where the connection breaks, and read."""

from __future__ import annotations

import json
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow
import requests
from pyarrow import parquet
from tqdm.auto import tqdm

from deepmedix_client.connection import Connection
from deepmedix_client.data_frames import required_pandas
from deepmedix_client.errors import Damaged, DeepMedixError
from deepmedix_client.shapes import moment, shaped
from deepmedix_client.waiting import waited_for

if TYPE_CHECKING:
    import pandas

# Of a piece that the line broke in the middle of, nothing is kept.
PIECE_BYTES = 1 << 16
MOST_BREAKS = 5
DATA = "data"


@dataclass(frozen=True)
class Export:
    """`left_out` says what was left out, why and how often. It goes on at the platform whatever happens
    here."""

    uid: str
    state: str
    error: str
    formats: Sequence[str]
    data_use: str
    num_done: int
    num_total: int
    num_rows: int
    left_out: Sequence[Mapping[str, Any]]
    sha256: str
    archive_bytes: int | None
    as_of: datetime | None
    created_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    _connection: Connection = field(repr=False, compare=False)
    _shows_progress: bool = field(repr=False, compare=False)

    def refreshed(self) -> Export:
        """As it is now."""
        return export_of(self._connection, self._connection.get(self._path), self._shows_progress)

    def wait(self, seconds: float | None = None) -> Export:
        """Until it is done. Raises JobFailed, or TookTooLong after so many seconds; it goes on meanwhile."""
        return waited_for(
            self.refreshed, what="Export", unit="part", seconds=seconds, shows_progress=self._shows_progress
        )

    def cancel(self) -> Export:
        return export_of(
            self._connection, self._connection.post(f"{self._path}cancel/"), self._shows_progress
        )

    def delete(self) -> Export:
        """Its archive; what left, and for what, stays known."""
        return export_of(self._connection, self._connection.delete(self._path), self._shows_progress)

    def download(self, to: str | Path) -> Path:
        """The archive, as the file `to`, or into the folder `to`. A broken connection goes on where it broke;
        the file has its name once its sha256 is right, so a file that is there is whole."""
        target = Path(to)
        if target.is_dir():
            target = target / f"export-{self.uid}.zip"
        if not target.parent.is_dir():
            raise DeepMedixError(f"There is no folder {target.parent}. Make it, or name another.")
        # The name of what is fetched is in it: another export's beginning is not gone on with.
        part = target.with_name(f".{target.name}.{self.sha256[:16]}.part")
        breaks = 0
        with tqdm(
            total=self.archive_bytes,
            desc="Download",
            unit="B",
            unit_scale=True,
            disable=not self._shows_progress,
        ) as bar:
            while True:
                before = part.stat().st_size if part.exists() else 0
                try:
                    self._fetch(part, bar)
                    break
                except requests.RequestException as error:
                    after = part.stat().st_size if part.exists() else 0
                    breaks = 0 if after > before else breaks + 1
                    if breaks > MOST_BREAKS:
                        raise DeepMedixError(
                            f"The connection broke {breaks} times without a byte more. What has arrived is "
                            f"kept: download to {target} again goes on."
                        ) from error
                    time.sleep(min(5.0, 0.2 * 2**breaks))
        if _sha256(part) != self.sha256:
            part.unlink()
            raise Damaged(f"What arrived as {target.name} is damaged and was thrown away. Download it again.")
        return part.replace(target)

    def _fetch(self, part: Path, bar: tqdm[Any]) -> None:
        first = part.stat().st_size if part.exists() else 0
        if first and first == self.archive_bytes:
            return
        with self._connection.fetch(f"{self._path}archive.zip", first=first, etag=self.sha256) as answer:
            goes_on = answer.status_code == 206
            bar.n = first if goes_on else 0
            with part.open("ab" if goes_on else "wb") as file:
                for piece in answer.iter_content(PIECE_BYTES):
                    file.write(piece)
                    bar.update(len(piece))

    @property
    def _path(self) -> str:
        return f"/api/exports/{self.uid}/"


class Readings:
    """What readers signed, as tables. Held in a file of this process that goes with it; `save` keeps it."""

    def __init__(self, export: Export) -> None:
        self.export = export
        self._folder = tempfile.TemporaryDirectory(prefix="deepmedix-")
        path = export.download(self._folder.name)
        self._archive = zipfile.ZipFile(path)
        self._path = path
        self.manifest: Mapping[str, Any] = json.loads(self._archive.read("manifest.json"))
        self._described: Mapping[str, Any] = json.loads(self._archive.read("croissant.json"))

    @property
    def tables(self) -> Sequence[str]:
        """`ratings`, `votes` and so on are of cases of data; those of controls and practice cases stand
        apart, as `controls/ratings`."""
        files = (Path(name) for name in self._archive.namelist() if name.endswith(".parquet"))
        return sorted(file.with_suffix("").as_posix().removeprefix(f"{DATA}/") for file in files)

    def table(self, name: str = "ratings") -> pyarrow.Table:
        """Every column with its type. Raises DeepMedixError, naming those that are there."""
        for inside in (f"{DATA}/{name}", name):
            if f"{inside}.parquet" in self._archive.namelist():
                with self._archive.open(f"{inside}.parquet") as file:
                    return self._with_moments(
                        parquet.read_table(pyarrow.BufferReader(file.read())), record_set=inside
                    )
        raise DeepMedixError(f"There is no table {name!r}. There are: {', '.join(self.tables)}.")

    def to_pandas(self, name: str = "ratings") -> pandas.DataFrame:
        """Whole numbers stay whole where some are missing (`Int64`). Needs pandas: pip install
        "deepmedix-client[pandas]"."""
        pd = required_pandas()
        frame: pandas.DataFrame = self.table(name).to_pandas(
            types_mapper={pyarrow.int64(): pd.Int64Dtype(), pyarrow.bool_(): pd.BooleanDtype()}.get
        )
        return frame

    def rows(self, name: str = "ratings") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table(name).to_pylist()
        return found

    def about(self) -> str:
        """What every column means, what was left out, and what the data may be used for."""
        return self._archive.read("README.txt").decode()

    def save(self, to: str | Path) -> Path:
        """The archive as the platform wrote it."""
        target = Path(to)
        if target.is_dir():
            target = target / self._path.name
        target.write_bytes(self._path.read_bytes())
        return target

    def _with_moments(self, table: pyarrow.Table, *, record_set: str) -> pyarrow.Table:
        """Moments lie in the file as text; croissant.json says which columns they are."""
        described = {one["@id"]: one["field"] for one in self._described["recordSet"]}
        for column in described.get(record_set, ()):
            if column["dataType"] == "sc:DateTime":
                place = table.column_names.index(column["@id"].rpartition("/")[2])
                moments = table.column(place).cast(pyarrow.timestamp("us", tz="UTC"))
                table = table.set_column(place, table.column_names[place], moments)
        return table

    def __repr__(self) -> str:
        return f"Readings({', '.join(self.tables)})"


def export_of(connection: Connection, said: Mapping[str, Any], shows_progress: bool) -> Export:
    moments = {name: moment(said.get(name)) for name in ("as_of", "created_at", "finished_at", "expires_at")}
    return shaped(Export, said, _connection=connection, _shows_progress=shows_progress, **moments)


def _sha256(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            found.update(piece)
    return found.hexdigest()
