"""Objects of DICOM, one for each reading and output, in a tar: as many as there are, in constant memory."""

import io
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any

from django.db import connection
from pydicom import Dataset

from deepmedix_review.common.errors import FileAway
from deepmedix_review.exports.dicom.marked import PREFETCHED, RELATED, Marked, marked_by
from deepmedix_review.exports.models import GSPS, SR
from deepmedix_review.exports.scope import CHOSEN, IN_USE, Scope
from deepmedix_review.exports.table_parts import By, Table
from deepmedix_review.reviews.models import Reading
from deepmedix_review.studies.dicomweb.film_file import read_film_file
from deepmedix_review.studies.film_files import film_file
from deepmedix_review.studies.models import Instance

# Readings with all that is said in them are in memory together.
AT_ONCE = 50
AWAY = "DICOM objects of films whose file is not there"
# A report without a measurement group is none (TID 1500, row 6), and a state without a region says nothing.
EMPTY = {
    SR: "structured reports of outputs in which no step and no answer could be read",
    GSPS: "presentation states of outputs without a region",
}
CHOSEN_KEYS = f"SELECT r.id {CHOSEN} {IN_USE} ORDER BY r.id"
REPORTS = Table(
    SR,
    "DICOM structured reports (TID 1500), one for each reading and output: a measurement group for each "
    "step, with its region in pixels of the film, its text, the reader's verdict, the model that wrote it",
    (),
    CHOSEN_KEYS,
    By.READING,
)
STATES = Table(
    GSPS,
    "DICOM presentation states, one for each reading and output with a region: outlines on the film and the "
    "step of each, in a layer for the model's, the kept, the rejected, the corrected and the reader's own",
    (),
    CHOSEN_KEYS,
    By.READING,
)
OBJECTS = {SR: REPORTS, GSPS: STATES}


class DicomFiles:
    """A tar of objects; `left_out` counts those that are not in it, by the reason."""

    def __init__(self, form: str, file: IO[bytes], *, scope: Scope, check: Callable[[], None]) -> None:
        self._form, self._scope, self._check = form, scope, check
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self.left_out: Counter[str] = Counter()

    def append(self, values: Mapping[str, Any]) -> int:
        """The number of objects."""
        keys = _keys(values)
        return sum(self._add(keys[place : place + AT_ONCE]) for place in range(0, len(keys), AT_ONCE))

    def close(self) -> None:
        self._tar.close()

    def _add(self, keys: Sequence[int]) -> int:
        num, headers = 0, dict[int, Dataset | None]()
        for marked in self._marked(keys):
            self._check()
            film = marked.film
            if film.pk not in headers:
                headers[film.pk] = _header(film)
            header = headers[film.pk]
            if header is None:
                self.left_out[AWAY] += 1
            elif not (marked.groups if self._form == SR else marked.has_regions):
                self.left_out[EMPTY[self._form]] += 1
            else:
                self._write(marked, header)
                num += 1
        return num

    def _marked(self, keys: Sequence[int]) -> Iterator[Marked]:
        readings = Reading.objects.filter(pk__in=keys).order_by("pk")
        for reading in readings.select_related(*RELATED).prefetch_related(*PREFETCHED):
            yield from marked_by(reading, secret=self._scope.secret)

    def _write(self, marked: Marked, header: Dataset) -> None:
        # highdicom takes half a second of each start: only who writes an export needs it.
        from deepmedix_review.exports.dicom.film import film_of
        from deepmedix_review.exports.dicom.presentation_state import presentation_state
        from deepmedix_review.exports.dicom.structured_report import structured_report

        make = {SR: structured_report, GSPS: presentation_state}[self._form]
        content = io.BytesIO()
        make(marked, film_of(header)).save_as(content, enforce_file_format=True)
        member = tarfile.TarInfo(f"{self._form}/{marked.name}.dcm")
        member.size = content.tell()
        content.seek(0)
        self._tar.addfile(member, content)


def _keys(values: Mapping[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(CHOSEN_KEYS, values)
        return [key for (key,) in cursor.fetchall()]


def _header(film: Instance) -> Dataset | None:
    """None where the film's file is away."""
    try:
        return read_film_file(film_file(film)).header
    except FileAway:
        return None
