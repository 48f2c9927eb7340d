"""A real listener process on the test database, and a program that sends to it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pynetdicom import AE

from deepmedix_review.config.processes import await_ready, spawn
from tests.home import HOME, ROOT

READY_SECONDS = 240


@dataclass
class ListenerProcess:
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """As an installation starts it; returns when it listens."""
        self.port = _free_port()
        log = HOME / "logs" / f"listener-{self.port}.log"
        self.process = spawn(
            [sys.executable, str(ROOT / "manage.py"), "dicom_listener"],
            log=log,
            env={
                **os.environ,
                "DATABASE_URL": self.database_url,
                "DICOM_PORT": str(self.port),
                **self.settings,
            },
            death_signal=signal.SIGKILL,
        )
        await_ready(
            lambda: "Listening as" in self.log,
            process=self.process,
            name="The listener",
            log=log,
            deadline_seconds=READY_SECONDS,
        )

    @property
    def log(self) -> str:
        path = HOME / "logs" / f"listener-{self.port}.log"
        return path.read_text("utf-8") if path.exists() else ""

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Asked to; how it ended."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=120)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def call(
        self,
        contexts: Sequence[tuple[str, str]],
        *,
        called: str = "DEEPMEDIX",
        calling: str = "PACS",
    ) -> Any:
        """An association, wanted with these kinds of objects, each in one transfer syntax."""
        sender = AE(calling)
        for kind, syntax in dict.fromkeys(contexts):
            sender.add_requested_context(kind, syntax)
        return sender.associate("127.0.0.1", self.port, ae_title=called)


def contexts_of(*films: Dataset) -> list[tuple[str, str]]:
    return [(film.SOPClassUID, film.file_meta.TransferSyntaxUID) for film in films]


def send(listener: ListenerProcess, *paths: Path, **how: str) -> list[Any]:
    """Each film's status, with its comment where there is one."""
    films = [dcmread(path) for path in paths]
    association = listener.call(contexts_of(*films), **how)
    assert association.is_established
    try:
        return [association.send_c_store(film) for film in films]
    finally:
        association.release()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
