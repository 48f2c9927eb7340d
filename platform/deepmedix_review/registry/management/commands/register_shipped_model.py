"""Makes the model that comes with the project a version, and lets it serve where none does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.services import register_shipped_model


class Command(BaseCommand):
    help = "Register the model that comes with the project; harmless when it is registered already."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = register_shipped_model()
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{version} {version.name}: {version.state}")
