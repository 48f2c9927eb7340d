"""`python -m benchmarks` lists the benchmarks, `python -m benchmarks NAME` runs one, `--all` runs all."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.report import CannotRun, report


def names() -> list[str]:
    """The modules here that define `run()`."""
    modules = (
        path for path in Path(__file__).parent.glob("*.py") if "\ndef run() ->" in path.read_text("utf-8")
    )
    return sorted(path.stem for path in modules)


def purpose(name: str) -> str:
    return (import_module(f"benchmarks.{name}").__doc__ or "").strip().splitlines()[0]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("name", nargs="?", choices=names())
    chosen.add_argument("--all", action="store_true", help="run them all, one after the other")
    options = parser.parse_args(arguments)
    if options.name is None and not options.all:
        for name in names():
            print(f"{name:<14}{purpose(name)}")
        return 0
    chosen_names, not_run = names() if options.all else [options.name], []
    for name in chosen_names:
        try:
            print(report(name, import_module(f"benchmarks.{name}").run()), flush=True)
        except CannotRun as reason:
            not_run.append(f"{name} was not run: {reason}")
    for sentence in not_run:
        print(sentence, file=sys.stderr, flush=True)
    return 1 if len(not_run) == len(chosen_names) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
