"""A region lies where the film says, whatever the zoom, the shape of the film's pixels and the screen's."""

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from pydicom import dcmread

from deepmedix_review.reviews.models import Reading, RegionAnnotation
from deepmedix_review.reviews.study_services import create_reader_study
from tests.browser import open_as
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import receive, write_film

ROWS, COLUMNS = 240, 200
# What is bright in the film, and what the model points at: left, top, right, bottom, in film pixels.
BLOCK = (60, 80, 120, 170)
# CSS pixels between an outline and the edge of what it encloses: less than a screen's pixel of either kind.
MAX_OFF = 0.3
CANVAS = "stage => stage.querySelector('.film-canvas canvas').toDataURL('image/png')"
AFTER_TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"

Edges = NDArray[np.float64]


@dataclass
class Desk:
    page: Page
    stage: Locator
    pixel_ratio: int

    def edges_on_canvas(self) -> Edges:
        """Left, top, right and bottom of the bright block in CSS pixels, from the canvas alone.

        Between two screen pixels the crossing of half the brightness is the edge.
        """
        self.page.evaluate(AFTER_TWO_FRAMES)
        content = base64.b64decode(self.stage.evaluate(CANVAS).split(",", 1)[1])
        canvas = np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=np.float64)
        bright = np.argwhere(canvas > canvas.max() * 0.75)
        middle_y, middle_x = np.median(bright, axis=0).astype(int)
        left, right = crossings(canvas[middle_y])
        top, bottom = crossings(canvas[:, middle_x])
        return np.array([left, top, right, bottom]) / self.pixel_ratio

    def edges_of_outline(self) -> Edges:
        outline = self.page.locator(".region.focused .outline").first
        x, y, width, height = (float(outline.get_attribute(name) or "nan") for name in RECTANGLE)
        return np.array([x, y, x + width, y + height])

    def off(self) -> float:
        return float(np.abs(self.edges_on_canvas() - self.edges_of_outline()).max())

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A film pixel on the page, by the block's own edges on the canvas."""
        left, top, right, bottom = self.edges_on_canvas()
        box = self.stage.bounding_box()
        assert box is not None
        across = left + (x - BLOCK[0]) * (right - left) / (BLOCK[2] - BLOCK[0])
        down = top + (y - BLOCK[1]) * (bottom - top) / (BLOCK[3] - BLOCK[1])
        return box["x"] + across, box["y"] + down

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        self.page.mouse.move(*end)
        self.page.mouse.up()


RECTANGLE = ("x", "y", "width", "height")


def crossings(line: NDArray[np.float64]) -> tuple[float, float]:
    """Where a line of pixels goes through half the brightness, first up and last down."""
    half = line.max() / 2
    above = np.flatnonzero(line > half)
    first, last = int(above[0]), int(above[-1])
    up = first - (line[first] - half) / (line[first] - line[first - 1])
    down = last + (line[last] - half) / (line[last] - line[last + 1])
    return up + 0.5, down + 0.5


def block_film(path: Path, *, spacing: tuple[float, float]) -> Path:
    """A dark film with a bright block, its rows `spacing[0]` mm and its columns `spacing[1]` mm apart."""
    film = dcmread(write_film(path))
    pixels = np.zeros((ROWS, COLUMNS), dtype="<u2")
    left, top, right, bottom = BLOCK
    pixels[top:bottom, left:right] = 4000
    film.Rows, film.Columns, film.PixelData = ROWS, COLUMNS, pixels.tobytes()
    film.WindowCenter, film.WindowWidth = 2048, 4096
    film.ImagerPixelSpacing = list(spacing)
    film.pop("PixelSpacing", None)
    film.save_as(path)
    return path


LAPTOP, LARGE = (1440, 900), (2560, 1440)


@pytest.fixture(params=[(1, (0.2, 0.2), LAPTOP), (1, (0.3, 0.2), LARGE), (2, (0.2, 0.35), LAPTOP)], ids=str)
def desk(
    request: pytest.FixtureRequest, live_server: Any, browser: Browser, tmp_path: Path
) -> Iterator[Desk]:
    pixel_ratio, spacing, (width, height) = request.param
    item = receive(block_film(tmp_path / "film.dcm", spacing=spacing))
    assert item.instance is not None
    assert item.reason == ""
    reader, model_version = ExpertFactory.create(), ServingModelFactory.create()
    for _ in range(2):
        say(item.instance, steps=[("The block.", [BLOCK])], answer="a block", model_version=model_version)
    create_reader_study(
        title="One block", studies=[item.instance.study], readers=[reader], actor=None, seed=1
    )
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=pixel_ratio
    )
    page = open_as(reader, context=context, url=live_server.url)
    reading = Reading.objects.get(assignment__reader=reader)
    page.goto(f"{live_server.url}/readings/{reading.uid}/")
    expect(page.get_by_role("toolbar", name="Film tools")).to_be_visible(timeout=60_000)
    yield Desk(page, page.locator(".film-stage"), pixel_ratio)
    context.close()


def test_the_outline_encloses_what_it_points_at_at_any_zoom(desk: Desk) -> None:
    page = desk.page
    assert desk.off() < MAX_OFF
    # By the wheel, about a point that is not the middle.
    page.mouse.move(*desk.at(100, 140))
    for delta in (-120, -120, -120, 120, -120):
        page.mouse.wheel(0, delta)
        assert desk.off() < MAX_OFF
    page.keyboard.press("p")
    desk.drag(desk.at(100, 140), desk.at(90, 150))
    assert desk.off() < MAX_OFF
    for _ in range(6):
        page.mouse.wheel(0, 120)
    assert desk.off() < MAX_OFF
    page.keyboard.press("0")
    page.set_viewport_size({"width": 1361, "height": 801})
    assert desk.off() < MAX_OFF
    page.keyboard.press("0")
    assert desk.off() < MAX_OFF


def test_drags_and_arrow_keys_mean_film_pixels(desk: Desk) -> None:
    page = desk.page
    page.keyboard.press("r")
    # From and to the middle of a film pixel's own edge, as near as whole CSS pixels allow.
    per_pixel = np.diff(np.array([desk.at(0, 0), desk.at(1, 1)]), axis=0)[0]
    desk.drag(desk.at(20, 30), desk.at(150, 200))
    expect(page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible(timeout=30_000)
    drawn = RegionAnnotation.objects.get()
    box = np.array([drawn.x_min, drawn.y_min, drawn.x_max, drawn.y_max], dtype=np.float64)
    allowed = np.tile(1 / per_pixel, 2) + 0.1
    assert (np.abs(box - (20, 30, 150, 200)) <= allowed).all(), (box, allowed)
    shown = desk.edges_of_outline()

    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowDown")
    moved = desk.edges_of_outline() - shown
    assert moved == pytest.approx(np.tile(per_pixel * (10, 1), 2), abs=0.2)
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert desk.edges_of_outline() == pytest.approx(shown, abs=0.01)
