"""Keeps the samples of a run as JSON lines, each once however often the run was stopped."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from rl_feedback.training.figures import TakenSample

_WHICH = ("step", "kind", "film", "prompt")


def keep_sample(path: Path, sample: TakenSample) -> None:
    """In place of the same one that a stopped run had taken before."""
    row = asdict(sample)
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    others = [line for line in lines if any(json.loads(line)[name] != row[name] for name in _WHICH)]
    part = path.with_suffix(".part")
    part.write_text("\n".join([*others, json.dumps(row, sort_keys=True)]) + "\n", encoding="utf-8")
    part.rename(path)
