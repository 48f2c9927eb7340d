"""`manage.py export_bundle`: a frozen data set as a bundle for EasyR1 on a cluster."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.handing_over.leaving import export_bundle, say_kept_back
from deepmedix_review.feedback.selectors import dataset_named
from rl_feedback.bundle import REWARDS
from rl_feedback.counting import counted


class Command(BaseCommand):
    help = "Write a bundle for the version that serves now and check it; prints its sha256."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", help="uid of a frozen data set, or its title")
        parser.add_argument("--actor", required=True, help="user name of the researcher who does this")
        parser.add_argument("--out", type=Path, required=True, help="a new folder")
        parser.add_argument("--reward", choices=REWARDS, default=REWARDS[0])

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = account_named(options["actor"])
            left = export_bundle(
                dataset_named(actor, options["dataset"]),
                out=options["out"],
                actor=actor,
                reward=options["reward"],
            )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        except Http404 as absent:
            raise CommandError("There is no data set of that uid or title.") from absent
        self.stdout.write(
            f"{left.sha256} for {left.parent_version}: {counted(left.num_train, 'case')}, "
            f"{left.num_validation} to validate on"
        )
        if left.num_kept_back:
            self.stdout.write(say_kept_back(left.num_kept_back))
