"""What every benchmark says at its end: one JSON object, the figure beside its peer's."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


class CannotRun(Exception):
    """This machine lacks what a benchmark measures; the message says what."""


@dataclass(frozen=True)
class Peer:
    """What the figure is held against: another program, another way, or a limit of the machine."""

    what: str
    value: float


@dataclass(frozen=True)
class Figure:
    """`ratio` is value / peer.value; `n` counts the runs or requests behind `value`."""

    what: str
    value: float
    unit: str
    peer: Peer
    n: int

    @property
    def ratio(self) -> float:
        return self.value / self.peer.value


def report(name: str, figures: Sequence[Figure]) -> str:
    rows = [{**asdict(figure), "ratio": figure.ratio} for figure in figures]
    return json.dumps({"benchmark": name, "figures": _rounded(rows), "machine": machine()})


def machine() -> dict[str, Any]:
    """Ratios travel between machines, absolute figures don't: so every report says where it was made, and how
    busy the machine was."""
    return {
        "processor": platform.processor() or platform.machine(),
        "system": platform.system(),
        "num_cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def median_seconds(work: Callable[[], object], *, num_runs: int) -> float:
    """After one run that warms up."""
    work()
    seconds = []
    for _ in range(num_runs):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
