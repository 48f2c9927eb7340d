"""A Ray cluster for tests, of one node and those that a test adds, in a network of its own: nothing outside
reaches it but by one port of this machine."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from deepmedix_review.config.processes import tail

READY_SECONDS = 240
NUM_TRIES = 3
READY_MARK = "Ray runtime started."
# By it everything that the cluster started is found again, wherever its sessions are.
MARK = "DEEPMEDIX_TEST_CLUSTER"
GATE = Path(__file__).with_name("ray_gate.py")


class RayNode:
    """`address` is its job API. Ray's files, sockets among them, lie in a folder with a short name."""

    def __init__(self, *, num_cpus: int) -> None:
        self.folder = Path(mkdtemp(prefix="ray-"))
        self.log = self.folder / "node.log"
        # Ray gives itself 30 s to start its many processes, which a busy machine may need twice.
        for _ in range(NUM_TRIES):
            if self._starts(num_cpus):
                return
        said = tail(self.log)
        self.stop()
        pytest.fail(f"Ray did not come up: {said}", pytrace=False)

    def _starts(self, num_cpus: int) -> bool:
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        alone = ["unshare", "--net"] if _may_have_a_network() else []
        ports = [] if alone else [str(_free_port()) for _ in range(3)]
        descriptor = listener.fileno()
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")},
            MARK: str(self.folder),
            # Jobs are started by name: `python` is that of the tests.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RAY_USAGE_STATS_ENABLED": "0",
            "OMP_NUM_THREADS": "1",
            # Ray lets workers wait for whatever else a machine does.
            "RAY_worker_niceness": "0",
            # Each would be a process more.
            "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
            "RAY_TRAIN_METRICS_ENABLED": "0",
        }
        with self.log.open("wb") as output, listener:
            # The node holds the socket from now on: where that is gone, nobody answers.
            self._process = subprocess.Popen(
                [*alone, sys.executable, str(GATE), str(descriptor), str(self.folder), str(num_cpus), *ports],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[descriptor],
                cwd=self.folder,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end_processes()
                return False
            time.sleep(0.2)
        return True

    def stop(self) -> None:
        self._end_processes()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end_processes(self) -> None:
        """Kill what the cluster started: its descendants, and by the mark in their environment those whose
        parents are gone. Some of Ray's processes write their names over the mark."""
        for _ in range(3):
            for process in self._processes():
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
        self._process.wait()

    def add_node(self, *, num_cpus: int) -> None:
        """It takes work once it is up."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{num_cpus} {_free_port()}\n".encode())
        self._process.stdin.flush()

    def kill_node_of(self, worker: psutil.Process) -> None:
        """kill -9 the process that stands for the node: what ran there dies with it."""
        parent = worker.parent()
        assert parent is not None
        assert "raylet" in _name_of(parent)
        parent.kill()

    def jobs(self) -> list[psutil.Process]:
        """The processes that began the workers which learn now."""
        return [one for one in self._processes() if _name_of(one).startswith("python -m rl_feedback ray-job")]

    def workers(self) -> list[psutil.Process]:
        """Those that learn now: Ray names a process after what it does."""
        return [one for one in self._processes() if "RayTrainWorker" in _name_of(one)]

    def _processes(self) -> list[psutil.Process]:
        found: set[psutil.Process] = set()
        # A node that did not come up is gone, what it started may not be.
        with suppress(psutil.NoSuchProcess):
            found |= set(psutil.Process(self._process.pid).children(recursive=True))
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.folder):
                    found |= {process, *process.children(recursive=True)}
            except psutil.Error:
                continue
        return list(found)

    def _answers(self) -> bool:
        """The job API is up before the node that jobs run on."""
        if READY_MARK not in self.log.read_text("utf-8", errors="replace"):
            return False
        try:
            with urlopen(f"{self.address}/api/jobs/", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def _name_of(process: psutil.Process) -> str:
    """Empty where it is gone, as some of a cluster's always are."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _may_have_a_network() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
