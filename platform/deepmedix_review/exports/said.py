"""Sentences that descriptions of exports share."""

from collections.abc import Mapping, Sequence
from typing import Any

PLATFORM = "DeepMedix Review"


def said_left_out(left_out: Sequence[Mapping[str, Any]]) -> str:
    """
    >>> said_left_out([{"reason": "readings of films that are held", "num": 2}])
    'Left out: readings of films that are held (2).'
    """
    if not left_out:
        return ""
    return "Left out: " + "; ".join(f"{one['reason']} ({one['num']})" for one in left_out) + "."
