"""Writes a table of an export as CSV, JSON lines or Parquet, straight from PostgreSQL in constant memory."""

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from django.db import connection

from deepmedix_review.exports.models import CSV, JSONL, PARQUET
from deepmedix_review.exports.table_parts import Column, Kind, Table

PIECE_BYTES = 1024 * 1024
# Of CSV, that become a row group of Parquet: some thousand ratings.
GROUP_BYTES = 1024 * 1024
# What a spreadsheet would take for a formula gets an apostrophe before it, in CSV alone.
FORMULA = r"^\s*[=+@-]"
ENDINGS = {CSV: ".csv", JSONL: ".jsonl", PARQUET: ".parquet"}


@dataclass(frozen=True)
class Counted:
    sha256: str
    num_bytes: int


class TableFile(Protocol):
    """A file that grows by what a table gives for some values."""

    def append(self, values: Mapping[str, Any]) -> int:
        """The number of rows."""

    def close(self) -> None: ...


def open_file(table: Table, form: str, file: IO[bytes]) -> TableFile:
    kinds: Mapping[str, Callable[[Table, IO[bytes]], TableFile]]
    kinds = {CSV: CsvFile, JSONL: JsonlFile, PARQUET: ParquetFile}
    return kinds[form](table, file)


def measure(path: Path) -> Counted:
    with path.open("rb") as file:
        return Counted(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


class CsvFile:
    """RFC 4180 with a line of names; an empty cell is null, "" is the empty text."""

    def __init__(self, table: Table, file: IO[bytes]) -> None:
        cells = ", ".join(_csv_cell(column) for column in table.columns)
        self._statement = f"COPY (SELECT {cells} FROM ({table.query}) AS q) TO STDOUT (FORMAT csv)"
        self._file = file
        names = io.StringIO()
        csv.writer(names, lineterminator="\n").writerow([column.name for column in table.columns])
        file.write(names.getvalue().encode())

    def append(self, values: Mapping[str, Any]) -> int:
        return _copy(self._statement, values, self._file.write)

    def close(self) -> None:
        self._file.flush()


class JsonlFile:
    """An object a line, in the order of the columns."""

    def __init__(self, table: Table, file: IO[bytes]) -> None:
        cells = ", ".join(f'"{column.name}"' for column in table.columns)
        self._query = f"SELECT {cells} FROM ({table.query}) AS q"
        self._file = file

    def append(self, values: Mapping[str, Any]) -> int:
        return copy_json(self._query, values, self._file.write)

    def close(self) -> None:
        self._file.flush()


class ParquetFile:
    """A row group for each GROUP_BYTES of lines, and at the end of each part; zstd."""

    def __init__(self, table: Table, file: IO[bytes]) -> None:
        import pyarrow
        from pyarrow import parquet

        # Gives back what it frees: 20 MB less at a million ratings. Not every build of Arrow has it.
        if "jemalloc" in pyarrow.supported_memory_backends():
            pyarrow.set_memory_pool(pyarrow.jemalloc_memory_pool())
        types = {
            Kind.TEXT: pyarrow.string(),
            Kind.WORDS: pyarrow.string(),
            Kind.WHOLE: pyarrow.int64(),
            Kind.NUMBER: pyarrow.float64(),
            Kind.YES_NO: pyarrow.bool_(),
            Kind.MOMENT: pyarrow.string(),
        }
        self._schema = pyarrow.schema([(column.name, types[column.kind]) for column in table.columns])
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        cells = ", ".join(_exact_cell(column) for column in table.columns)
        self._statement = f"COPY (SELECT {cells} FROM ({table.query}) AS q) TO STDOUT (FORMAT csv)"

    def append(self, values: Mapping[str, Any]) -> int:
        return _copy(self._statement, values, self._write_group, piece_bytes=GROUP_BYTES)

    def _write_group(self, lines: bytes) -> None:
        from pyarrow import csv as arrow_csv
        from pyarrow import py_buffer

        if not lines:
            return
        part = arrow_csv.read_csv(
            py_buffer(lines),
            read_options=arrow_csv.ReadOptions(column_names=self._schema.names, use_threads=False),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=self._schema,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        self._writer.write_table(part)

    def close(self) -> None:
        self._writer.close()


def copy_json(query: str, values: Mapping[str, Any], write: Callable[[bytes], Any]) -> int:
    """The number of rows; each is an object on a line, and whole lines are written at once."""

    def write_lines(lines: bytes) -> None:
        # Of what COPY escapes, JSON has backslashes alone.
        write(lines.replace(b"\\\\", b"\\"))

    statement = f"COPY (SELECT row_to_json(line)::text FROM ({query}) AS line) TO STDOUT (FORMAT text)"
    return _copy(statement, values, write_lines)


def _csv_cell(column: Column) -> str:
    if column.kind != Kind.WORDS:
        return _exact_cell(column)
    name = f'"{column.name}"'
    return f"CASE WHEN {name} ~ '{FORMULA}' THEN '''' || {name} ELSE {name} END"


def _exact_cell(column: Column) -> str:
    name = f'"{column.name}"'
    return f"{name}::text" if column.kind == Kind.YES_NO else name


def _copy(
    statement: str,
    values: Mapping[str, Any],
    write: Callable[[bytes], Any],
    *,
    piece_bytes: int = PIECE_BYTES,
) -> int:
    """The number of rows; at most about `piece_bytes` of whole rows wait to be written."""
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        with cursor.copy(statement, values) as copy:
            for piece in _pieces(copy, piece_bytes):
                write(piece)
        return int(cursor.rowcount)


def _pieces(copy: Any, piece_bytes: int) -> Iterator[bytes]:
    waiting = bytearray()
    for line in copy:
        waiting += line
        if len(waiting) >= piece_bytes:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)
