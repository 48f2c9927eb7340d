"""`manage.py import_completions`: what a model said elsewhere becomes a version that can be rated."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.recorded import import_recorded, read_file
from deepmedix_review.registry.wanted import WantedVersion
from inference.presets import PRESETS


class Command(BaseCommand):
    help = "Import completions made elsewhere: one JSON object a line, with image, model and text."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--preset", choices=sorted(PRESETS), required=True, help="how they are read")
        parser.add_argument("--model", default="", help="one of those in the file, where it holds several")
        parser.add_argument("--name", default="", help="what the version is called; by default as the model")
        parser.add_argument("--box-frame", default="", help="other than its preset's")
        parser.add_argument("--leave-out", action="store_true", help="what matches no film")
        parser.add_argument("--check", action="store_true", help="say what matches, and keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            if not file.is_file():
                raise RefusedByRule(f"There is no file {file}.")
            read = read_file(file, called=file.name, model=options["model"])
            for one in read.unmatched:
                self.stdout.write(f"{one.image}: {one.reason}")
            self.stdout.write(
                f"{len(read.matched)} completions of {read.model} match {read.num_films} films, "
                f"{read.num_unmatched} match none"
            )
            if read.repeats:
                self.stdout.write(read.repeats)
            if options["check"]:
                return
            done = import_recorded(
                file,
                called=file.name,
                model=options["model"],
                wanted=WantedVersion(options["preset"], name=options["name"], box_frame=options["box_frame"]),
                leaves_out=options["leave_out"],
                actor=None,
            )
        except RefusedByRule as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{done.version} {done.version.name}: {done.num_new} completions are new")
