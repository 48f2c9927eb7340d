"""The background processes: one runs the model, one learns, one does the small work, one wakes them. Where a
cluster is named, one more follows what learns there."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

CELERY = (sys.executable, "-m", "celery", "--app", "deepmedix_review.config")
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO")


@dataclass(frozen=True)
class WorkerCommand:
    """`ready_mark`: what its log says when it takes work."""

    name: str
    command: tuple[str, ...]
    ready_mark: str


# Runs that are followed at once. Each waits for its cluster nearly all of the time.
NUM_FOLLOWED = 8


def worker_commands(home: Path, *, has_cluster: bool = False) -> tuple[WorkerCommand, ...]:
    """Solo pools for what holds a model: CUDA does not survive a fork, and one model fits a process."""
    schedule = ("--schedule", str(home / "celerybeat-schedule"), "--pidfile", "")
    return (
        _worker(home, name="inference", pool=("--pool", "solo")),
        _worker(home, name="learning", pool=("--pool", "solo")),
        _worker(home, name="io", pool=("--pool", "threads", "--concurrency", "4")),
        *([_following(home)] if has_cluster else []),
        WorkerCommand(
            name="beat",
            command=(*CELERY, "beat", *schedule, "--loglevel", "INFO"),
            ready_mark="beat: Starting...",
        ),
    )


def _following(home: Path) -> WorkerCommand:
    return _worker(home, name="cluster", pool=("--pool", "threads", "--concurrency", str(NUM_FOLLOWED)))


def _worker(home: Path, *, name: str, pool: tuple[str, ...]) -> WorkerCommand:
    installation = hashlib.sha256(str(home).encode()).hexdigest()[:8]
    hostname = f"{name}-{installation}@%h"
    return WorkerCommand(
        name=name,
        command=(*CELERY, "worker", "--queues", name, *pool, "--hostname", hostname, *QUIET),
        ready_mark=" ready.",
    )
