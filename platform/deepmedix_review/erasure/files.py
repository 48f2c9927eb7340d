"""Which files go with studies, and deletes them once the rows are gone."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from django.conf import settings

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.erasure.models import Erasure, FileToDelete
from deepmedix_review.feedback.models import PreferenceDataset, TrainingRun
from deepmedix_review.feedback.runs.folders import run_folder
from deepmedix_review.studies.archive_imports.folders import archive_path
from deepmedix_review.studies.models import ArchiveImport, Instance, SentMessage, TextMasking
from deepmedix_review.studies.sent_messages.folders import message_folder
from deepmedix_review.studies.storage import film_path, picture_path

Folder = FileToDelete.Folder


def files_of(
    films: Sequence[Instance],
    *,
    archives: Sequence[ArchiveImport],
    messages: Sequence[SentMessage],
    sets: Sequence[PreferenceDataset],
) -> list[tuple[FileToDelete.Folder, str]]:
    """Each by its folder and its path below it. What a run learned from is written anew from the frozen set
    where it is tried again, without what is erased."""
    named = [
        *((Folder.RUNS, run_folder(run) / "data") for run in TrainingRun.objects.filter(dataset__in=sets)),
        *(
            (Folder.CLUSTER, _root(Folder.CLUSTER) / str(run.uid))
            for run in TrainingRun.objects.filter(dataset__in=sets)
        ),
        *((Folder.ARCHIVES, archive_path(archive)) for archive in archives),
        *((Folder.MESSAGES, message_folder(message)) for message in messages),
        *((Folder.FILMS, path) for film in films for path in (film_path(film), picture_path(film))),
        *((Folder.FILMS, path) for path in _of_maskings(films)),
    ]
    # Of a film, both even where one is missing now: it may come back with its folder.
    return [
        (folder, str(path.relative_to(_root(folder))))
        for folder, path in named
        if folder is Folder.FILMS or path.exists()
    ]


def _of_maskings(films: Sequence[Instance]) -> Iterator[Path]:
    """Of these films what a sweep has not deleted yet: those with text on them, and what failed maskings
    left."""
    now = {film.file_path for film in films}
    for masking in TextMasking.objects.filter(film__in=films):
        for path in {masking.original_path, masking.written_path} - now - {""}:
            stored = _root(FileToDelete.Folder.FILMS) / path
            yield from (stored, stored.with_suffix(".png"))


def delete_files(erasure: Erasure, *, on_deleted: Callable[[], None]) -> None:
    """Those that are left, one by one. Raises RefusedByRule where their folder is away, or one can't go."""
    left = FileToDelete.objects.filter(erasure=erasure).order_by("pk")
    for file in left:
        _require_there(Folder(file.folder))
        path = _root(Folder(file.folder)) / file.path
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise RefusedByRule(
                f"A file could not be deleted ({error.strerror}); its rows are gone, and nobody sees it. An "
                "operator looks at the rights of the folder, then try again: it goes on from here."
            ) from error
        file.delete()
        on_deleted()


def _require_there(folder: FileToDelete.Folder) -> None:
    """A volume that is away would take its files out of reach, and back with it one day. It is not there, or
    an empty folder is in its place."""
    root = _root(folder)
    if folder is Folder.FILMS and not (root.is_dir() and any(root.iterdir())):
        raise RefusedByRule(
            "The folder of films is away, so their files could not be deleted; their rows are gone, and "
            "nobody sees them. An operator brings the folder back, then try again: it goes on from here."
        )


def _root(folder: FileToDelete.Folder) -> Path:
    roots = {
        Folder.FILMS: settings.FILM_FOLDER,
        Folder.MESSAGES: settings.MESSAGE_FOLDER,
        Folder.ARCHIVES: settings.ARCHIVE_FOLDER,
        Folder.RUNS: settings.MODEL_FOLDER,
        Folder.CLUSTER: settings.RAY_SHARED_FOLDER,
    }
    return Path(roots[folder])
