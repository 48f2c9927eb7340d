"""How long to wait before a server is asked again, and when not to."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Too much to do, or ill for a while (RFC 9110, 15.5.9, 15.6; RFC 6585, 4).
WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})
# Whatever a server asks for: a person waits for some of these.
LONGEST_WAIT_SECONDS = 60.0


def wait_seconds(num_tries: int, headers: Mapping[str, str], *, first: float) -> float:
    """Doubled at each try and scattered, so that many who were refused together do not come back together; at
    least as long as `Retry-After` says (RFC 9110, 10.2.3).

    >>> wait_seconds(1, {"Retry-After": "7"}, first=0.5)
    7.0
    """
    wait: float = first * 2 ** (num_tries - 1) * random.uniform(0.5, 1.0)
    return min(LONGEST_WAIT_SECONDS, max(wait, _retry_after(headers.get("Retry-After", ""))))


def _retry_after(told: str) -> float:
    """In seconds, from a number or a date; 0 for what is neither."""
    if told.strip().isdecimal():
        return float(told)
    try:
        when = parsedate_to_datetime(told)
    except (TypeError, ValueError):
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
