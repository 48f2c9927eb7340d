"""The product starts, says where it is, and leaves no process behind, however it ends."""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from deepmedix_review.config.environment import NotPossible, require_not_running
from deepmedix_review.config.leftovers import end_leftovers, remember
from tests.home import ROOT

pytestmark = pytest.mark.installation

START_SECONDS = 150
STOP_SECONDS = 30


class Product:
    """A launcher in a home folder and at a port of its own, its lines as they come."""

    def __init__(self, home: Path, port: int, then: Sequence[str]) -> None:
        env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "deepmedix_review.config.launcher"),
                *("--port", str(port), "--no-demo", *then),
            ],
            cwd=ROOT,
            env={**env, "DEEPMEDIX_HOME": str(home)},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def await_line(self, part: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not any(part in line for line in self.seen):
            left = deadline - time.monotonic()
            assert left > 0, f"no line with {part!r}: {self.seen}"
            try:
                self.seen.append(self.lines.get(timeout=min(left, 1)))
            except queue.Empty:
                assert self.process.poll() is None, f"it ended before it said {part!r}: {self.seen}"

    def family(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)


@contextmanager
def _product(home: Path, *then: str) -> Iterator[tuple[Product, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    product = Product(home, port, then)
    try:
        yield product, port
    finally:
        product.process.kill()
        product.process.wait()


def _named(part: str, family: list[psutil.Process]) -> psutil.Process:
    """What ended just now has no command line any more, and is none of those that are looked for."""
    for process in family:
        with suppress(psutil.NoSuchProcess):
            if part in " ".join(process.cmdline()):
                return process
    raise AssertionError(f"no process runs {part}")


def _all_gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=STOP_SECONDS)
    return [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []


def test_it_starts_again_what_died_survives_its_own_kill_and_ends_everything_on_ctrl_c(home: Path) -> None:
    with _product(home) as (killed, port):
        killed.await_line("Ctrl-C stops everything")
        family = killed.family()
        names = " ".join(" ".join(p.cmdline()) for p in family)
        for part in ("postgres", "redis-server", "granian", "inference", "learning", "--queues io", "beat"):
            assert part in names
        assert urlopen(f"http://127.0.0.1:{port}/healthz").status == 200

        with _product(home) as (second, _):
            second.await_line(f"is running already, at http://127.0.0.1:{port}/, with the data in")
            assert second.process.wait(STOP_SECONDS) == 1
        with pytest.raises(NotPossible, match=f"running already, at http://127.0.0.1:{port}/"):
            require_not_running(home)

        for ends in ("granian", "redis-server", "postgres -D"):
            _named(ends, killed.family()).kill()
        for starts in ("The web server answers again.", "The redis process ended", "The database answers"):
            killed.await_line(starts)
        assert urlopen(f"http://127.0.0.1:{port}/healthz").status == 200
        family = killed.family()

        killed.process.send_signal(signal.SIGKILL)
        killed.process.wait()
        if sys.platform.startswith("linux"):
            assert _all_gone(family)
    logins = (home / "secrets" / "demo_logins.json").read_text("utf-8")

    with _product(home) as (again, _):
        again.await_line("Ctrl-C stops everything")
        family = again.family()
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(STOP_SECONDS) == 0
        assert _all_gone(family)
    with _product(home, "--then", "run_simulated_loop", "--rounds", "0") as (ending, _):
        ending.await_line("Ctrl-C stops everything")
        family = ending.family()
        assert ending.process.wait(START_SECONDS) == 1
        assert _all_gone(family)
    assert (home / "secrets" / "demo_logins.json").read_text("utf-8") == logins
    assert (home / "secrets" / "demo_logins.json").stat().st_mode & 0o077 == 0


def test_leftovers_are_ended_and_other_programs_with_the_same_number_are_not(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    left, other = _started(), _started("other")
    try:
        remember(tmp_path, {"left": left})
        _rename_in_the_book(tmp_path, of=left, to=other)
        assert end_leftovers(tmp_path) == []
        remember(tmp_path, {"left": left})
        threading.Thread(target=left.wait, daemon=True).start()
        assert end_leftovers(tmp_path) == [left.pid]
        assert other.poll() is None
    finally:
        for process in (left, other):
            process.kill()
            process.communicate()


def _started(*words: str) -> subprocess.Popen[bytes]:
    """A process that has said that it runs: for a moment after its start the system shows no command line."""
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    process.stdout.readline()
    return process


def _rename_in_the_book(home: Path, *, of: subprocess.Popen[bytes], to: subprocess.Popen[bytes]) -> None:
    book = home / "run" / "children.json"
    book.write_text(book.read_text("utf-8").replace(str(of.pid), str(to.pid)), "utf-8")
