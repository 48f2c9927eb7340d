"""Writes a shared data set part by part, some hundred films at once, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl_feedback.hugging_face.shown import ShownFilm
from rl_feedback.hugging_face.subsets import SUBSETS, Shared, row_of

FILMS_PER_PART = 500
# Rows wait for each other up to either, then become a row group: few are read to look at one. A film that
# many of them show is written once, in the group's dictionary.
ROWS_PER_GROUP = 100
GROUP_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class PartFile:
    """By its name below the data set's folder."""

    name: str
    num_rows: int


class PartWriter:
    """The files of one part, one for each subset that has a row in it, below a folder."""

    def __init__(self, folder: Path, *, split: str, number: int) -> None:
        self._folder, self._name = folder, f"{split}-{number:05d}.parquet"
        self._files: dict[str, _Rows] = {}

    def add(self, film: ShownFilm, every: Iterable[Shared]) -> int:
        """All that is shared of a film. The number of rows."""
        rows = [row_of(one, film) for one in every]
        for subset, row in rows:
            if subset not in self._files:
                self._files[subset] = _Rows(self._folder / subset / self._name, subset)
            self._files[subset].add(row, num_bytes=len(film.png))
        return len(rows)

    def close(self) -> list[PartFile]:
        return [
            PartFile(f"{subset}/{self._name}", rows.close()) for subset, rows in sorted(self._files.items())
        ]


class _Rows:
    def __init__(self, path: Path, subset: str) -> None:
        # Arrow and datasets take a second to load.
        from pyarrow import parquet

        path.parent.mkdir(parents=True, exist_ok=True)
        [schema] = [one.features().arrow_schema for one in SUBSETS if one.name == subset]
        self._writer = parquet.ParquetWriter(
            path, schema, compression="zstd", dictionary_pagesize_limit=2 * GROUP_BYTES
        )
        self._schema = schema
        self._waiting: list[dict[str, Any]] = []
        self._num_bytes = self._num_rows = 0

    def add(self, row: dict[str, Any], *, num_bytes: int) -> None:
        self._waiting.append(row)
        self._num_bytes += num_bytes
        self._num_rows += 1
        if len(self._waiting) >= ROWS_PER_GROUP or self._num_bytes >= GROUP_BYTES:
            self._flush()

    def close(self) -> int:
        """The number of all rows."""
        self._flush()
        self._writer.close()
        return self._num_rows

    def _flush(self) -> None:
        import pyarrow

        if self._waiting:
            self._writer.write_table(pyarrow.Table.from_pylist(self._waiting, schema=self._schema))
        self._waiting, self._num_bytes = [], 0
