"""The parts of a running product: each is started, started again where it dies, and ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from deepmedix_review.config import postgres, redis_server
from deepmedix_review.config.embedded import redis_url, revive_postgres
from deepmedix_review.config.leftovers import remember
from deepmedix_review.config.processes import CannotStart, await_ready, spawn, stop, tail
from deepmedix_review.config.workers import WorkerCommand, worker_commands

HOST = "127.0.0.1"
READY_SECONDS = 120
# A task that needs longer is taken up again at the next start: its row is the job.
STOP_SECONDS = 4
MAX_RESTARTS = 5
# What ran for so long had started well: its end is a new one.
STEADY_SECONDS = 600


class Parts:
    """Of one running product, by name."""

    def __init__(self, home: Path, *, port: int, has_own_postgres: bool) -> None:
        self.home = home
        self.port = port
        self.has_own_postgres = has_own_postgres
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.num_restarts: dict[str, int] = {}
        self.restarted_at: dict[str, float] = {}
        self.is_web_awaited = False

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}/"

    def start_redis(self) -> None:
        if os.environ.get("REDIS_URL"):
            return
        if not redis_server.is_installed():
            say("No redis-server on this machine: messages go through files, each takes up to a second.")
            return
        self._start_own_redis()
        os.environ["REDIS_URL"] = redis_url(self.home)

    def start_web(self) -> None:
        self._start(
            "web",
            [
                *(
                    sys.executable,
                    "-m",
                    "granian",
                    "--interface",
                    "wsgi",
                    "--host",
                    HOST,
                    "--port",
                    str(self.port),
                ),
                *("--workers", "1", "--blocking-threads", "8", "--no-ws"),
                "deepmedix_review.config.wsgi:application",
            ],
            death_signal=signal.SIGTERM,
        )

    def start_workers(self) -> None:
        for worker in self._workers():
            self._start(worker.name, worker.command, death_signal=signal.SIGKILL)

    def await_web(self) -> None:
        await_ready(
            self._web_answers,
            process=self.processes["web"],
            name="The web server",
            log=self.log("web"),
            deadline_seconds=READY_SECONDS,
        )

    def watch(self) -> None:
        """Start again what died. Raises CannotStart where that does not help."""
        if self.has_own_postgres and not postgres.is_up(postgres.cluster_in(self.home)):
            self._revive_postgres()
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self._count_end(name, how=f"exit {process.returncode}")
                # Its children may still hold its port or its work.
                stop(process, patience_seconds=0)
                self._start_again(name)
        if self.is_web_awaited and self._web_answers():
            self.is_web_awaited = False
            say("The web server answers again.")

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            stop(process, patience_seconds=max(0.0, deadline - time.monotonic()))
        self.processes.clear()
        remember(self.home, {})

    def log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _workers(self) -> tuple[WorkerCommand, ...]:
        return worker_commands(self.home, has_cluster=bool(os.environ.get("RAY_ADDRESS")))

    def _count_end(self, name: str, *, how: str) -> None:
        now = time.monotonic()
        is_new = now - self.restarted_at.get(name, now) > STEADY_SECONDS
        self.num_restarts[name] = 1 if is_new else self.num_restarts.get(name, 0) + 1
        self.restarted_at[name] = now
        log = self.log(name)
        if self.num_restarts[name] > MAX_RESTARTS:
            raise CannotStart(
                f"The {name} process ended by itself again and again ({how}). "
                f"Its log {log} ends:\n{tail(log)}"
            )
        say(f"The {name} process ended by itself ({how}): starting it again. Its log is {log}")

    def _start_again(self, name: str) -> None:
        if name == "web":
            self.start_web()
            self.is_web_awaited = True
        elif name == "redis":
            self._start_own_redis()
        else:
            worker = next(w for w in self._workers() if w.name == name)
            self._start(name, worker.command, death_signal=signal.SIGKILL)

    def _revive_postgres(self) -> None:
        self._count_end("postgres", how="it no longer runs")
        try:
            revive_postgres(self.home)
        except CannotStart as error:
            # A killed server's sessions may live for a moment, and no other may start beside them.
            if self.num_restarts["postgres"] == MAX_RESTARTS:
                raise
            say(str(error))
        else:
            say("The database answers again.")

    def _start_own_redis(self) -> None:
        self._keep("redis", redis_server.start(self.home, death_signal=signal.SIGTERM))

    def _start(self, name: str, command: Sequence[str], *, death_signal: signal.Signals) -> None:
        self._keep(name, spawn(command, log=self.log(name), death_signal=death_signal, cwd=self.home))

    def _keep(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.processes[name] = process
        remember(self.home, self.processes)

    def _web_answers(self) -> bool:
        try:
            with urlopen(f"{self.address}healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError:
        # The terminal is gone; stopping must go on.
        pass
