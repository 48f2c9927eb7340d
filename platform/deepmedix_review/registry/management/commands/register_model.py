"""Makes a downloaded model, such as DeepMedix-R1, a version of the platform."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.services import promote, register_folder
from deepmedix_review.registry.wanted import WantedVersion
from inference.presets import PRESETS
from inference.regions import Frame


class Command(BaseCommand):
    help = "Register a model folder (safetensors, config, tokenizer) as a version; its files are copied."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--preset", choices=sorted(PRESETS), required=True, help="how it is asked and read"
        )
        parser.add_argument("--name", default="", help="what it is called here; by default as its preset")
        parser.add_argument("--licence", default="", help="where it is another than its preset's")
        parser.add_argument("--limits", default="", help="what that licence asks for or forbids")
        parser.add_argument("--box-frame", default="", choices=["", *Frame], help="other than its preset's")
        parser.add_argument("--temperature", type=float, help="other than its preset's")
        parser.add_argument("--max-new-tokens", type=int, help="other than its preset's")
        parser.add_argument("--hub-id", default="", help="where its files were fetched at Hugging Face")
        parser.add_argument("--hub-revision", default="", help="the commit there, 40 hexadecimal digits")
        parser.add_argument("--serve", action="store_true", help="let it serve at once, past the gate")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wanted = WantedVersion(**{field.name: options[field.name] for field in fields(WantedVersion)})
            registered = register_folder(
                folder=options["folder"],
                preset=wanted.settings(),
                card={},
                actor=None,
                fetched_from=wanted.fetched_from(),
            )
            version = registered.version
            if options["serve"] and version.state != version.State.SERVING:
                promote(version, actor=None)
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        if not registered.is_new:
            self.stdout.write(f"The same files, asked the same way, are {version} already.")
        self.stdout.write(f"{version} {version.name}: {version.state}")
