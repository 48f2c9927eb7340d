"""`python -m inference`: draws films and asks models, from a shell and without the platform."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from inference.command_line import run_command

# Name, what it does, and the module with `configure(parser)` and `run(options)`, which yields lines.
COMMANDS = {
    "generate": ("ask a model about DICOM films", "inference.generate_command"),
    "calibrate": ("find out in which frame a model writes its boxes", "inference.calibrate_command"),
    "presets": ("list the known models and how each is asked and read", "inference.presets_command"),
    "phantoms": ("write drawn chest films as DICOM, with what is on them", "inference.phantom_command"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    return run_command(COMMANDS, arguments, library="inference", description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
