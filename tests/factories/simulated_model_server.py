"""A SIMULATED model server: speaks the OpenAI chat protocol as vLLM does, and runs no model.

`python -m tests.factories.simulated_model_server` prints its port and serves. Words in the question decide
what it does: `[busy 2]` refuses twice with 429, `[ill 2]` with 503, `[cut 1]` ends the first stream in the
middle, `[garbage]` streams what is no JSON, `[page]` answers with a web page, `[error]` says so in the
stream, `[slow]` never goes on, `[mute]` never answers, `[away]` redirects, `[bad]` is refused with a
reason, `[filter]` is kept back, `[long]` goes on past any length, `[thinks]` gives its reasoning apart,
`[free]` writes without a shape unless it is held to one.
Where it is asked to compare two reports it always takes the first, and so does its judge
`first-place`; `longer` takes the longer report whatever it says, `coin` tosses one for each question.
Where it is asked to count, one finding fits and one is made up.
A number as argument is the port, so that a person may name it to an installation.
`GET /log` tells every request that came, as JSON.
"""

import json
import random
import re
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ANSWER = "<think> The heart is large [10, 20, 30, 40] </think> The answer is: \\boxed{big}"
MODEL = "deepmedix"
FIRST_PLACE, LONGER, COIN = "first-place", "longer", "coin"
SEED = 7


def _first_place(asked: str) -> str:
    return "A"


def _longer(asked: str) -> str:
    first, second = (len(asked.split(f"report_{which}>")[1].split()) for which in "AB")
    return "tie" if first == second else "A" if first > second else "B"


def _coin(asked: str) -> str:
    return random.Random(f"{SEED} {asked}").choice("AB")


JUDGES: dict[str, Callable[[str], str]] = {FIRST_PLACE: _first_place, LONGER: _longer, COIN: _coin}


def _verdict(asked: str, *, better: str) -> str:
    """In the shape that the question shows last."""
    shape: str = re.findall(r"\{.+\}", asked)[-1]
    return shape.replace('"better": "A"', f'"better": "{better}"')


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    num_now = 0
    num_most = 0
    lock = threading.Lock()
    forever = threading.Event()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        told = {"requests": self.log, "num_most": type(self).num_most, "num_now": type(self).num_now}
        self._send(200, json.dumps(told).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            type(self).num_now += 1
            type(self).num_most = max(self.num_most, self.num_now)
            self.log.append({"path": self.path, "key": self.headers.get("Authorization"), "body": body})
        try:
            self._answer(body)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            with self.lock:
                type(self).num_now -= 1

    def _answer(self, body: dict[str, Any]) -> None:
        content = body["messages"][0]["content"]
        asked = content if isinstance(content, str) else content[-1]["text"]
        if body["model"] not in (MODEL, *JUDGES):
            return self._refuse(404, f"The model `{body['model']}` does not exist.")
        if "[mute]" in asked:
            self.forever.wait()
        if "[away]" in asked:
            return self._send(307, b"", Location="http://169.254.169.254/v1/chat/completions")
        if "[bad]" in asked:
            return self._refuse(400, f"too long; key {self.headers.get('Authorization')} \x1b[31m")
        if "[page]" in asked:
            return self._send(200, b"<html>Welcome</html>\n\n", **{"Content-Type": "text/html"})
        for word, status in (("busy", 429), ("ill", 503)):
            if self._still(asked, word):
                return self._refuse(status, "later", **{"Retry-After": "0"})
        return self._stream(asked, body)

    def _still(self, asked: str, word: str) -> bool:
        """Whether this question has come at most as often as it says."""
        wanted = re.search(rf"\[{word} (\d+)\]", asked)
        if wanted is None:
            return False
        with self.lock:
            self.seen[asked + word] += 1
            return self.seen[asked + word] <= int(wanted[1])

    def _stream(self, asked: str, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        text = "big heart" if "[free]" in asked and "structured_outputs" not in body else ANSWER
        if asked.startswith("You compare two reports"):
            text = _verdict(asked, better=JUDGES.get(body["model"], _first_place)(asked))
        if asked.startswith("Compare a candidate chest X-ray report"):
            text = json.dumps({"matched": 1, "errors": {kind: int(kind == "a") for kind in "abcdef"}})
        words = re.findall(r"\S+\s*", text)
        if "[long]" in asked:
            words = ["heart " * 1000] * (body["max_tokens"] // 50 + 5)
        if "[thinks]" in asked:
            thought = " The heart [1, 2, 3, 4] "
            both = {"reasoning": thought, "reasoning_content": thought}
            self._event({"choices": [{"delta": both}]})
            words = ["\\boxed{big}"]
        for place, word in enumerate(words):
            self._event({"choices": [{"delta": {"content": word}, "finish_reason": None}]})
            if place == 1:
                if "[slow]" in asked:
                    self._wait_until_gone()
                if "[garbage]" in asked:
                    self._chunk(b"data: {nonsense\n\n")
                if "[error]" in asked:
                    self._event({"error": {"message": "out of memory", "code": 500}})
                if self._still(asked, "cut"):
                    self.close_connection = True
                    return
        reason = "content_filter" if "[filter]" in asked else "stop"
        self._event({"choices": [{"delta": {}, "finish_reason": reason}]})
        self._event({"choices": [], "usage": {"prompt_tokens": 300, "completion_tokens": len(words)}})
        self._chunk(b": a comment\r\n\r\ndata: [DONE]\r\n\r\n")
        self._chunk(b"")

    def _wait_until_gone(self) -> None:
        """As vLLM stops to write when nobody listens any more."""
        while self.connection.recv(1):
            pass
        raise ConnectionResetError

    def _event(self, told: dict[str, Any]) -> None:
        self._chunk(b"data: " + json.dumps(told).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _refuse(self, status: int, words: str, **headers: str) -> None:
        self._send(status, json.dumps({"error": {"message": words, "code": status}}).encode(), **headers)

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class SimulatedServer:
    """It in a process of its own; `kill` it at the end."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.factories.simulated_model_server"],
            cwd=Path(__file__).resolve().parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.origin = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def log(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.origin}/log") as answer:
            return dict(json.load(answer))

    def asked(self, words: str) -> list[dict[str, Any]]:
        """The requests whose question holds these words."""
        return [one for one in self.log()["requests"] if words in json.dumps(one["body"]["messages"])]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)  # noqa: T201
    server.serve_forever()
