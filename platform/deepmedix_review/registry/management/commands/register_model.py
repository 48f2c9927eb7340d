"""Makes a downloaded model, such as DeepMedix-R1, a version of the platform."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.services import promote, register_model
from inference.presets import LOOP_PRESETS


class Command(BaseCommand):
    help = "Register a model folder (safetensors, config, tokenizer) as a version; its files are copied."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--preset", choices=sorted(LOOP_PRESETS), required=True, help="how it is asked and read"
        )
        parser.add_argument("--serve", action="store_true", help="let it serve at once, past the gate")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = register_model(
                folder=options["folder"], preset=LOOP_PRESETS[options["preset"]], card={}, actor=None
            )
            if options["serve"] and version.state != version.State.SERVING:
                promote(version, actor=None)
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{version} {version.name}: {version.state}")
