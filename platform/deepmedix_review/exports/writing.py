"""Writes an export's archive: file by file, so that a worker that takes it up again keeps what is whole."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import IO, Any

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.exports.about_tables import CRITERIA
from deepmedix_review.exports.archive import (
    MANIFEST,
    README,
    described,
    manifest_of,
    readme_of,
    told_of_files,
)
from deepmedix_review.exports.coco import BOXES, CocoFile
from deepmedix_review.exports.described_readings import croissant_of_readings
from deepmedix_review.exports.dicom.files import OBJECTS, DicomFiles
from deepmedix_review.exports.files import ENDINGS, TableFile, measure, open_file
from deepmedix_review.exports.finishing import MOST_TRIES, Progress, cleaned_up, finish_archive
from deepmedix_review.exports.folders import parts_folder
from deepmedix_review.exports.models import COCO, CSV, DICOM, PICTURES, TABULAR, Export, WrittenFile
from deepmedix_review.exports.pictures import (
    AWAY,
    PICTURES_TABLE,
    SPANS_PER_PART,
    FilmsNow,
    PictureFiles,
    film_spans,
    look_at_films,
    part_name,
)
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
from deepmedix_review.exports.sharing import write_data_set
from deepmedix_review.exports.table_parts import By, Table
from deepmedix_review.exports.tables import tables_of
from rl_feedback.croissant import CROISSANT

# How long to wait for signatures that are under way, in seconds.
LOOK_EVERY = 0.1
LONGEST_WAIT = 120.0


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


def write_archive(export: Export, *, check: Callable[[], None]) -> None:
    """Whole or not at all. Raises RefusedByRule with a sentence; what is no other worker's is cleaned up."""
    with cleaned_up(export):
        if export.data_set is None:
            _Writing(export, check).run()
        else:
            write_data_set(export, export.data_set, check=check)


@dataclass
class _Writing:
    export: Export
    check: Callable[[], None]
    films: FilmsNow = field(default_factory=FilmsNow)

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
            basis, planned = self._look(), self._plan()
            files = self._write_files(basis, planned)
            export.left_out = [
                *left_out(export.reader_studies, as_of=export.as_of),
                *_found_missing(files, films=self.films),
            ]
            # A film that was withdrawn meanwhile is in no file.
            if self._look() == basis:
                return self._pack(files, planned)
        raise RefusedByRule(
            "Films were withdrawn or let in again and again meanwhile. Ask for the export anew."
        )

    def _look(self) -> str:
        """sha256 of what it would be written of now."""
        basis = basis_of(self.scope)
        if PICTURES not in self.export.formats:
            return basis
        self.films = look_at_films(self.scope)
        return sha256(f"{basis} {self.films.basis}".encode()).hexdigest()

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

    def _write_files(self, basis: str, planned: Sequence[Planned]) -> list[WrittenFile]:
        export = self.export
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
                num = table_file.append(self._values(planned, span))
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

    def _values(self, planned: Planned, span: Span) -> dict[str, Any]:
        match planned.table.by:
            case By.CASE:
                return self.scope.values(planned.roles, cases=span, away=self.films.away)
            case By.FILM:
                return self.scope.values(planned.roles, films=span, away=self.films.away)
            case _:
                return self.scope.values(planned.roles, readings=span)

    def _open(self, planned: Planned, file: IO[bytes]) -> TableFile:
        if planned.form == COCO:
            return CocoFile(self.export, file)
        if planned.form == PICTURES:
            return PictureFiles(planned.name.partition("/")[0], file, check=self.check)
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
            if PICTURES in self.export.formats:
                planned += self._pictures(group)
            for form in [form for form in self.export.formats if form in DICOM]:
                name = f"{group.folder}/{form}.tar"
                planned.append(Planned(name, OBJECTS[form], form, group.roles, spans[OBJECTS[form].by]))
        roles = [role for group in GROUPS for role in group.roles]
        everything = [Span(0, 0, 0)]
        for form in self._tabular:
            planned.append(Planned(f"{CRITERIA.name}{ENDINGS[form]}", CRITERIA, form, roles, everything))
        return planned

    def _pictures(self, group: Group) -> list[Planned]:
        spans = film_spans(self.scope, group, away=self.films.away)
        return [
            Planned(
                part_name(group.folder, number),
                PICTURES_TABLE,
                PICTURES,
                group.roles,
                spans[first : first + SPANS_PER_PART],
            )
            for number, first in enumerate(range(0, len(spans), SPANS_PER_PART))
        ]

    def _in_formats(self, table: Table, folder: str, group: Group, spans: Sequence[Span]) -> list[Planned]:
        return [
            Planned(f"{folder}/{table.name}{ENDINGS[form]}", table, form, group.roles, spans)
            for form in self._tabular
            if form == CSV or not table.is_csv_alone
        ]

    def _pack(self, files: Sequence[WrittenFile], planned: Sequence[Planned]) -> None:
        export, of_name = self.export, {one.name: one for one in planned}
        files = sorted(files, key=lambda one: one.name)
        data = next(iter(GROUPS))
        readme = readme_of(export, described(list(tables_of(self.scope, data))))
        written = [(of_name[one.name].table, of_name[one.name].form, one) for one in files]
        croissant = croissant_of_readings(export, self.scope, written, texts={README: readme})
        texts = {README: readme, CROISSANT: croissant}
        told = told_of_files(parts_folder(export), files, check=self.check)
        manifest = manifest_of(export, self.scope, told, texts=texts)
        finish_archive(export, files, texts={**texts, MANIFEST: manifest}, check=self.check)


def _found_missing(files: Sequence[WrittenFile], *, films: FilmsNow) -> list[dict[str, Any]]:
    """What writing showed to be not there."""
    num_of: Counter[str] = Counter({AWAY: len(films.away)} if films.away else {})
    for one in files:
        num_of.update(one.left_out)
    return [{"reason": reason, "num": num} for reason, num in sorted(num_of.items())]
