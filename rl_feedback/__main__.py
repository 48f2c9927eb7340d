"""`python -m rl_feedback`: trains and measures models from a shell, without the platform."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

# Name, what it does, and the module with `configure(parser)` and `run(options)`, which yields lines.
COMMANDS = {
    "train-small-model": (
        "train the small model that ships with the project",
        "rl_feedback.small_model.train_command",
    ),
    "evaluate-small-model": (
        "measure a model on held-out drawn films",
        "rl_feedback.small_model.evaluate_command",
    ),
    "train-on-truth": (
        "show a model a site's truth: the ceiling that ratings are held against, never to serve",
        "rl_feedback.small_model.truth_command",
    ),
    "rewards": ("score a file of completions", "rl_feedback.rewards_command"),
    "dpo": ("retrain a model from a folder of preference pairs", "rl_feedback.dpo_command"),
    "gate": ("measure a candidate beside its parent and decide", "rl_feedback.gate_command"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; only that command's module is imported."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m rl_feedback", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (summary, module) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if given[:1] == [name]:
            importlib.import_module(module).configure(command)
    options = parser.parse_args(given)
    for line in importlib.import_module(COMMANDS[options.command][1]).run(options):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
