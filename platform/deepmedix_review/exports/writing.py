"""Writes an export's archive: file by file, so that a worker that takes it up again keeps what is whole."""

import errno
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

from django.db import transaction

from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.exports.about_tables import CRITERIA
from deepmedix_review.exports.archive import MANIFEST, README, described, manifest_of, pack, readme_of
from deepmedix_review.exports.coco import BOXES, CocoFile
from deepmedix_review.exports.dicom_files import OBJECTS, DicomFiles
from deepmedix_review.exports.files import ENDINGS, TableFile, measure, open_file
from deepmedix_review.exports.folders import archive_path, parts_folder
from deepmedix_review.exports.models import COCO, CSV, DICOM, TABULAR, Export, WrittenFile
from deepmedix_review.exports.scope import (
    GROUPS,
    Group,
    Scope,
    Span,
    basis_of,
    case_spans,
    is_any_signature_under_way,
    left_out,
    reading_spans,
    scope_of,
)
from deepmedix_review.exports.services import end_of_archive, forget_parts
from deepmedix_review.exports.table_parts import By, Table
from deepmedix_review.exports.tables import tables_of

# How often the row learns of progress, and how long to wait for signatures that are under way, in seconds.
TELL_EVERY = 0.5
LOOK_EVERY = 0.1
LONGEST_WAIT = 120.0
MOST_TRIES = 3


@dataclass(frozen=True)
class Planned:
    """A file to write: which table, in which format, asked by which parts."""

    name: str
    table: Table
    form: str
    roles: Sequence[str]
    spans: Sequence[Span]

    @property
    def num(self) -> int:
        return sum(span.num for span in self.spans)


@dataclass
class Progress:
    """Of the whole export, told to its row now and then. Raises JobCancelled and LeaseLost."""

    export: Export
    check: Callable[[], None]
    num_done: int = 0
    num_rows: int = 0
    told_at: float = 0.0

    def add(self, *, num: int, num_rows: int) -> None:
        self.num_done += num
        self.num_rows += num_rows
        self.check()
        if time.monotonic() - self.told_at >= TELL_EVERY:
            self.tell()

    def tell(self, *, is_kept: bool = False, **more: object) -> None:
        jobs.heartbeat(self.export, is_kept=is_kept, num_done=self.num_done, num_rows=self.num_rows, **more)
        self.told_at = time.monotonic()


def write_archive(export: Export, *, check: Callable[[], None]) -> None:
    """Whole or not at all. Raises RefusedByRule with a sentence; what is no other worker's is cleaned up."""
    try:
        _Writing(export, check).run()
    except jobs.LeaseLost:
        raise
    except OSError as error:
        _clean_up(export)
        raise RefusedByRule(_said(error)) from error
    except Exception:
        _clean_up(export)
        raise


