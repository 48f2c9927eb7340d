"""How long from the signing key to the next film on the screen, beside a bare WebGL draw of its pixels."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.browser import arguments, chromium
from benchmarks.films import readings_of_films
from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer
from benchmarks.web import log_in, web_server

SIDES_PX = (1024, 3000)
NUM_RUNS = 15

IN_THE_BROWSER = Path(__file__).with_suffix(".js")
BARE_PAGE = (
    "<!doctype html><title>bare</title><style>canvas{width:900px;height:826px}</style><canvas></canvas>"
)


def run() -> list[Figure]:
    with private_installation() as home, web_server(home) as port:
        return [figure for side in SIDES_PX for figure in _figures(side, f"http://127.0.0.1:{port}")]


def _figures(side: int, url: str) -> list[Figure]:
    readings, pixels = readings_of_films(side, num_films=NUM_RUNS + 1)
    ours, bare = _measure(side, url, readings, pixels)
    what = f"from the signing key to the next film of {side} x {side} pixels, painted"
    peer = "a bare WebGL upload and draw of the same pixels, painted"
    return [
        Figure(f"{what}: {name}", of(ours), "ms", Peer(f"{peer}: {name}", of(bare)), len(ours))
        for name, of in (("median", statistics.median), ("95th percentile", _percentile_95))
    ]


def _percentile_95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _measure(side: int, url: str, readings: Sequence[Any], pixels: bytes) -> tuple[list[float], list[float]]:
    """Milliseconds of each run, ours and the bare draw's, in turns."""
    from playwright.sync_api import sync_playwright

    cookies = [cookie.split("=", 1) for cookie in log_in(readings[0].assignment.reader).split("; ")]
    uids = [str(reading.uid) for reading in readings]
    ours: list[float] = []
    bare: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments())
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(120_000)
        context.add_init_script(path=IN_THE_BROWSER)
        context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies])
        room, peer = context.new_page(), context.new_page()
        peer.route("**/bare/", lambda route: route.fulfill(content_type="text/html", body=BARE_PAGE))
        peer.route("**/bare/pixels", lambda route: route.fulfill(body=pixels))
        peer.goto(f"{url}/bare/")
        peer.evaluate("side => nextCase.prepareBare(side)", side)
        room.goto(f"{url}/readings/{uids[0]}/")
        for uid in uids[1:]:
            ours.append(_next_case(room, uid))
            bare.append(_bare_draw(peer))
        browser.close()
    return ours, bare


def _next_case(room: Any, uid: str) -> float:
    room.bring_to_front()
    room.wait_for_function("uid => nextCase.isReady(uid)", arg=uid)
    behind = room.evaluate("() => nextCase.behind()")
    waiting = room.evaluate_handle("uid => ({result: nextCase.signed(uid)})", uid)
    room.keyboard.press("Control+Enter")
    seen = room.evaluate("waiting => waiting.result", waiting)
    if not seen["isVisible"] or seen["shown"] != behind or seen["asked"]:
        raise RuntimeError(f"The next film was not shown as it was made ready. Asked for: {seen['asked']}.")
    return float(seen["milliseconds"])


def _bare_draw(peer: Any) -> float:
    peer.bring_to_front()
    waiting = peer.evaluate_handle("() => ({result: nextCase.drawn()})")
    peer.keyboard.press("Enter")
    seen = peer.evaluate("waiting => waiting.result", waiting)
    if seen["grey"] == 0:
        raise RuntimeError("The bare draw is black, so that it is no measure.")
    return float(seen["milliseconds"])
