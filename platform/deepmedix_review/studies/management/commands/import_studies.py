"""Brings a file, an archive or a folder of films in from the command line."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from deepmedix_review.accounts.management.actors import find_actor
from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.archives import receive_archive
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.intake.archives import is_archive
from deepmedix_review.studies.intake.profiles import PROFILE_HELP, PROFILES
from deepmedix_review.studies.models import ImportBatch, ImportItem, Study
from deepmedix_review.studies.services import receive_instance
from deepmedix_review.studies.status_codes import is_disk_full


class Command(BaseCommand):
    help = (
        "Import a DICOM, PNG or JPEG file, every file of a folder and the folders in it, and of zip and tar "
        "archives. Prints what became of each. Ends with 1 where a file was refused; one held for an admin's "
        "decision is no failure."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH")
        parser.add_argument("--actor", metavar="USERNAME", help="whose import it is, in the audit record")
        parser.add_argument("--profile", choices=list(PROFILES), default="", help=PROFILE_HELP)
        parser.add_argument(
            "--text-free",
            action="store_true",
            help="you answer for it that no name is written on any of these films, as in a public data set: "
            "nobody has to look at them first",
        )

    def handle(
        self, *args: Any, path: Path, actor: str | None, text_free: bool, profile: str, **options: Any
    ) -> None:
        user = find_actor(actor)
        files = _find_files(path)
        try:
            batch = start_import(actor=user, source=ImportBatch.Source.COMMAND, profile=profile)
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        outcomes: Counter[str] = Counter()
        unseen: set[int] = set()
        try:
            for where, item in _received(files, batch=batch, actor=user, is_text_free=text_free):
                outcomes[item.outcome] += 1
                if item.instance and item.instance.study.state == Study.State.UNSEEN:
                    unseen.add(item.instance.study.pk)
                study = f" {item.instance.study.label}" if item.instance else ""
                self.stdout.write(f"{where}: {item.outcome}{study} {item.reason}".rstrip())
        except OSError as error:
            if not is_disk_full(error):
                raise
            raise CommandError(
                f"The disk is full. {outcomes.total()} done, and stay so. Free some space, then run it "
                "again: films that are in are known again."
            ) from error
        told = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in ImportItem.Outcome.values)
        num_files = outcomes.total()
        self.stdout.write(f"{num_files} {'file' if num_files == 1 else 'files'}: {told}")
        if num_files and not (outcomes[ImportItem.Outcome.ACCEPTED] or outcomes[ImportItem.Outcome.HELD]):
            self.stdout.write("Nothing new: no film came that is not here already.")
        if unseen:
            self.stdout.write(
                f"{len(unseen)} {'study waits' if len(unseen) == 1 else 'studies wait'} to be looked at by "
                f"an admin, on {reverse('study-look')}, before anybody gets them."
            )
        if outcomes[ImportItem.Outcome.REFUSED]:
            raise SystemExit(1)


def _received(
    files: list[Path], *, batch: ImportBatch, actor: User | None, is_text_free: bool
) -> Iterator[tuple[str, ImportItem]]:
    """Each item, and where its file stands in what is brought in."""
    for number, file in enumerate(files, start=1):
        at = f"{number}/{len(files)}"
        if not is_archive(file):
            item = receive_instance(
                file, batch=batch, file_name=file.name, actor=actor, is_text_free=is_text_free
            )
            yield f"{at} {item.file_name}", item
            continue
        for part in receive_archive(
            file, batch=batch, file_name=file.name, actor=actor, is_text_free=is_text_free
        ):
            yield f"{at} {file.name}, {part.number}/{part.num_files} {part.item.file_name}", part.item


def _find_files(path: Path) -> list[Path]:
    """Links are left out, so that a folder can't reach out of itself; so are hidden files."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise CommandError(f"There is no file or folder {path}.")
    files = sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink() and p.name[0] != ".")
    if not files:
        raise CommandError(f"The folder {path} holds no file.")
    return files
