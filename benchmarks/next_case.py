"""How long from the signing key to the next film on the screen, beside a bare WebGL draw of its pixels."""

import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer
from benchmarks.web import log_in, web_server

SIDES_PX = (1024, 3000)
NUM_RUNS = 15
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREEN = {"width": 1440, "height": 900}

IN_THE_BROWSER = Path(__file__).with_suffix(".js")
BARE_PAGE = (
    "<!doctype html><title>bare</title><style>canvas{width:900px;height:826px}</style><canvas></canvas>"
)


def run() -> list[Figure]:
    with private_installation() as home, web_server(home) as port:
        return [figure for side in SIDES_PX for figure in _figures(side, f"http://127.0.0.1:{port}")]


def _figures(side: int, url: str) -> list[Figure]:
    readings, pixels = _cases(side)
    ours, bare = _measure(side, url, readings, pixels)
    what = f"from the signing key to the next film of {side} x {side} pixels, painted"
    peer = "a bare WebGL upload and draw of the same pixels, painted"
    return [
        Figure(f"{what}: {name}", of(ours), "ms", Peer(f"{peer}: {name}", of(bare)), len(ours))
        for name, of in (("median", statistics.median), ("95th percentile", _percentile_95))
    ]


def _percentile_95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _cases(side: int) -> tuple[list[Any], bytes]:
    """Readings that are complete but for the signature, in order, and the first film's pixels."""
    import pydicom

    from deepmedix_review.reviews.models import Reading
    from deepmedix_review.reviews.study_services import create_reader_study
    from deepmedix_review.studies.selectors import film_path
    from tests.factories.accounts import ExpertFactory
    from tests.factories.reasoning import say
    from tests.factories.registry import ServingModelFactory
    from tests.factories.reviews import complete
    from tests.factories.studies import store_phantom

    version = ServingModelFactory.create()
    films = [store_phantom(seed=side + number, size=side) for number in range(NUM_RUNS + 1)]
    box = (side * 0.3, side * 0.5, side * 0.7, side * 0.8)
    for film in films:
        say(film, steps=[("The heart is enlarged.", [box])] * 5, answer="cardiomegaly", model_version=version)
    reader = ExpertFactory.create()
    studies = [film.study for film in films]
    create_reader_study(title=f"{side} pixels", studies=studies, readers=[reader], actor=None, seed=1)
    readings = list(Reading.objects.filter(assignment__reader=reader).order_by("assignment__position"))
    for reading in readings[:-1]:
        complete(reading)
    return readings, pydicom.dcmread(film_path(films[0])).pixel_array.astype("<u2").tobytes()


def _measure(side: int, url: str, readings: Sequence[Any], pixels: bytes) -> tuple[list[float], list[float]]:
    """Milliseconds of each run, ours and the bare draw's, in turns."""
    from playwright.sync_api import sync_playwright

    cookies = [cookie.split("=", 1) for cookie in log_in(readings[0].assignment.reader).split("; ")]
    uids = [str(reading.uid) for reading in readings]
    ours: list[float] = []
    bare: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=_arguments())
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


def _chromium() -> str:
    from deepmedix_review.config.processes import CannotStart

    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    raise CannotStart("This benchmark needs Chromium: install it (`apt install chromium`).")


def _arguments() -> list[str]:
    return ["--no-sandbox", "--disable-dev-shm-usage"] if sys.platform.startswith("linux") else []