@dataclass
class _Writing:
    export: Export
    check: Callable[[], None]

    @cached_property
    def scope(self) -> Scope:
        return scope_of(self.export.reader_studies, as_of=self.export.as_of)

    @property
    def _tabular(self) -> list[str]:
        return [form for form in self.export.formats if form in TABULAR]

    def run(self) -> None:
        export = self.export
        self._await_signatures()
        for _ in range(MOST_TRIES):
            basis = basis_of(self.scope)
            files = self._write_files(basis)
            export.left_out = [*left_out(export.reader_studies, as_of=export.as_of), *_found_missing(files)]
            # A film that was withdrawn meanwhile is in no file.
            if basis_of(self.scope) == basis:
                return self._pack(files)
        raise RefusedByRule(
            "Films were withdrawn or let in again and again meanwhile. Ask for the export anew."
        )

    def _await_signatures(self) -> None:
        until = time.monotonic() + LONGEST_WAIT
        while is_any_signature_under_way(self.export.as_of):
            self.check()
            if time.monotonic() >= until:
                raise RefusedByRule(
                    "Something was written to the database all the time since before the moment you chose, "
                    "so what was signed by then is not certain. Ask again; if it stays so, an admin of the "
                    "database finds an open transaction in pg_stat_activity."
                )
            time.sleep(LOOK_EVERY)

    def _write_files(self, basis: str) -> list[WrittenFile]:
        export, planned = self.export, self._plan()
        kept = {one.name: one for one in export.written} if export.basis == basis else {}
        folder = parts_folder(export)
        export.basis, export.files = basis, {}
        progress = Progress(export, self.check)
        export.num_total = sum(one.num for one in planned)
        progress.tell(basis=basis, num_total=export.num_total)
        written = []
        for one in planned:
            before = kept.get(one.name)
            path = folder / one.name
            is_there = before and path.is_file() and measure(path).sha256 == before.sha256
            if before and is_there:
                progress.add(num=one.num, num_rows=before.num_rows)
                written.append(before)
            else:
                written.append(self._write(one, progress))
            export.files[one.name] = {
                name: value for name, value in vars(written[-1]).items() if name != "name"
            }
            progress.tell(is_kept=not is_there, files=export.files)
        return written

    def _write(self, planned: Planned, progress: Progress) -> WrittenFile:
        path = parts_folder(self.export) / planned.name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of a worker that was thought dead and goes on, nothing comes between.
        growing = path.with_name(f".{path.name}.{self.export.attempt}")
        num_rows = 0
        with growing.open("wb") as file:
            table_file = self._open(planned, file)
            for span in planned.spans:
                by_case = planned.table.by == By.CASE
                values = self.scope.values(
                    planned.roles, readings=None if by_case else span, cases=span if by_case else None
                )
                num = table_file.append(values)
                num_rows += num
                progress.add(num=span.num, num_rows=num)
            table_file.close()
        growing.replace(path)
        found = measure(path)
        return WrittenFile(
            planned.name,
            found.sha256,
            num_rows,
            found.num_bytes,
            self.export.attempt,
            dict(table_file.left_out) if isinstance(table_file, DicomFiles) else {},
        )

    def _open(self, planned: Planned, file: IO[bytes]) -> TableFile:
        if planned.form == COCO:
            return CocoFile(self.export, file)
        if planned.form in DICOM:
            return DicomFiles(planned.form, file, scope=self.scope, check=self.check)
        return open_file(planned.table, planned.form, file)

    def _plan(self) -> list[Planned]:
        """A group without a reading has no files."""
        planned = []
        for group in GROUPS:
            readings = reading_spans(self.scope, group)
            if not readings:
                continue
            spans = {By.READING: readings, By.CASE: case_spans(self.scope, group)}
            for table in tables_of(self.scope, group):
                planned += self._in_formats(table, group.folder, group, spans[table.by])
            if COCO in self.export.formats:
                name = f"{group.folder}/{BOXES.name}.json"
                planned.append(Planned(name, BOXES, COCO, group.roles, spans[BOXES.by]))
            for form in [form for form in self.export.formats if form in DICOM]:
                name = f"{group.folder}/{form}.tar"
                planned.append(Planned(name, OBJECTS[form], form, group.roles, spans[OBJECTS[form].by]))
        roles = [role for group in GROUPS for role in group.roles]
        everything = [Span(0, 0, 0)]
        for form in self._tabular:
            planned.append(Planned(f"{CRITERIA.name}{ENDINGS[form]}", CRITERIA, form, roles, everything))
        return planned

    def _in_formats(self, table: Table, folder: str, group: Group, spans: Sequence[Span]) -> list[Planned]:
        return [
            Planned(f"{folder}/{table.name}{ENDINGS[form]}", table, form, group.roles, spans)
            for form in self._tabular
            if form == CSV or not table.is_csv_alone
        ]

    def _pack(self, files: Sequence[WrittenFile]) -> None:
        export, path = self.export, archive_path(self.export)
        files = sorted(files, key=lambda one: one.name)
        data = next(iter(GROUPS))
        texts = {
            README: readme_of(export, described(list(tables_of(self.scope, data)))),
            MANIFEST: manifest_of(export, self.scope, files),
        }
        growing = path.with_name(f".{path.name}.{export.attempt}")
        pack(parts_folder(export), growing, texts=texts, files=files, check=self.check)
        with growing.open("rb+") as file:
            os.fsync(file.fileno())
        growing.replace(path)
        found = measure(path)
        with transaction.atomic():
            jobs.finish(
                export,
                state=JobState.DONE,
                sha256=found.sha256,
                archive_bytes=found.num_bytes,
                expires_at=end_of_archive(),
                left_out=export.left_out,
                num_done=export.num_total,
                num_rows=sum(one.num_rows for one in files),
            )
            record_event(
                actor=export.created_by,
                action="write_export",
                subject=export,
                details={"sha256": found.sha256, "num_files": len(files)},
            )
        forget_parts(export)


def _found_missing(files: Sequence[WrittenFile]) -> list[dict[str, Any]]:
    """What writing showed to be not there."""
    num_of: Counter[str] = Counter()
    for one in files:
        num_of.update(one.left_out)
    return [{"reason": reason, "num": num} for reason, num in sorted(num_of.items())]


def _clean_up(export: Export) -> None:
    """Nothing half-written stays."""
    forget_parts(export)
    archive_path(export).unlink(missing_ok=True)


def _said(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        kept = "The disk is full: the export was given up and nothing of it is kept."
        return f"{kept} Free some space, then ask again."
    return (
        f"The export could not be written ({os.strerror(error.errno or 0)}). An admin can look at its folder."
    )
