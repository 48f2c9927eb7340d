"""`manage.py freeze_dataset`: what readers have signed by now, frozen into training data."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.datasets.choosing import Wanted
from deepmedix_review.feedback.services import freeze_dataset
from rl_feedback.counting import counted


class Command(BaseCommand):
    help = "Freeze every signed reading into pairs and labels; prints the data set's uid and sha256."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("title")
        parser.add_argument("--actor", required=True, help="user name of the researcher who does this")

        parser.add_argument(
            "--reader-study", action="append", metavar="UID", help="only its readings; may be named again"
        )
        parser.add_argument(
            "--without",
            action="append",
            default=[],
            nargs=2,
            metavar=("PSEUDONYM", "REASON"),
            help="leave this reader out; the reason stays with the data set",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            studies = options["reader_study"]
            dataset = freeze_dataset(
                title=options["title"],
                actor=account_named(options["actor"]),
                wanted=Wanted(
                    reader_studies=None if studies is None else frozenset(studies),
                    left_out_readers=dict(options["without"]),
                ),
            )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{dataset.uid} {counted(dataset.num_readings, 'reading')}, "
            f"{counted(dataset.num_pairs, 'pair')}, {counted(dataset.num_labels, 'label')}, "
            f"sha256 {dataset.sha256}"
        )
