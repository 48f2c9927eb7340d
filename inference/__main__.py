"""`python -m inference`: draws films and asks models, from a shell and without the platform."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from inference.refusals import EXIT_STATUS, REFUSALS, sentence_of

# Name, what it does, and the module with `configure(parser)` and `run(options)`, which yields lines.
COMMANDS = {
    "generate": ("ask a model about DICOM films", "inference.generate_command"),
    "phantoms": ("write drawn chest films as DICOM, with what is on them", "inference.phantom_command"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; only that command's module is imported. Status 2 where it can't do what was asked."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m inference", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (summary, module) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if given[:1] == [name]:
            importlib.import_module(module).configure(command)
    options = parser.parse_args(given)
    try:
        for line in importlib.import_module(COMMANDS[options.command][1]).run(options):
            print(line, flush=True)
    except REFUSALS as error:
        print(sentence_of(error), file=sys.stderr)
        return EXIT_STATUS
    return 0


if __name__ == "__main__":
    sys.exit(main())
