"""`manage.py erase`: one study or all of a patient, for good; `--dry-run` prints what would go."""

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.models import Erasure
from deepmedix_review.erasure.previewing import preview
from deepmedix_review.erasure.scope import patient_scope, study_scope
from deepmedix_review.erasure.selectors import erasure_for
from deepmedix_review.erasure.serializers import ErasureWithUsesJson, preview_json
from deepmedix_review.erasure.services import Asked, record_preview
from deepmedix_review.erasure.tasks import erase_claimed, request_erasure


class Command(BaseCommand):
    help = "Erase a study, or all of a patient, for good; prints as JSON what went and what had used it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--actor", required=True, help="user name of the admin who does this")
        of_what = parser.add_mutually_exclusive_group(required=True)
        of_what.add_argument("--study", type=UUID, metavar="UID", help="as the address of its page has it")
        of_what.add_argument("--patient", metavar="PSEUDONYM", help="P-…, as a study's page tells it")
        parser.add_argument("--dry-run", action="store_true", help="print what would go; nothing goes")
        parser.add_argument("--why", choices=Erasure.Why.values, help="needed unless --dry-run")
        parser.add_argument("--note", default="", help="why, in words, without names: they stay")
        parser.add_argument(
            "--confirm", default="", metavar="NAME", help="the name that --dry-run prints, typed again"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = account_named(options["actor"])
            scope = (
                study_scope(actor, options["study"])
                if options["study"]
                else patient_scope(actor, options["patient"])
            )
            if options["dry_run"]:
                self._print(preview_json(scope, preview(scope)))
                record_preview(scope, actor=actor)
                return
            if not options["why"]:
                raise CommandError(f"Say why: --why {' | '.join(Erasure.Why.values)}.")
            asked = Asked(why=options["why"], note=options["note"], confirmed=options["confirm"])
            erasure = request_erasure(scope, asked, actor=actor)
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        except Http404 as absent:
            raise CommandError("There is nothing of that name here. A study's page tells both.") from absent
        self._erase(erasure, actor=actor)

    def _erase(self, erasure: Erasure, *, actor: User) -> None:
        """Here, unless a worker was quicker."""
        claimed = jobs.claim(Erasure, job_id=erasure.pk)
        if claimed is not None:
            erase_claimed(claimed)
        found = erasure_for(actor, erasure.uid)
        if found.state == JobState.FAILED:
            raise CommandError(found.error)
        self._print(ErasureWithUsesJson(found).data)

    def _print(self, told: Any) -> None:
        self.stdout.write(json.dumps(told, default=str, indent=2))
