"""`python -m rl_feedback rewards`: scores a file of completions, one JSON line for each."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rl_feedback.rewards import NEWEST, VERSIONS, CaseTruth, grounded_reward, paper_reward


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="JSON lines with `completion`, `answer` and, where known, `regions`, `image_size`, "
        "`model_size`, `box_frame`, `step_scores`",
    )
    parser.add_argument("--reward", choices=["paper", *sorted(VERSIONS)], default=NEWEST.name)


def run(options: argparse.Namespace) -> Iterator[str]:
    """The rewards with their parts, in the file's order. Stops at the first line that can't be scored."""
    with options.data.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield json.dumps(_score(_row(line), options.reward))
            except ValueError as error:
                raise SystemExit(f"Line {number} of {options.data}: {error}") from error


def _row(line: str) -> dict[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict) or not isinstance(row.get("completion"), str):
        raise ValueError("each line must be a JSON object with `completion`, the text to score.")
    return row


def _score(row: dict[str, Any], reward: str) -> dict[str, Any]:
    truth = CaseTruth.from_columns(row)
    if reward == "paper":
        return dataclasses.asdict(paper_reward([row["completion"]], [truth.answer])[0])
    scores = row.get("step_scores")
    if scores is not None and not (
        isinstance(scores, list) and all(isinstance(score, int | float) for score in scores)
    ):
        raise ValueError("`step_scores` must be a list of one number for each step.")
    found = grounded_reward(
        [row["completion"]],
        [truth],
        step_scores=None if scores is None else [scores],
        version=VERSIONS[reward],
    )
    return dataclasses.asdict(found[0])
