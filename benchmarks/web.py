"""The platform's web server, and clients that ask it as a logged-in browser does."""

import http.client
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CSRF = "a" * 32


@dataclass(frozen=True)
class Address:
    port: int
    path: str
    cookies: str = ""


@contextmanager
def web_server(home: Path, **env: str) -> Iterator[int]:
    """The port of a granian as `make run` starts it; `env` adds settings."""
    from deepmedix_review.config.processes import await_ready, spawn, stop

    port = free_port()
    log = home / "logs" / "web.log"
    process = spawn(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
            *("--port", str(port), "--workers", "1", "--blocking-threads", "8", "--no-ws"),
            "deepmedix_review.config.wsgi:application",
        ],
        log=log,
        env={**os.environ, **env},
        death_signal=signal.SIGTERM,
    )
    try:
        await_ready(
            lambda: answers(port), process=process, name="The web server", log=log, deadline_seconds=60
        )
        yield port
    finally:
        stop(process, patience_seconds=10)


def log_in(account: object) -> str:
    """The cookies of a session for this account."""
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(account)  # type: ignore[arg-type]
    session = client.cookies["sessionid"].value
    return f"sessionid={session}; csrftoken={CSRF}"


def per_second(work: Callable[[int, int], None], *, num_clients: int, num_each: int) -> float:
    """Clients call `work(client, turn)` side by side; how many calls were answered in a second."""
    failures: list[BaseException] = []

    def go(client: int) -> None:
        try:
            for turn in range(num_each):
                work(client, turn)
        except BaseException as error:  # told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=go, args=(client,)) for client in range(num_clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return num_clients * num_each / (time.perf_counter() - begin)


def getter(addresses: Sequence[Address], *, num_bytes: int) -> Callable[[int, int], None]:
    """Each client gets its address over one kept connection and reads it whole."""
    connections = [http.client.HTTPConnection("127.0.0.1", a.port, timeout=60) for a in addresses]

    def get(client: int, turn: int) -> None:
        connections[client].request(
            "GET", addresses[client].path, headers={"Cookie": addresses[client].cookies}
        )
        answer = connections[client].getresponse()
        received = sum(len(part) for part in iter(lambda: answer.read(1 << 20), b""))
        if answer.status != 200 or received != num_bytes:
            raise RuntimeError(f"{addresses[client].path}: {answer.status}, {received} bytes")

    return get


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
