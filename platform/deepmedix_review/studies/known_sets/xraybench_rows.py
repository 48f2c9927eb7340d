"""XrayBench's rows as its files hold them, one by one: what is asked, what is right, and the pictures.

A file is Parquet, JSON lines or JSON; a picture is embedded in its row, or the row names a file beside.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from deepmedix_review.common.disk import require_room
from deepmedix_review.studies.known_sets.said import LayoutRefused, Problem
from deepmedix_review.studies.known_sets.tables import MAX_LINE_BYTES, MAX_TABLE_BYTES
from deepmedix_review.studies.known_sets.words import MAX_KEY, first_below, plain
from rl_feedback.evaluation.samples import Sample
from rl_feedback.evaluation.xraybench import OF_PICTURE, columns_in, files_in, no_rows_in, sample_in

MAX_JSON_BYTES = 128 * 1024**2
# A study of the chest has a few films.
MAX_PICTURES = 20
# Beside them one group of rows of the file is held: 420 MB for a hundred pictures of 1 MB.
_ROWS_AT_ONCE = 8
_MAX_WORDS = 300


@dataclass(frozen=True)
class Picture:
    """`content` where the row holds it, else `path`."""

    sha256: str
    path: Path | None = None
    content: bytes = b""

    def put_in(self, folder: Path) -> Path:
        """Its file; of an embedded one, a new file in `folder`. Raises OSError where the disk is full."""
        if self.path is not None:
            return self.path
        require_room(folder, num_bytes=len(self.content))
        path = folder / self.sha256
        path.write_bytes(self.content)
        return path


@dataclass(frozen=True)
class BenchRow:
    """`study` as the set numbers it, empty where it numbers none; `pictures` that are there."""

    where: str
    sample: Sample
    study: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class BenchTable:
    """A file of rows. `names`: which of its columns is which."""

    path: Path
    name: str
    names: Mapping[str, str]
    numbers_studies: bool


def tables_in(folder: Path, *, columns: Mapping[str, str]) -> list[BenchTable]:
    """Every file that holds rows; `columns` names some outright. Raises LayoutRefused where one is unlike
    XrayBench, or where there is none."""
    tables = [table for path in files_in(folder) if (table := _table(path, folder, columns)) is not None]
    if not tables:
        raise LayoutRefused(plain(no_rows_in(folder)))
    return tables


def rows_in(table: BenchTable, *, folder: Path) -> Iterator[BenchRow | Problem]:
    """Each row that is one of XrayBench; what can't be read, or is not there, is a Problem."""
    for found in _KINDS[table.path.suffix](table):
        if isinstance(found, Problem):
            yield found
            continue
        where, number, row = found
        try:
            sample = sample_in(row, table.names, named=table.path.stem, number=number)
        except ValueError as error:
            yield Problem(where, _sentence(str(error)))
            continue
        pictures: dict[str, Picture] = {}
        for said in _pictures(row, table, folder):
            if isinstance(said, Picture):
                pictures[said.sha256] = said
            else:
                yield Problem(where, said)
        word = row.get(table.names["study"]) if table.numbers_studies else None
        study = "" if word is None else str(word)[:MAX_KEY]
        yield BenchRow(where, sample, study, list(pictures.values()))


def _table(path: Path, folder: Path, columns: Mapping[str, str]) -> BenchTable | None:
    name = plain(path.relative_to(folder).as_posix())[:MAX_KEY]
    there = _HEADS[path.suffix](path, name)
    if there is None:
        return None
    try:
        names = columns_in(there, named=path.stem, columns=columns)
    except ValueError as error:
        raise LayoutRefused(plain(str(error))[: 3 * _MAX_WORDS]) from None
    numbers_studies = bool(names["study"]) and ("study" in columns or names["study"] not in OF_PICTURE)
    return BenchTable(path, name, names, numbers_studies)


_Found = tuple[str, int, Mapping[str, Any]] | Problem


def _parquet_head(path: Path, name: str) -> Sequence[str] | None:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            return list(file.schema_arrow.names) if file.metadata.num_rows else None
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise LayoutRefused(f"{name} is no Parquet file. Download it again.") from error


