"""Runs the private Redis that wakes the workers, where the machine has a redis-server."""

import shutil
import signal
import subprocess
from pathlib import Path

from deepmedix_review.config.embedded import answers, redis_socket
from deepmedix_review.config.processes import await_ready, spawn


def is_installed() -> bool:
    return shutil.which("redis-server") is not None


def start(home: Path, *, death_signal: signal.Signals | None) -> subprocess.Popen[bytes]:
    """On a unix socket, in memory alone: messages are only wake-ups, so that nothing is lost with them.

    Raises CannotStart.
    """
    path = redis_socket(home)
    path.unlink(missing_ok=True)
    log = home / "logs" / "redis.log"
    process = spawn(
        [
            *("redis-server", "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no", "--dir", str(home / "run"), "--daemonize", "no"),
            *("--set-proc-title", "no"),
        ],
        log=log,
        death_signal=death_signal,
    )
    await_ready(lambda: answers(path), process=process, name="Redis", log=log, deadline_seconds=30)
    return process
