"""Runs one of the commands of a library from a shell; what it can't do is said in a sentence."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence

from inference.engines import EngineError

# What a missing or unreadable file, a wrong value or a model that can't be loaded is told by.
REFUSALS = (ValueError, OSError, EngineError)
# As argparse ends where it can't read the command line.
EXIT_STATUS = 2
# As a shell ends what Ctrl-C ended.
STOPPED_STATUS = 130


def run_command(
    commands: Mapping[str, tuple[str, str]],
    arguments: Sequence[str] | None,
    *,
    library: str,
    description: str | None,
) -> int:
    """Run one of `commands`: by name what it does, and the module with `configure(parser)` and
    `run(options)`, which yields lines. Only that command's module is imported. Status 2 where it can't do
    what was asked, 130 where a person stopped it."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog=f"python -m {library}", description=description)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (summary, module) in commands.items():
        command = subparsers.add_parser(name, help=summary, description=summary)
        if given[:1] == [name]:
            importlib.import_module(module).configure(command)
    options = parser.parse_args(given)
    try:
        for line in importlib.import_module(commands[options.command][1]).run(options):
            print(line, flush=True)
    except REFUSALS as error:
        print(sentence_of(error), file=sys.stderr)
        return EXIT_STATUS
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED_STATUS
    return 0


def sentence_of(error: Exception) -> str:
    """What is wrong; of what the system refuses, with the file's name and without its number.

    >>> sentence_of(FileNotFoundError(2, "No such file or directory", "films.jsonl"))
    'films.jsonl: No such file or directory'
    """
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
