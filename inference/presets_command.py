"""Prints which models are known, and how each is asked and read."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from inference.presets_said import said_presets


def configure(parser: argparse.ArgumentParser) -> None:
    """The command takes no options."""


def run(options: argparse.Namespace) -> Iterator[str]:
    """One line per model, as a table in Markdown."""
    yield said_presets()
