"""`manage.py import_returned`: a model that was trained on a bundle comes back as a candidate."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.handing_over.returning import import_returned


class Command(BaseCommand):
    help = "Check the folder that a bundle's launch.sh left, register it, and bring it before the gate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="with the model, manifest.json and metrics.json")
        parser.add_argument("--actor", required=True, help="user name of the researcher who does this")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            candidate = import_returned(options["folder"], actor=account_named(options["actor"]))
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{candidate} is a candidate of {candidate.parent}; the gate measures it.")
