"""An archive of films, and one that is here already."""

import io
import tarfile
import zipfile
from pathlib import Path

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.archive_imports.receiving import begin_archive, take_archive
from deepmedix_review.studies.models import ArchiveImport, ImportItem
from tests.factories.accounts import AdminFactory
from tests.factories.studies import write_film

NO_FILM = "letter.pdf"


def films_of(folder: Path, *, num: int) -> dict[str, bytes]:
    """By name, films of as many patients."""
    made = {}
    for seed in range(1, num + 1):
        film = write_film(folder / "film.dcm", seed=seed, BurnedInAnnotation="NO")
        made[f"Doe^Jane/{seed}.dcm"] = film.read_bytes()
        film.unlink()
    return made


def zip_of(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def tar_of(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def begun(num_bytes: int, *, actor: User | None = None, name: str = "films.zip") -> ArchiveImport:
    return begin_archive(
        file_name=name, num_bytes=num_bytes, modified_ms=None, actor=actor or AdminFactory.create()
    )


def waiting(folder: Path, content: bytes, *, actor: User | None = None) -> ArchiveImport:
    """It is here, and waits for a worker."""
    path = folder / "sent"
    path.write_bytes(content)
    return take_archive(path, file_name="films.zip", actor=actor or AdminFactory.create())


def outcomes(job: ArchiveImport) -> list[tuple[int | None, str]]:
    """The place and the outcome of each file, in the order of the archive."""
    items = ImportItem.objects.filter(batch=job.batch).order_by("number")
    return list(items.values_list("number", "outcome"))
