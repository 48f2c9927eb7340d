"""`manage.py learned_from`: which models have learned from a reader, a patient or a reading."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.http import Http404

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.learned.tracing import trace, uid_named
from deepmedix_review.feedback.serializers import TraceJson


class Command(BaseCommand):
    help = "Prints as JSON which models learned from it, by their own run or through their ancestors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=("reader", "patient", "reading"))
        parser.add_argument(
            "name",
            help="pseudonym of the reader (R-…) or of the patient (P-…), or the uid of the account, of a "
            "study of the patient, or of the reading",
        )
        parser.add_argument("--actor", required=True, help="user name of the person who asks")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = account_named(options["actor"])
            with transaction.atomic():
                uid = uid_named(options["kind"], options["name"])
                found, subject = trace(actor, kind=options["kind"], uid=uid)
                record_event(
                    actor=actor, action="trace_learning", subject=subject, details={"of": options["kind"]}
                )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        except Http404 as absent:
            raise CommandError(f"There is no {options['kind']} of that name.") from absent
        self.stdout.write(json.dumps(TraceJson(found).data, default=str, indent=2))
