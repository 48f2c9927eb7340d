"""What a judge may cost, as options of a command."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

_LIMITS = {
    "requests_per_minute": int,
    "most_requests": int,
    "most_tokens": int,
    "most_cost": float,
    "price_of_prompt": float,
    "price_of_answer": float,
}


def add_limits(parser: CommandParser) -> None:
    for name, kind in _LIMITS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind)


def limits_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `rl_feedback.evaluation.arena.Limits` that were said."""
    return {name: options[name] for name in _LIMITS if options[name] is not None}
