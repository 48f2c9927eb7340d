"""Reads tables of any size row by row, and puts rows aside until they are asked for."""

import csv
import gzip
import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from deepmedix_review.studies.known_sets.said import LayoutRefused, Problem

# A report of several pages has 20,000 characters.
MAX_LINE_BYTES = 1024**2
# The largest table of a public set of chest films has some hundred megabytes.
MAX_TABLE_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class Row:
    """`number` as a spreadsheet counts: the header is row 1."""

    table: str
    number: int
    values: dict[str, str]

    @property
    def where(self) -> str:
        return f"{self.table}, row {self.number}"

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "").strip()


def table_called(folder: Path, name: str) -> Path | None:
    """The table as it is or as .gz; None where neither is there."""
    return next((folder / part for part in (name, f"{name}.gz") if (folder / part).is_file()), None)


def columns_of(path: Path, *, needed: Sequence[str]) -> list[str]:
    """The columns of a CSV file, plain or .gz. Raises LayoutRefused where needed ones are not among them."""
    if not path.is_file():
        raise LayoutRefused(f"{path.name} was expected in {path.parent.name}. It is not there.")
    try:
        with _opened(path) as file:
            columns = next(csv.reader(_lines(file)), [])
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise LayoutRefused(f"{path.name} can't be read as a table.") from error
    while columns and not columns[-1]:
        columns.pop()
    missing = [column for column in needed if column not in columns]
    if missing:
        raise LayoutRefused(
            f"{path.name} was expected to have the columns {', '.join(needed)}. It lacks "
            f"{', '.join(missing)}; it has {', '.join(columns)[:500] or 'none'}."
        )
    return columns


def rows_of(path: Path, *, columns: Sequence[str]) -> Iterator[Row | Problem]:
    """Every row below the header, by the names of `columns`; what can't be read is a Problem."""
    number = 1
    with _opened(path) as file:
        reader = csv.reader(_lines(file))
        next(reader)
        while True:
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error:
                number += 1
                yield Problem(f"{path.name}, row {number}", "It can't be read: a value is far too long.")
                continue
            except (OSError, EOFError, zlib.error, _TooMuch):
                yield Problem(f"{path.name}, after row {number}", "The table is cut off or damaged here.")
                return
            number += 1
            if not any(values):
                continue
            if len(values) < len(columns) or any(values[len(columns) :]):
                said = f"It has {len(values)} values, the header {len(columns)}."
                yield Problem(f"{path.name}, row {number}", said)
                continue
            yield Row(path.name, number, dict(zip(columns, values, strict=False)))


def lines_of(path: Path) -> Iterator[str]:
    """A list of names, one a line, without empty ones."""
    with path.open("rb") as file:
        yield from filter(None, (line.strip() for line in _lines(file)))


class Shelf:
    """Rows put aside by kind and key, in a file without a name that ends with it: memory stays flat."""

    def __init__(self) -> None:
        # An empty name makes a private database on the disk (sqlite.org/inmemorydb.html).
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("CREATE TABLE rows (place INTEGER PRIMARY KEY, kind TEXT, key TEXT, said TEXT)")
        self._rows.execute("CREATE INDEX rows_by_key ON rows (kind, key)")
        self._rows.execute("BEGIN")

    def put(self, kind: str, key: str, said: Any) -> None:
        self._rows.execute(
            "INSERT INTO rows (kind, key, said) VALUES (?, ?, ?)", (kind, key, json.dumps(said))
        )

    def get(self, kind: str, key: str) -> list[Any]:
        """In the order in which they were put."""
        found = self._rows.execute(
            "SELECT said FROM rows WHERE kind = ? AND key = ? ORDER BY place", (kind, key)
        )
        return [json.loads(said) for (said,) in found]

    def keys(self, kind: str) -> Iterator[str]:
        """Each once, in the order in which it was first put."""
        found = self._rows.execute(
            "SELECT key FROM rows WHERE kind = ? GROUP BY key ORDER BY min(place)", (kind,)
        )
        return (key for (key,) in found)


class _TooMuch(Exception):
    """More comes out of a table than any has."""


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _lines(file: IO[bytes]) -> Iterator[str]:
    """A longer line comes in parts, of which the table makes rows that don't fit its header."""
    num_bytes, first = 0, True
    while line := file.readline(MAX_LINE_BYTES):
        num_bytes += len(line)
        if num_bytes > MAX_TABLE_BYTES:
            raise _TooMuch
        yield line.decode("utf-8-sig" if first else "utf-8", errors="replace")
        first = False