def _parquet_rows(table: BenchTable) -> Iterator[_Found]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(table.path) as file:
            wanted = [name for name in file.schema_arrow.names if name in table.names.values()]
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=wanted):
                    for row in batch.to_pylist():
                        number += 1
                        yield f"{table.name}, row {number}", number, row
    except (pyarrow.ArrowException, OSError, ValueError):
        yield Problem(f"{table.name}, after row {number}", "The file is cut off or damaged here.")


def _lines_head(path: Path, name: str) -> Sequence[str] | None:
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise LayoutRefused(f"{name} has more than {MAX_TABLE_BYTES // 1024**3} GB.")
    for _, line in _lines(path):
        said = _object(line)
        if said is None:
            raise LayoutRefused(f"{name} was expected to have an object of JSON on each line. It has others.")
        return list(said)
    return None


def _line_rows(table: BenchTable) -> Iterator[_Found]:
    for number, line in _lines(table.path):
        where, said = f"{table.name}, line {number}", _object(line)
        yield (where, number, said) if said is not None else Problem(where, "It is no object of JSON.")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """A longer line comes in parts, which are no JSON."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(partial(file.readline, MAX_LINE_BYTES), b""), start=1):
            if line.strip():
                yield number, line


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _json_head(path: Path, name: str) -> Sequence[str] | None:
    rows = _json(path, name)
    return list(rows[0]) if rows else None


def _json_rows(table: BenchTable) -> Iterator[_Found]:
    for number, row in enumerate(_json(table.path, table.name), start=1):
        yield f"{table.name}, entry {number}", number, row


def _json(path: Path, name: str) -> Sequence[Mapping[str, Any]]:
    """None of a file that is no list of objects: settings may lie beside."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_JSON_BYTES + 1)
        if len(content) > MAX_JSON_BYTES:
            raise LayoutRefused(f"{name} has more than {MAX_JSON_BYTES // 1024**2} MB.")
        rows = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise LayoutRefused(f"{name} can't be read as JSON.") from error
    return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else []


_HEADS = {".parquet": _parquet_head, ".jsonl": _lines_head, ".json": _json_head}
_KINDS = {".parquet": _parquet_rows, ".jsonl": _line_rows, ".json": _json_rows}


def _pictures(row: Mapping[str, Any], table: BenchTable, folder: Path) -> Iterator[Picture | str]:
    """Each picture, or what is wrong with it."""
    said = row.get(table.names["image"])
    several = said if isinstance(said, list) else [said]
    several = [one for one in several if one not in (None, "")]
    if not several:
        yield "It has no picture."
    if len(several) > MAX_PICTURES:
        yield f"It has more than {MAX_PICTURES} pictures."
        return
    for number, one in enumerate(several, start=1):
        found = _picture(one, table, folder)
        yield found if isinstance(found, Picture) else f"Its picture {number} {found}."


def _picture(said: Any, table: BenchTable, folder: Path) -> Picture | str:
    """As the hub embeds it ({bytes, path}), or a path: from the row's file, from the folder, from images."""
    content, name = (said.get("bytes"), said.get("path")) if isinstance(said, dict) else (None, said)
    too_large = f"has more than {settings.MAX_FILM_BYTES // 1024**2} MB and was left"
    if isinstance(content, bytes) and content:
        if len(content) > settings.MAX_FILM_BYTES:
            return too_large
        return Picture(hashlib.sha256(content).hexdigest(), content=content)
    if not isinstance(name, str):
        return "is neither embedded nor named"
    beside = table.path.parent.relative_to(folder).as_posix()
    path = first_below(folder, (f"{below}/{name}" for below in (beside, ".", "images")))
    if path is None:
        return "is not there"
    try:
        if path.stat().st_size > settings.MAX_FILM_BYTES:
            return too_large
        with path.open("rb") as file:
            return Picture(hashlib.file_digest(file, "sha256").hexdigest(), path=path)
    except OSError:
        return "can't be read"


def _sentence(words: str) -> str:
    """What is said of a row, which may repeat whatever stands in it."""
    words = plain(words)[:_MAX_WORDS]
    return words[:1].upper() + words[1:]
