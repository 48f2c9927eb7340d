"""`manage.py export_dataset`: signed readings in any format, or a frozen data set, in one archive."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.exports.folders import archive_path
from deepmedix_review.exports.models import CSV, FORMATS
from deepmedix_review.exports.services import (
    Asked,
    AskedDataSet,
    claim_new_export,
    delete_export,
    record_download,
)
from deepmedix_review.exports.tasks import write_claimed
from rl_feedback.counting import counted


class Command(BaseCommand):
    help = (
        "Write what readers have signed as tables, COCO boxes (with the pictures, if asked) or DICOM into a "
        "zip, or a frozen data set as a folder for Hugging Face's libraries; prints its sha256."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--actor", required=True, help="user name of the admin or researcher who does this"
        )
        parser.add_argument("--out", type=Path, required=True, help="a new file, ending in .zip")
        parser.add_argument("--use", required=True, help="what the data may be used for, a sentence")
        parser.add_argument(
            "--reader-study",
            action="append",
            type=UUID,
            metavar="UID",
            help="only this one; may be named again",
        )
        parser.add_argument(
            "--format", action="append", choices=FORMATS, help="csv unless named; may be named again"
        )
        parser.add_argument(
            "--data-set", type=UUID, metavar="UID", help="a frozen data set, whole, for Hugging Face and TRL"
        )
        parser.add_argument(
            "--as-of", type=_moment, help="ISO 8601, UTC unless it says otherwise; now unless named"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path = options["out"]
        if out.exists():
            raise CommandError(f"{out} is there already. Name a new file.")
        if not out.parent.is_dir():
            raise CommandError(f"There is no folder {out.parent}. Make it first.")
        try:
            actor = account_named(options["actor"])
            export = claim_new_export(_asked(options), actor=actor)
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        except Http404 as absent:
            raise CommandError("There is no data set of that uid; `freeze_dataset` prints it.") from absent
        write_claimed(export)
        export.refresh_from_db()
        if export.state != JobState.DONE:
            raise CommandError(export.error or "It was cancelled.")
        record_download(export, actor=actor)
        try:
            shutil.copyfile(archive_path(export), out)
        except OSError as error:
            out.unlink(missing_ok=True)
            raise CommandError(f"The archive could not be copied to {out}: {error.strerror}.") from error
        delete_export(export, actor=actor)
        self.stdout.write(
            f"{export.sha256} {counted(export.num_rows, 'row')}, as of {export.as_of.isoformat()}"
        )


def _asked(options: dict[str, Any]) -> Asked | AskedDataSet:
    if options["data_set"] is None:
        return Asked(
            data_use=options["use"],
            reader_studies=options["reader_study"],
            formats=options["format"] or [CSV],
            as_of=options["as_of"],
        )
    if options["reader_study"] or options["format"] or options["as_of"]:
        raise CommandError(
            "A frozen data set leaves whole. Leave --reader-study, --format and --as-of out, or --data-set."
        )
    return AskedDataSet(options["data_set"], options["use"])


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
