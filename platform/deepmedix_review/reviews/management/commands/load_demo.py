"""`manage.py load_demo`: a dozen drawn films, answered by the workers, on the expert's worklist."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.demo import load_demo


class Command(BaseCommand):
    help = "Load the demo content through the same services as any study; harmless when it is there already."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            load_demo(tell=self._tell)
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
