"""Copies the reward's own source into a bundle, so that a cluster scores with the very code used here."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

# The folder that holds the packages `rl_feedback` and `inference`.
ROOT = Path(__file__).resolve().parents[2]
OURS = ("rl_feedback", "inference")
REWARDS = "rl_feedback.rewards"


def copy_reward_code(folder: Path) -> None:
    """Every module that the rewards import, unaltered, at its own place below the folder."""
    for path in reward_files():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def reward_files() -> list[Path]:
    """The files of the rewards and of all of ours that they import, directly or not.

    >>> {path.name for path in reward_files()} >= {"grounded.py", "paper.py", "grounding.py"}
    True
    """
    found: set[Path] = set()
    waiting = [REWARDS]
    while waiting:
        path = _file_of(waiting.pop())
        if path is None or path in found:
            continue
        found.add(path)
        waiting += _imported(path)
        # Importing a module runs the packages that it lies in.
        module = path.relative_to(ROOT).parent
        waiting += [".".join(module.parts[:depth]) for depth in range(1, len(module.parts) + 1)]
    return sorted(found)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] in OURS)


def _file_of(module: str) -> Path | None:
    """None for a name that is a thing in a module and no module."""
    place = ROOT.joinpath(*module.split("."))
    return next((path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()), None)
