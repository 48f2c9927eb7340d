"""A real web server process on the test database, which a test may kill and start again at its address."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from deepmedix_review.config.processes import await_ready, spawn, stop
from tests.workers import wait_until

READY_SECONDS = 240


@dataclass
class WebServer:
    home: Path
    database_url: str
    port: int = field(default_factory=lambda: _free_port())
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """As the product starts it; returns when it answers."""
        log = self.home / "logs" / "web.log"
        self.process = spawn(
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
                *("--port", str(self.port), "--workers", "1", "--blocking-threads", "4", "--no-ws"),
                "deepmedix_review.config.wsgi:application",
            ],
            log=log,
            env={**os.environ, "DATABASE_URL": self.database_url, "PYTHONPATH": os.pathsep.join(sys.path)},
            death_signal=signal.SIGKILL,
        )
        await_ready(
            self._answers,
            process=self.process,
            name="The web server",
            log=log,
            deadline_seconds=READY_SECONDS,
        )

    def kill(self) -> None:
        """kill -9 of the server and its workers: no farewell, no cleaning up."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            # A worker that takes its memory down holds the port a moment longer than the server lives.
            wait_until(lambda: not self._answers(), what="the killed server's port is free")
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process, patience_seconds=10)
        self.process = None

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
