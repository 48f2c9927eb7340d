"""Where films lie on disk: each file is named by its own content, and is whole or absent."""

import hashlib
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from deepmedix_review.common.disk import require_room, sync
from deepmedix_review.studies.models import Instance

# Longer than anything takes between two writes; short, since what came in may name a patient.
LEFTOVER_SECONDS = 3600


@dataclass(frozen=True)
class StoredFilm:
    """`path` is relative to settings.FILM_FOLDER."""

    path: str
    num_bytes: int
    sha256: str


def store_film(
    write: Callable[[Path], None],
    *,
    picture: Path,
    announce: Callable[[StoredFilm], None] = lambda stored: None,
) -> StoredFilm:
    """Keep what `write` writes, and the small picture beside it.

    Written elsewhere, synced, then renamed: a crash leaves nothing under a film's name that is not the whole
    film. One that no row names, after a crash before the commit, is replaced by itself when it is sent again.
    Raises OSError where the disk is full but for what is left to the database. `announce`: told what it will
    be called, before anything is.
    """
    incoming = settings.FILM_FOLDER / "incoming" / uuid.uuid4().hex
    incoming.parent.mkdir(parents=True, exist_ok=True)
    require_room(incoming.parent)
    try:
        write(incoming)
        with incoming.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        stored = StoredFilm(f"{sha256[:2]}/{sha256}.dcm", incoming.stat().st_size, sha256)
        target = settings.FILM_FOLDER / stored.path
        announce(stored)
        target.parent.mkdir(exist_ok=True)
        _place(picture.read_bytes(), target.with_suffix(".png"))
        sync(incoming)
        incoming.replace(target)
        sync(target.parent)
    finally:
        incoming.unlink(missing_ok=True)
    return stored


def delete_film(path: str) -> None:
    """The display film of this path below settings.FILM_FOLDER, and its small picture."""
    film = Path(settings.FILM_FOLDER / path)
    for each in (film, film.with_suffix(".png")):
        each.unlink(missing_ok=True)
    if film.parent.is_dir():
        sync(film.parent)


def clear_leftovers() -> None:
    """What a process that was killed left half-done, an hour after it was last written to."""
    before = time.time() - LEFTOVER_SECONDS
    folders = (settings.FILM_FOLDER / "incoming", settings.UPLOAD_FOLDER)
    for path in (path for folder in folders if folder.is_dir() for path in folder.iterdir()):
        try:
            if _last_written(path) > before:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        except FileNotFoundError:
            continue  # another process cleared it first


def _last_written(path: Path) -> float:
    """Of a folder the newest of what is in it: a file that grows does not touch its folder."""
    return max(each.lstat().st_mtime for each in (path, *path.rglob("*")))


def film_path(instance: Instance) -> Path:
    """Of the display film, on this machine's disk."""
    return Path(settings.FILM_FOLDER / instance.file_path)


def picture_path(instance: Instance) -> Path:
    """Of the film's small PNG, at most 512 pixels a side."""
    return film_path(instance).with_suffix(".png")


def _place(content: bytes, target: Path) -> None:
    incoming = settings.FILM_FOLDER / "incoming" / uuid.uuid4().hex
    incoming.write_bytes(content)
    sync(incoming)
    incoming.replace(target)
