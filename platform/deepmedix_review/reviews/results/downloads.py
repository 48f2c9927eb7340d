"""The tables of a reader study's results to take away: each as CSV, or all in one file with what each is."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.text import slugify

from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.results.dashboard import Dashboard
from deepmedix_review.reviews.results.figures import Cell, Figure, Table
from deepmedix_review.reviews.results.readme import readme_of
from deepmedix_review.reviews.results.rows import row_files

README, MANIFEST = "README.txt", "manifest.sha256"
# The zip leaves in pieces of about this size.
PIECE_BYTES = 64 * 1024


def file_stem(reader_study: ReaderStudy) -> str:
    """The title for people, and enough of the uid that no two studies are mixed up."""
    title = slugify(reader_study.title)[:40].strip("-") or "reader-study"
    return f"{title}-{str(reader_study.uid)[:8]}"


def file_name(reader_study: ReaderStudy, figure: Figure, form: str = "csv") -> str:
    """`form`: csv, or tex."""
    return f"{file_stem(reader_study)}-{figure.key}.{form}"


def csv_lines(table: Table) -> Iterator[str]:
    return csv_of(table.columns, table.rows)


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in (columns, *rows):
        writer.writerow([_plain(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def zip_pieces(reader_study: ReaderStudy, dashboard: Dashboard) -> Iterator[bytes]:
    """A zip with a README, the CSV of each figure that has a table, every reading and rating row by row, and
    the sha256 of all these, as `sha256sum --check` reads it.
    Made while it is sent; the same results give the same bytes."""
    leaving = _Leaving()
    named = {file_name(reader_study, figure): figure for figure in dashboard.figures() if figure.table.rows}
    by_row = row_files(reader_study)
    sums: list[str] = []
    with zipfile.ZipFile(leaving, "w", zipfile.ZIP_DEFLATED) as archive:
        readme = readme_of(reader_study, dashboard, named=named, by_row=by_row, manifest=MANIFEST)
        contents = {
            README: iter([readme]),
            **{name: csv_lines(one.table) for name, one in named.items()},
            **{one.name: csv_of(one.columns, one.rows()) for one in by_row},
        }
        for name, lines in contents.items():
            digest = hashlib.sha256()
            with archive.open(_member(name, dashboard), "w") as member:
                for line in lines:
                    content = line.encode()
                    digest.update(content)
                    member.write(content)
                    if leaving.num_bytes >= PIECE_BYTES:
                        yield leaving.take()
            sums.append(f"{digest.hexdigest()}  {name}\n")
        archive.writestr(_member(MANIFEST, dashboard), "".join(sums))
    yield leaving.take()


class _Leaving(io.RawIOBase):
    """What the zip writes, until it is taken away to be sent; nothing of it can be gone back to."""

    def __init__(self) -> None:
        self._written = bytearray()

    @property
    def num_bytes(self) -> int:
        return len(self._written)

    def write(self, content: Any, /) -> int:
        self._written += content
        return len(content)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _member(name: str, dashboard: Dashboard) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, dashboard.computed_at.timetuple()[:6])
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _plain(cell: Cell) -> Cell:
    """What a spreadsheet would take for a formula gets a leading apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip()[:1] in ("=", "+", "-", "@") else cell
