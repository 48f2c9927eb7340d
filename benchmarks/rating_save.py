"""How many ratings a second are saved, at 1 and 8 readers, beside a bare durable INSERT."""

import http.client
import json
import uuid
from typing import Any

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer
from benchmarks.web import CSRF, log_in, per_second, web_server

NUM_READERS = (1, 8)
NUM_EACH = {1: 300, 8: 100}


def run() -> list[Figure]:
    with private_installation() as home:
        readers = [_reader() for _ in range(max(NUM_READERS))]
        figures = []
        with web_server(home) as port:
            for number in NUM_READERS:
                saver = _saver(port, readers)
                per_second(saver, num_clients=number, num_each=10)
                inserter = _inserter(number)
                figures.append(
                    Figure(
                        what=f"ratings saved over HTTP by {number} reader{'s' if number > 1 else ''}",
                        value=per_second(saver, num_clients=number, num_each=NUM_EACH[number]),
                        unit="per second",
                        peer=Peer(
                            f"bare durable INSERT, {number} connection{'s' if number > 1 else ''}",
                            per_second(inserter, num_clients=number, num_each=NUM_EACH[number]),
                        ),
                        n=number * NUM_EACH[number],
                    )
                )
        return figures


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
        }
        headers = {"Content-Type": "application/json", "Cookie": reader["cookies"], "X-CSRFToken": CSRF}
        connections[client].request("POST", reader["address"], json.dumps(body), headers)
        answer = connections[client].getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {text[:300]!r}")

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
