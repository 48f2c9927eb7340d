"""Real Celery workers on the test database, which a test may kill and start again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deepmedix_review.config.processes import spawn, stop, tail
from deepmedix_review.config.workers import WorkerCommand, worker_commands

# A busy machine takes ten times as long as an idle one, and nothing else differs.
READY_SECONDS = 240
PATIENCE_SECONDS = 600


def wait_until(holds: Callable[[], Any], *, what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """The first truth that it gives; the test fails when it gives none for so long."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > deadline:
            pytest.fail(f"Waited {seconds:g} s in vain: {what}")
        time.sleep(0.1)
    return found


@dataclass
class Workers:
    """Named inference, learning, io and beat; cluster and further ones of a kind, inference-2 say, which a
    test starts and stops itself. Logs lie in the test home's `logs/`."""

    home: Path
    database_url: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, **env: str) -> None:
        """Start one that is down and wait until it takes work; `env` adds variables, LEASE_SECONDS say."""
        self._await_ready(name, self._spawn(name, **env))

    def kill(self, name: str) -> None:
        """kill -9: no farewell, no cleaning up."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> None:
        stop(self.processes.pop(name), patience_seconds=20)

    def restart(self, name: str, **env: str) -> None:
        self.stop(name)
        self.start(name, **env)

    def require_alive(self) -> None:
        """Fail the test, with the log's end, when one died by itself; start what a test left killed."""
        started: dict[str, int] = {}
        for command in worker_commands(self.home):
            process = self.processes.get(command.name)
            if process is None:
                started[command.name] = self._spawn(command.name)
            elif process.poll() is not None:
                log = self.log(command.name)
                del self.processes[command.name]
                pytest.fail(
                    f"The {command.name} worker died. Its log {log} ends:\n{tail(log)}", pytrace=False
                )
        for name, num_bytes_before in started.items():
            self._await_ready(name, num_bytes_before)

    def stop_all(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            stop(process, patience_seconds=20)
        self.processes.clear()

    def log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _command(self, name: str) -> WorkerCommand:
        kind, _, place = name.partition("-")
        found = next(c for c in worker_commands(self.home, has_cluster=True) if c.name == kind)
        if not place:
            return found
        named = tuple(part.replace(f"{kind}-", f"{name}-") for part in found.command)
        return WorkerCommand(name=name, command=named, ready_mark=found.ready_mark)

    def _spawn(self, name: str, **env: str) -> int:
        """Returns the log's length before."""
        command = self._command(name)
        log = self.log(name)
        num_bytes_before = log.stat().st_size if log.exists() else 0
        self.processes[name] = spawn(
            command.command,
            log=log,
            env={
                **os.environ,
                "DATABASE_URL": self.database_url,
                "PYTHONUNBUFFERED": "1",
                # Read anew at each pull: a test writes into it what its PACS is.
                "PACS_SOURCES": str(self.home / "pacs.toml"),
                **env,
            },
            death_signal=signal.SIGKILL,
        )
        return num_bytes_before

    def _await_ready(self, name: str, num_bytes_before: int) -> None:
        command, log, process = self._command(name), self.log(name), self.processes[name]
        deadline = time.monotonic() + READY_SECONDS
        while command.ready_mark not in log.read_bytes()[num_bytes_before:].decode(errors="replace"):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(
                    f"The {name} worker did not come up. Its log {log} ends:\n{tail(log)}", pytrace=False
                )
            time.sleep(0.05)
