"""How many ratings a second are saved, and for how much CPU, by 1 and 8 readers, beside a bare INSERT."""

import http.client
import json
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer
from benchmarks.web import CSRF, log_in, per_second, web_server

NUM_READERS = (1, 8)
NUM_EACH = {1: 300, 8: 100}
MOST_CPU_MS = 15.0
# Processes tell their CPU in ticks: fewer bare INSERTs than this takes are told as one tick.
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def run() -> list[Figure]:
    with private_installation() as home:
        readers = [_reader() for _ in range(max(NUM_READERS))]
        figures = []
        with web_server(home) as port:
            for number in NUM_READERS:
                figures += _measure(home, port, readers, number)
        return figures


def _measure(home: Path, port: int, readers: list[dict[str, Any]], number: int) -> list[Figure]:
    who = f"{number} reader{'s' if number > 1 else ''}"
    n = number * NUM_EACH[number]
    saver, inserter = _saver(port, readers), _inserter(number)
    saved = _timed(home, saver, number)
    inserted = _timed(home, inserter, number)
    bare = f"bare durable INSERT, {number} connection{'s' if number > 1 else ''}"
    return [
        Figure(
            what=f"ratings saved over HTTP by {who}",
            value=saved.per_second,
            unit="per second",
            peer=Peer(bare, inserted.per_second),
            n=n,
        ),
        Figure(
            what=f"CPU of web server and PostgreSQL for a rating, {who}",
            value=(saved.web_ms + saved.postgres_ms) / n,
            unit="ms",
            peer=Peer("the most that it may take", MOST_CPU_MS),
            n=n,
        ),
        Figure(
            what=f"of it PostgreSQL, {who}",
            value=saved.postgres_ms / n,
            unit="ms",
            peer=Peer(bare, max(inserted.postgres_ms, TICK_MS) / n),
            n=n,
        ),
    ]


@dataclass(frozen=True)
class Timed:
    per_second: float
    web_ms: float
    postgres_ms: float


def _timed(home: Path, work: Callable[[int, int], None], number: int) -> Timed:
    per_second(work, num_clients=number, num_each=10)
    web, postgres = _cpu_ms(_web_servers()), _cpu_ms(_postgres(home))
    rate = per_second(work, num_clients=number, num_each=NUM_EACH[number])
    return Timed(rate, _cpu_ms(_web_servers()) - web, _cpu_ms(_postgres(home)) - postgres)


def _web_servers() -> list[psutil.Process]:
    below = psutil.Process().children(recursive=True)
    return [process for process in below if "granian" in " ".join(process.cmdline())]


def _postgres(home: Path) -> list[psutil.Process]:
    """The postmaster, with what it reaped, and every process of its own."""
    postmasters = [
        psutil.Process(int(path.read_text("utf-8").split()[0])) for path in home.rglob("postmaster.pid")
    ]
    return [each for one in postmasters for each in (one, *one.children(recursive=True))]


def _cpu_ms(processes: Sequence[psutil.Process]) -> float:
    """User and system, of these and of the children that they have outlived."""
    return 1000 * sum(sum(process.cpu_times()[:4]) for process in processes)


def _reader() -> dict[str, Any]:
    """A reader with an open reading: cookies, address, and what their requests name."""
    from deepmedix_review.reasoning.models import ReasoningStep
    from tests.factories.reviews import an_open_reading, reader_of

    reading = an_open_reading()
    steps = ReasoningStep.objects.filter(completion=reading.completion_a)
    return {
        "cookies": log_in(reader_of(reading)),
        "address": f"/api/readings/{reading.uid}/changes/",
        "sop_instance_uid": reading.completion_a.instance.sop_instance_uid,
        "steps": [str(step.uid) for step in steps],
        "latest": {},
    }


def _saver(port: int, readers: list[dict[str, Any]]) -> Any:
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in readers]

    def save(client: int, turn: int) -> None:
        reader = readers[client]
        rating = {
            "step": reader["steps"][turn % len(reader["steps"])],
            "plausibility": 1 + turn % 5,
            "cannot_judge": False,
            "note": "",
        }
        body = {
            "change_id": str(uuid.uuid4()),
            "sop_instance_uid": reader["sop_instance_uid"],
            "kind": "rate_step",
            "payload": rating,
            # As the reading room sends it: the last change of the same step that it knows of.
            "seen": reader["latest"].get(rating["step"]),
        }
        headers = {"Content-Type": "application/json", "Cookie": reader["cookies"], "X-CSRFToken": CSRF}
        connections[client].request("POST", reader["address"], json.dumps(body), headers)
        answer = connections[client].getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {text[:300]!r}")
        reader["latest"][rating["step"]] = body["change_id"]

    return save


def _inserter(number: int) -> Any:
    """One INSERT and one COMMIT at a time, each on disk before the next."""
    import psycopg
    from django.db import connection

    parameters = connection.get_connection_params()
    where = {key: parameters[key] for key in ("host", "user", "dbname") if key in parameters}
    connections = [psycopg.connect(**where, autocommit=True) for _ in range(number)]
    connections[0].execute("CREATE TABLE IF NOT EXISTS bare (id uuid PRIMARY KEY, body jsonb)")

    def insert(client: int, turn: int) -> None:
        connections[client].execute(
            "INSERT INTO bare VALUES (%s, %s)", [uuid.uuid4(), json.dumps({"plausibility": turn})]
        )

    return insert
