"""`manage.py run_simulated_loop`: the whole loop with SIMULATED readers, and a report of what it gained."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.simulated_loop.rounds import run_loop
from deepmedix_review.feedback.simulated_loop.state import LoopPlan
from rl_feedback.json_file import read_object
from rl_feedback.simulated_readers import KINDS
from rl_feedback.training.recipe import Recipe


class Command(BaseCommand):
    help = (
        "SIMULATED readers rate the serving model on drawn films of the second site; the loop freezes, "
        "trains, gates and promotes. Needs the workers; a stopped run goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="of films, readers and design")
        parser.add_argument("--rounds", type=int, default=2)
        parser.add_argument("--readings", type=int, default=300, help="of each round")
        parser.add_argument("--kinds", choices=KINDS, default="all", help="what readers are asked for")

        parser.add_argument(
            "--drawn",
            type=int,
            default=1,
            help="of so many films the one is read on which the model's two samples differ most",
        )

        parser.add_argument(
            "--recipe",
            type=Path,
            help="a JSON file that stands in for the recipe of the kind, as `retrain --recipe` takes it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plan = LoopPlan(
                seed=options["seed"],
                num_rounds=options["rounds"],
                num_readings=options["readings"],
                kind=options["kinds"],
                drawn_per_film=options["drawn"],
                recipe=_recipe(options["recipe"]) if options["recipe"] else None,
            )
            run_loop(plan, tell=self._tell)
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _recipe(path: Path) -> dict[str, Any]:
    try:
        return Recipe.from_json(read_object(path)).as_json()
    except (OSError, ValueError) as error:
        raise RefusedByRule(f"The recipe can't be read: {error}") from error
