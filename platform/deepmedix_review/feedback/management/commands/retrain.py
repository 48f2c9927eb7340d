"""`manage.py retrain`: a training run on a frozen data set, done by the learning worker."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404

from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.selectors import dataset_named
from deepmedix_review.feedback.tasks import request_training
from rl_feedback.counting import counted
from rl_feedback.engines.options import add_placement, placement_of
from rl_feedback.json_file import read_object
from rl_feedback.training.recipe import Recipe
from rl_feedback.training.stages import STAGES


class Command(BaseCommand):
    help = "Queue a training run from the serving model; its page shows how it goes and what the gate says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", help="uid of a frozen data set, or its title")
        parser.add_argument("--actor", required=True, help="user name of the researcher who does this")
        parser.add_argument(
            "--stage",
            choices=sorted(STAGES),
            help="one stage with the choices that it begins with; else corrections, then preferences",
        )
        parser.add_argument(
            "--recipe", type=Path, help='JSON file: {"stages": [{"kind": "dpo", "num_steps": 60}]}'
        )

        add_placement(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = account_named(options["actor"])
            recipe = _recipe(options["stage"], options["recipe"])
            run = request_training(
                dataset=dataset_named(actor, options["dataset"]),
                actor=actor,
                recipe=recipe,
                placement=placement_of(options),
            )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        except Http404 as absent:
            raise CommandError("There is no data set of that uid or title.") from absent
        self.stdout.write(f"{run.uid} queued: {counted(run.num_steps, 'step')} from {run.parent_version}")
        for number, stage in enumerate(run.recipe["stages"], 1):
            if stage.get("loss_because"):
                self.stdout.write(f"loss of stage {number}: {stage['loss_because']}")


def _recipe(stage: str | None, path: Path | None) -> Any:
    if stage and path:
        raise RefusedByRule("Choose a stage or a recipe, not both.")
    if stage:
        return Recipe.of(stage).as_json()
    if path is None:
        return None
    try:
        return Recipe.from_json(read_object(path)).as_json()
    except (OSError, ValueError) as error:
        raise RefusedByRule(f"The recipe can't be read: {error}") from error
