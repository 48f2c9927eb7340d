"""`python -m rl_feedback worker FOLDER`: one of several processes that learn together on this machine, which
accelerate starts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from rl_feedback.engines.learning import learn
from rl_feedback.engines.packing import read_job


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="the job's folder")
    parser.add_argument("--attempt", type=int, required=True, help="its number, from 1")


def run(options: argparse.Namespace) -> Iterator[str]:
    job = read_job(options.folder)
    learn(job, job.teller(options.attempt))
    yield "through"
