"""`manage.py retrain`: a training run on a frozen data set, done by the learning worker."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.selectors import dataset_for
from deepmedix_review.feedback.tasks import request_training


class Command(BaseCommand):
    help = "Queue a DPO run from the serving model; its page shows how it goes and what the gate says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", type=UUID, help="uid of a frozen data set")
        parser.add_argument("--actor", required=True, help="user name of the researcher who does this")
        parser.add_argument(
            "--config",
            type=Path,
            help="JSON file of settings: fields of rl_feedback.dpo_config.DpoConfig",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = account_named(options["actor"])
            config = _read(options["config"]) if options["config"] else None
            run = request_training(
                dataset=dataset_for(actor, options["dataset"]),
                actor=actor,
                config=config,
            )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        except Http404 as absent:
            raise CommandError("There is no data set of that uid; `freeze_dataset` prints it.") from absent
        self.stdout.write(f"{run.uid} queued: {run.num_steps} steps from {run.parent_version}")


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RefusedByRule(f"The settings can't be read: {error}") from error
    if not isinstance(config, dict):
        raise RefusedByRule('The settings must be one JSON object, such as {"num_steps": 60}.')
    return config
