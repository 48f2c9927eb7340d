"""`manage.py evaluate`: measures what versions wrote of a collection against its references."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.management.limit_options import add_limits, limits_of
from deepmedix_review.evaluation.measuring.planning import Wanted, plan_of
from deepmedix_review.evaluation.measuring.services import note_command, require_measurable
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.evaluation.tasks import judge_at_once
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Collection, CollectionVersion, Split

ALL_SIDES = "all"


class Command(BaseCommand):
    help = (
        "Measure what a version wrote of a collection's studies against their references; writes the same "
        "folder as `python -m rl_feedback evaluate`, without any report."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", type=int, required=True, help="number of the version")
        parser.add_argument("--beside", type=int, help="number of the version to set beside it")
        parser.add_argument("--collection", required=True, help="its name, small or capital letters alike")
        parser.add_argument("--collection-version", type=int, help="by default the newest")
        parser.add_argument("--side", choices=(*Split.values, ALL_SIDES), default=Split.TEST.value)
        parser.add_argument(
            "--against", choices=MetricRun.Against.values, default=MetricRun.Against.REPORT.value
        )
        parser.add_argument("--query", default="", help="by default what each version is usually asked")
        parser.add_argument(
            "--is-report-question",
            action="store_true",
            help="--query asks for a report, though none known here",
        )
        parser.add_argument(
            "--missing-is-wrong", action="store_true", help="count studies without an output as wrong"
        )
        parser.add_argument(
            "--judge", type=int, help="number of a version on a model server, for GREEN; it is sent reports"
        )
        add_limits(parser)
        parser.add_argument("--title", default="", help="of the page; by default version and collection")
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--out", type=Path, required=True, help="a new folder")
        parser.add_argument("--actor", required=True, help="user name of the researcher who does this")

    def handle(self, *args: Any, **options: Any) -> None:
        # With them come statistics, which other commands do without.
        from deepmedix_review.evaluation.measuring.running import measure_collection
        from rl_feedback.evaluation.printing.writing import require_new, write_report

        try:
            require_new(options["out"])
            actor = account_named(options["actor"])
            wanted = _wanted(options, actor=actor)
            plan = plan_of(wanted)
            report, _, judged = measure_collection(
                wanted, plan, judged_by=lambda found: judge_at_once(found, wanted)
            )
            note_command(wanted, actor=actor)
            page = write_report(report, options["out"])
        except (RefusedByRule, ValueError, OSError) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{len(plan.studies):,} of {plan.num_members:,} studies were measured.")
        for why, number in plan.left_out.items():
            self.stdout.write(f"Left out: {number:,} {why}.")
        if judged.stopped is not None:
            self.stdout.write(f"There is no GREEN: {judged.stopped}")
        self.stdout.write(f"The page: {page}")


def _wanted(options: dict[str, Any], *, actor: User) -> Wanted:
    version, collection = _version(options["model"]), _collection(options)
    wanted = Wanted(
        title=options["title"] or f"{version} {version.name}, {collection}",
        version=version,
        beside=None if options["beside"] is None else _version(options["beside"]),
        collection=collection,
        side="" if options["side"] == ALL_SIDES else options["side"],
        against=options["against"],
        query=options["query"],
        is_report_question=options["is_report_question"],
        is_missing_wrong=options["missing_is_wrong"],
        seed=options["seed"],
        judge=None if options["judge"] is None else _version(options["judge"]),
        limits=limits_of(options),
    )
    require_measurable(wanted, actor=actor)
    return wanted


def _version(number: int) -> ModelVersion:
    found = ModelVersion.objects.filter(number=number).first()
    if found is None:
        raise RefusedByRule(f"There is no version {number}. Models lists those that there are.")
    return found


def _collection(options: dict[str, Any]) -> CollectionVersion:
    name, number = options["collection"], options["collection_version"]
    collection = Collection.objects.filter(name__iexact=name).first()
    if collection is None:
        raise RefusedByRule(f"There is no collection {name}. Studies → Collections lists those that are.")
    versions = collection.versions.select_related("collection").order_by("-number")
    found = versions.first() if number is None else versions.filter(number=number).first()
    if found is None:
        raise RefusedByRule(f"{collection} has no version {number}.")
    return found
