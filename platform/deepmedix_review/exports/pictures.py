"""The films that COCO boxes lie on, as pictures: some at once in a tar, out of which the archive has each."""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.db import connection
from PIL import Image

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.exports.scope import ALL_ROLES, CHOSEN, IN_USE, Group, Scope, Span, spans_of
from deepmedix_review.exports.table_parts import By, Table
from deepmedix_review.studies.dicomweb.rendering import encode
from deepmedix_review.studies.film_files import look_for_files
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.selectors import film_path
from inference.images import render_reference

# Asked of the database at once; a picture alone is in memory.
FILMS_AT_ONCE = 25
# Kept whole when a worker that died is followed by another: a minute's work.
SPANS_PER_PART = 4
LOOKED_FOR_AT_ONCE = 500
FOLDER = "pictures"
AWAY = "films, with their boxes, whose file is not there"
FILM_KEYS = f"""
SELECT DISTINCT co.instance_id FROM reasoning_completion co
WHERE co.id IN (SELECT unnest(ARRAY[r.completion_a_id, r.completion_b_id]) {CHOSEN} {IN_USE})
  AND co.instance_id > %(first_film)s AND co.instance_id <= %(last_film)s
  AND NOT co.instance_id = ANY(%(away)s)
ORDER BY co.instance_id"""
PICTURES_TABLE = Table(
    FOLDER,
    "the films as PNG, in 8 bits of grey and of their own size, as the reading room shows them at first; "
    "`file_name` of coco.json names them in this folder",
    (),
    FILM_KEYS,
    By.FILM,
)


@dataclass(frozen=True)
class FilmsNow:
    """`basis`: sha256 of which films it has, with what their files hold now; `away` have none to read."""

    basis: str = ""
    away: Sequence[int] = ()


def look_at_films(scope: Scope) -> FilmsNow:
    """Another basis once a film was withdrawn or let in, its text overwritten, or its file lost or found."""
    digest, away = hashlib.sha256(), list[int]()
    keys = iter(_keys(scope.values(ALL_ROLES)))
    while some := list(islice(keys, LOOKED_FOR_AT_ONCE)):
        films = list(Instance.objects.filter(pk__in=some).order_by("pk"))
        missing = look_for_files(films)
        away += sorted(missing)
        for film in films:
            digest.update(f"{film.pk} {film.file_sha256} {film.pk in missing}\n".encode())
    return FilmsNow(digest.hexdigest(), away)


def film_spans(scope: Scope, group: Group, *, away: Sequence[int]) -> list[Span]:
    """Of the group's films that can be read, each once, in the order of their keys."""
    return spans_of(FILM_KEYS, scope.values(group.roles, away=away), at_once=FILMS_AT_ONCE)


def part_name(folder: str, number: int) -> str:
    """Of a tar among an export's files: it has pictures of the folder under the names of the archive."""
    return f"{folder}/{FOLDER}-{number:05d}.tar"


def is_part(name: str) -> bool:
    return name.endswith(".tar") and f"/{FOLDER}-" in name


def pictures_in(part: Path) -> Iterator[tuple[str, bytes]]:
    """Each under its name in the archive."""
    with tarfile.open(part, mode="r:") as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is not None:
                yield member.name, content.read()


class PictureFiles:
    """A tar that grows by the films of some values."""

    def __init__(self, folder: str, file: IO[bytes], *, check: Callable[[], None]) -> None:
        self._folder, self._check = folder, check
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def append(self, values: Mapping[str, Any]) -> int:
        """The number of pictures. Raises RefusedByRule where a film can't be read."""
        num = 0
        for film in Instance.objects.filter(pk__in=_keys(values)).order_by("pk"):
            self._check()
            content = _picture(film)
            member = tarfile.TarInfo(f"{self._folder}/{FOLDER}/{film.sop_instance_uid}.png")
            member.size = len(content)
            self._tar.addfile(member, io.BytesIO(content))
            num += 1
        return num

    def close(self) -> None:
        self._tar.close()


def _picture(film: Instance) -> bytes:
    """As the DICOMweb server renders the film."""
    try:
        picture = Image.fromarray(render_reference(film_path(film)))
    except MemoryError:
        raise
    except Exception as error:
        # pydicom's parsers and the codec raise whatever they meet.
        raise RefusedByRule(
            f"The file of the film {film.sop_instance_uid} can't be read, so there is no picture of it. Have "
            "an admin restore it or put its study on hold, then ask again."
        ) from error
    return encode(picture, media_type="image/png", quality=100)


def _keys(values: Mapping[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(FILM_KEYS, values)
        return [key for (key,) in cursor.fetchall()]
