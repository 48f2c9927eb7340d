"""`manage.py mask_text`: lines of print that are found on a film, and boxes of it overwritten for good."""

import json
from argparse import ArgumentTypeError
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404

from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.studies.masking.boxes import Box
from deepmedix_review.studies.masking.finding import find_text
from deepmedix_review.studies.masking.serializers import FoundTextSerializer, TextMaskingSerializer
from deepmedix_review.studies.models import TextMasking
from deepmedix_review.studies.selectors import film_for
from deepmedix_review.studies.tasks import request_masking, run_masking


class Command(BaseCommand):
    help = (
        "Tell where lines of print are found on a film, as JSON; with --box or --found, overwrite those "
        "boxes for good. Ends with 1 where they could not be."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("film", type=UUID, metavar="UID", help="of the film, as its page and API tell it")
        parser.add_argument("--actor", required=True, help="user name of the admin who does this")
        parser.add_argument(
            "--box",
            type=_box,
            action="append",
            default=[],
            metavar="LEFT,TOP,RIGHT,BOTTOM",
            help="whole pixels of the film; several times for several boxes",
        )
        parser.add_argument("--found", action="store_true", help="every box that is found, too")
        parser.add_argument(
            "--accept",
            action="store_true",
            help="the study is accepted with it: you looked at every film of it, and no other name is "
            "written on any",
        )

    def handle(self, *args: Any, film: UUID, **options: Any) -> None:
        try:
            actor = account_named(options["actor"])
            require(actor, Capability.DECIDE_HELD_STUDIES)
            instance = film_for(actor, film)
            boxes: list[Box] = list(options["box"])
            if options["found"] or not boxes:
                found = find_text(instance)
                record_event(actor=actor, action="view_film", subject=instance)
                if not options["found"]:
                    self._print(FoundTextSerializer({"boxes": [asdict(box) for box in found]}).data)
                    return
                boxes += found
            masking = request_masking(
                instance, boxes=boxes, accept=options["accept"], has_looked=options["accept"], actor=actor
            )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        except Http404 as absent:
            raise CommandError("There is no film of that UID here. Its study's page tells it.") from absent
        # Here, unless a worker was quicker.
        run_masking(masking.pk)
        masking = TextMasking.objects.get(pk=masking.pk)
        if masking.state == JobState.FAILED:
            raise CommandError(masking.error)
        self._print(TextMaskingSerializer(masking).data)

    def _print(self, told: Any) -> None:
        self.stdout.write(json.dumps(told, default=str, indent=2))


def _box(words: str) -> Box:
    try:
        left, top, right, bottom = (int(edge) for edge in words.split(","))
    except ValueError as error:
        raise ArgumentTypeError(
            f"{words!r} is no box: name its left, top, right and bottom edge in whole pixels, as "
            "10,20,300,45."
        ) from error
    return Box(left, top, right, bottom)
