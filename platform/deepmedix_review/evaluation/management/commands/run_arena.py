"""`manage.py run_arena`: lets a judge compare what versions wrote, and prints the run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.arena.wanted import RecordedFile, WantedRun
from deepmedix_review.evaluation.management.limit_options import add_limits, limits_of
from deepmedix_review.evaluation.tasks import request_arena
from deepmedix_review.registry.models import ModelVersion


class Command(BaseCommand):
    help = "Ask for a run of the Report Arena; a worker carries it out. Prints its uid."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("versions", type=int, nargs="+", help="numbers of the versions, two or more")
        parser.add_argument("--title", required=True)
        parser.add_argument(
            "--endpoint",
            default="",
            metavar="URL",
            help="where the judge's API begins; without a judge: a board of experts' votes alone",
        )
        parser.add_argument("--judge", default="", help="its name at that server, or of who judged elsewhere")
        parser.add_argument(
            "--judge-version", type=int, help="instead: number of a version whose weights are here"
        )
        parser.add_argument(
            "--recorded", type=Path, metavar="FILE", help="instead: judgements made elsewhere, JSON lines"
        )
        parser.add_argument(
            "--leave-out", action="store_true", help="recorded judgements that match no pair of the versions"
        )
        parser.add_argument("--revision", default="", help="release or hash of the judge's weights")
        parser.add_argument("--key-name", default="", help="SERVER/NAME, a file in ENDPOINT_KEY_FOLDER")
        parser.add_argument("--battles", type=int, default=200)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--actor", required=True, help="user name of the researcher who does this")
        add_limits(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        versions, file = _versions(options["versions"]), options["recorded"]
        judge = options["judge_version"]
        if file is not None and not file.is_file():
            raise CommandError(f"There is no file {file}.")
        try:
            run = request_arena(
                WantedRun(
                    title=options["title"],
                    versions=versions,
                    url=options["endpoint"],
                    served_model=options["judge"],
                    key_name=options["key_name"],
                    revision=options["revision"],
                    judge_version=None if judge is None else _versions([judge])[0],
                    recorded=file and RecordedFile(file, file.name, leaves_out=options["leave_out"]),
                    seed=options["seed"],
                    num_wanted=options["battles"],
                    limits=limits_of(options),
                ),
                actor=account_named(options["actor"]),
            )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{run.uid} waits for a worker; its board: Models → Report Arena.")


def _versions(numbers: Sequence[int]) -> list[ModelVersion]:
    found = list(ModelVersion.objects.filter(number__in=numbers).order_by("number"))
    missing = sorted(set(numbers) - {version.number for version in found})
    if missing:
        raise CommandError(f"There is no version {', '.join(map(str, missing))}.")
    return found
