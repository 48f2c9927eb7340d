"""`manage.py run_arena`: lets a judge on a model server compare what versions wrote, and prints the run."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.arena.services import WantedRun
from deepmedix_review.evaluation.tasks import request_arena
from deepmedix_review.registry.models import ModelVersion

_LIMITS = {"requests_per_minute": int, "most_requests": int, "most_tokens": int, "most_cost": float}
_PRICES = ("price_of_prompt", "price_of_answer")


class Command(BaseCommand):
    help = "Ask for a run of the Report Arena; a worker carries it out. Prints its uid."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("versions", type=int, nargs="+", help="numbers of the versions, two or more")
        parser.add_argument("--title", required=True)
        parser.add_argument(
            "--endpoint",
            default="",
            metavar="URL",
            help="where the judge's API begins; left out with --judge: a board of experts' votes alone",
        )
        parser.add_argument("--judge", default="", help="its name at that server")
        parser.add_argument("--revision", default="", help="release or hash of the judge's weights")
        parser.add_argument("--key-name", default="", help="SERVER/NAME, a file in ENDPOINT_KEY_FOLDER")
        parser.add_argument("--battles", type=int, default=200)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--actor", required=True, help="user name of the researcher who does this")
        for name, kind in {**_LIMITS, **dict.fromkeys(_PRICES, float)}.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=kind)

    def handle(self, *args: Any, **options: Any) -> None:
        versions = list(ModelVersion.objects.filter(number__in=options["versions"]).order_by("number"))
        missing = sorted(set(options["versions"]) - {version.number for version in versions})
        if missing:
            raise CommandError(f"There is no version {', '.join(map(str, missing))}.")
        limits = {name: options[name] for name in (*_LIMITS, *_PRICES) if options[name] is not None}
        try:
            run = request_arena(
                WantedRun(
                    title=options["title"],
                    versions=versions,
                    url=options["endpoint"],
                    served_model=options["judge"],
                    key_name=options["key_name"],
                    revision=options["revision"],
                    seed=options["seed"],
                    num_wanted=options["battles"],
                    limits=limits,
                ),
                actor=account_named(options["actor"]),
            )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{run.uid} waits for a worker; its board: Models → Report Arena.")
