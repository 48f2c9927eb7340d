"""How much memory a browser needs to read case upon case of big films, beside a bare page that draws them."""

import statistics
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path
from typing import Any

from benchmarks.browser import browser
from benchmarks.films import readings_of_films
from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer
from benchmarks.web import log_in, web_server

SIDE_PX = 3000
NUM_CASES = 40
# The first cases fill caches that stay as they are from then on.
NUM_SETTLING = 10

IN_THE_BROWSER = Path(__file__).with_name("next_case.js")
BARE_PAGE = (
    "<!doctype html><title>bare</title><style>canvas{width:900px;height:826px}</style><canvas></canvas>"
)


def run() -> list[Figure]:
    from deepmedix_review.config.processes import CannotStart

    if not sys.platform.startswith("linux"):
        raise CannotStart("This benchmark reads a process's memory in /proc, which only Linux has.")
    with private_installation() as home, web_server(home) as port:
        readings, pixels = readings_of_films(SIDE_PX, num_films=NUM_CASES + 1)
        ours = _after_each_case(f"http://127.0.0.1:{port}", readings)
    bare = _after_each_draw(pixels)
    size = f"{SIDE_PX} x {SIDE_PX} pixels"
    film = Peer("the pixels of one film, by which a page grows that gives none back", len(pixels) / 1e6)
    return [
        Figure(
            f"the browser's memory while cases of {size} are read, median after {NUM_SETTLING} cases",
            statistics.median(ours[NUM_SETTLING:]),
            "MB",
            Peer(
                "the same of a bare page that uploads and draws as many films",
                statistics.median(bare[NUM_SETTLING:]),
            ),
            NUM_CASES,
        ),
        Figure(f"what it grows by a case of {size}", _slope(ours), "MB", film, NUM_CASES),
        Figure("what the bare page grows by a film", _slope(bare), "MB", film, NUM_CASES),
    ]


def _slope(megabytes: Sequence[float]) -> float:
    """Of one case, the median between every two of them (Theil and Sen): collections come and go."""
    settled = list(enumerate(megabytes))[NUM_SETTLING:]
    return statistics.median((b - a) / (at_b - at_a) for (at_a, a), (at_b, b) in combinations(settled, 2))


def _after_each_case(url: str, readings: Sequence[Any]) -> list[float]:
    """Megabytes while each case is on the screen and the next one ready behind it."""
    uids = [str(reading.uid) for reading in readings]
    megabytes = []
    with browser() as room:
        for cookie in log_in(readings[0].assignment.reader).split("; "):
            name, value = cookie.split("=", 1)
            room.send("Network.setCookie", name=name, value=value, url=url)
        room.send("Page.enable")
        room.send("Page.addScriptToEvaluateOnNewDocument", source=IN_THE_BROWSER.read_text("utf-8"))
        room.send("Page.navigate", url=f"{url}/readings/{uids[0]}/")
        for number, uid in enumerate(uids[1:]):
            if number > 0:
                room.press_ctrl_enter()
            room.wait_for(f"nextCase.isReady('{uid}')")
            megabytes.append(room.megabytes())
    return megabytes


def _after_each_draw(pixels: bytes) -> list[float]:
    megabytes = []
    with _page_of(pixels) as port, browser() as bare:
        bare.send("Page.enable")
        bare.send("Page.addScriptToEvaluateOnNewDocument", source=IN_THE_BROWSER.read_text("utf-8"))
        bare.send("Page.navigate", url=f"http://127.0.0.1:{port}/bare/")
        bare.wait_for("document.readyState === 'complete' && 'nextCase' in window")
        for _ in range(NUM_CASES):
            bare.evaluate(f"nextCase.prepareBare({SIDE_PX})")
            bare.evaluate("void (window.waiting = nextCase.drawn())")
            bare.press_ctrl_enter()
            drawn = bare.evaluate("waiting")
            if drawn["grey"] == 0:
                raise RuntimeError("The bare draw is black, so that it is no measure.")
            megabytes.append(bare.megabytes())
    return megabytes


@contextmanager
def _page_of(pixels: bytes) -> Iterator[int]:
    """The port of a server that knows the bare page and its pixels, and nothing else."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = ("text/html", BARE_PAGE.encode()) if self.path == "/bare/" else ("", pixels)
            self.send_response(200)
            self.send_header("Content-Type", kind or "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
