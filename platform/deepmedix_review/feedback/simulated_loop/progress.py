"""Tells on a terminal how far the loop is, and how long the part at hand will still take."""

import time
from collections.abc import Callable

# A line for each would scroll everything else away.
SECONDS_BETWEEN_LINES = 5.0


class Progress:
    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def says(self, line: str) -> None:
        self._tell(line)

    def part(self, what: str) -> Callable[[int, int], None]:
        """Called with how many of how many are done; the time left is counted by what this call has seen."""
        began = told_at = time.monotonic()
        first: int | None = None

        def done(number: int, whole: int) -> None:
            nonlocal told_at, first
            now = time.monotonic()
            first = number - 1 if first is None else first
            is_last = number >= whole
            if not is_last and now - told_at < SECONDS_BETWEEN_LINES:
                return
            told_at = now
            left = (whole - number) * (now - began) / max(1, number - first)
            ends = "" if is_last else f", about {_time(left)} left"
            self._tell(f"{what}: {min(number, whole)} of {whole}{ends}")

        return done


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
