"""The choices of a placement as options of a command."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rl_feedback.engines.placement import ENGINES, SHARDINGS, Placement

_NAMES = ("engine", "num_workers", "gpus_per_worker", "sharding", "max_retries")


def add_placement(parser: argparse.ArgumentParser) -> None:
    default = Placement()
    parser.add_argument("--engine", choices=ENGINES, default=default.engine, help="where the run learns")
    parser.add_argument(
        "--workers",
        dest="num_workers",
        type=int,
        default=default.num_workers,
        help="processes that share each step's examples",
    )
    parser.add_argument(
        "--gpus-per-worker", type=int, default=default.gpus_per_worker, help="0 for processors alone, or 1"
    )
    parser.add_argument(
        "--sharding",
        choices=SHARDINGS,
        default=default.sharding,
        help="how weights are dealt to several GPUs",
    )
    parser.add_argument(
        "--max-retries",
        type=int,
        default=default.max_retries,
        help="how often what died is begun again from its last checkpoint",
    )


def placement_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON; `Placement.from_json` says what can't work."""
    return {name: options[name] for name in _NAMES}
