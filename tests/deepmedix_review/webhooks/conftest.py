"""A receiver on this machine, which answers as a test says."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from deepmedix_client.webhooks import verified


@dataclass
class Receiver:
    """`answers` are given in turn, the last one for ever; `got` is each message with its headers."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    got: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def messages(self, secret: str) -> list[dict[str, Any]]:
        """As the package for researchers believes them."""
        return [verified(body, headers, secret) for body, headers in self.got]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.got.append((body, dict(self.headers)))
            status = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{told.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        settings.WEBHOOK_ORIGINS = [told.url]
        yield told
        server.shutdown()
        thread.join()
