"""`manage.py erase_due`: what rules of retention let be kept no longer; `--dry-run` prints what would go."""

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.models import RetentionBatch
from deepmedix_review.erasure.retention import batches
from deepmedix_review.erasure.retention.page import batch_for, preview_batch
from deepmedix_review.erasure.retention.serializers import BatchWithStudiesJson, batch_preview_json
from deepmedix_review.erasure.tasks import request_batch


class Command(BaseCommand):
    help = (
        "Erase the studies that rules of retention let be kept no longer; prints as JSON what became of each."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--actor", required=True, help="user name of the admin who does this")
        parser.add_argument("--dry-run", action="store_true", help="print what would go; nothing goes")
        parser.add_argument(
            "--confirm", type=int, metavar="NUMBER", help="the num_studies that --dry-run prints, typed again"
        )
        parser.add_argument(
            "--as-of",
            type=_moment,
            help="due by this moment, ISO 8601, UTC unless it says otherwise; now unless named",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        as_of = options["as_of"] or timezone.now()
        try:
            actor = account_named(options["actor"])
            if options["dry_run"]:
                found = preview_batch(actor, as_of=as_of)
                batches.record_preview(found.num_studies, as_of=as_of, actor=actor)
                self._print(batch_preview_json(found))
                return
            if options["confirm"] is None:
                raise CommandError("Say how many: --confirm takes the num_studies that --dry-run prints.")
            batch = request_batch(batches.AskedBatch(options["confirm"], as_of=as_of), actor=actor)
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        # Here, unless a worker was quicker.
        jobs.carry_out(RetentionBatch, job_id=batch.pk, work=batches.erase_batch)
        done = batch_for(actor, batch.uid)
        if done.state == JobState.FAILED:
            raise CommandError(done.error)
        self._print(BatchWithStudiesJson(done).data)

    def _print(self, told: Any) -> None:
        self.stdout.write(json.dumps(told, default=str, indent=2))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
