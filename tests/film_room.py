"""A reader with a film before them, for the tests in a browser: drags, fingers, and what the screen shows."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import BrowserContext, CDPSession, Locator, Page, expect
from pydicom import dcmread

from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import DrawnRegion, Reading, RegionAnnotation
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Instance
from inference.phantom_dicom import FilmEncoding, Visit, write_phantom_dicom
from tests.browser import open_as, watch
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import receive, store_phantom, write_film
from tests.reading_room import FILM_SIZE, Room

# Two white squares, by their middles in film pixels (edges, so that a middle of five pixels ends in a half).
FIRST, SECOND = (100.5, 120.5), (150.5, 160.5)
HALF = 2
DARK, WHITE = 40, 245
OUTER = ("The heart is enlarged.", [(60.0, 60.0, 190.0, 200.0)])
INNER = ("The right lung is clear.", [(90.0, 90.0, 130.0, 140.0)])
AFTER_TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"

Point = tuple[float, float]


@dataclass
class FilmRoom(Room):
    def open(self) -> None:
        super().open()
        self.wait_for_film()

    def reading(self) -> Reading:
        return Reading.objects.get(assignment__reader=self.reader)

    def middle(self) -> Point:
        stage = self.page.locator(".film-stage").bounding_box()
        assert stage is not None
        return stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2

    def drag(self, start: Point, end: Point) -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        mouse.move(*end)
        mouse.up()

    def said(self, sentence: str | re.Pattern[str]) -> None:
        expect(self.page.locator(".film-said")).to_have_text(sentence)

    def current(self) -> Locator:
        return self.page.locator(".room .current")


Enter = Callable[..., FilmRoom]


def entering(live_server: Any, new_context: Callable[..., BrowserContext]) -> Enter:
    """Takes a new reader to a case of its own; what is left over describes the screen."""

    def enter(
        *,
        film: Instance | None = None,
        steps: Any = (OUTER, INNER),
        num_outputs: int = 1,
        design: ReaderStudyDesign | None = None,
        **screen: Any,
    ) -> FilmRoom:
        reader = ExpertFactory.create()
        instance = film or store_phantom(seed=1, size=FILM_SIZE)
        model_version = ServingModelFactory.create()
        for _ in range(num_outputs):
            say(instance, steps=steps, answer="cardiomegaly", model_version=model_version)
        create_reader_study(
            title="Regions",
            studies=[instance.study],
            readers=[reader],
            actor=None,
            seed=1,
            design=design,
        )
        page = open_as(reader, context=new_context(**screen), url=live_server.url)
        return FilmRoom(page=page, url=live_server.url, reader=reader, problems=watch(page))

    return enter


def received(path: Path) -> Instance:
    item = receive(path, is_text_free=True)
    assert item.instance is not None, item.reason
    return item.instance


def marked_film(folder: Path, *, row_mm: float, column_mm: float) -> Instance:
    """Dark but for the two white squares; not of one grey, which would be held as blank."""
    path = write_film(folder / "film.dcm", seed=1, size=FILM_SIZE)
    film = dcmread(path)
    pixels = np.tile(np.linspace(0, 600, FILM_SIZE).astype(np.uint16), (FILM_SIZE, 1))
    for x, y in (FIRST, SECOND):
        column, row = int(x), int(y)
        pixels[row - HALF : row + HALF + 1, column - HALF : column + HALF + 1] = 4095
    film.PixelData = pixels.tobytes()
    film.WindowCenter, film.WindowWidth = 2048, 4096
    film.PixelSpacing = [row_mm, column_mm]
    film.save_as(path)
    return received(path)


def film_of_visit(folder: Path, visit: Visit, *, view_position: str = "") -> Instance:
    """One of the films of one patient."""
    path = folder / f"{visit.take}-{visit.study_date}.dcm"
    plain = FilmEncoding(photometric="MONOCHROME2", bits_stored=12, transfer_syntax="explicit")
    write_phantom_dicom(path, seed=1, size=FILM_SIZE, encoding=plain, visit=visit)
    if view_position:
        film = dcmread(path)
        film.ViewPosition = view_position
        # PS3.3 C.7.6.1.1.1: a lateral's rows lead to the front or the back.
        film.PatientOrientation = ["A", "F"]
        film.save_as(path)
    return received(path)


def greys_of(png: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=np.float64)


def squares_on_screen(page: Page, *, scale: int) -> tuple[Point, Point]:
    """Where the two white squares are seen, by their brightness alone."""
    page.keyboard.down("Space")
    expect(page.locator("[data-region]")).to_have_count(0)
    page.evaluate(AFTER_TWO_FRAMES)
    stage = page.locator(".film-stage").bounding_box()
    assert stage is not None
    shot = greys_of(page.screenshot())
    page.keyboard.up("Space")
    # The words in the corners of the film are no squares, and nothing beside it is.
    left, top = stage["x"] * scale, stage["y"] * scale
    right, bottom = left + stage["width"] * scale, top + (stage["height"] - 90) * scale
    film = np.zeros_like(shot)
    inside = np.s_[int(top) + 1 : int(bottom), int(left) + 1 : int(right)]
    film[inside] = shot[inside]
    film[film < DARK] = 0
    rows, columns = np.nonzero(film)
    middle = (rows.min() + rows.max()) / 2

    def centre(part: NDArray[np.bool_]) -> Point:
        weights = film[rows[part], columns[part]]
        x = float(np.average(columns[part] + 0.5, weights=weights)) / scale
        y = float(np.average(rows[part] + 0.5, weights=weights)) / scale
        return x, y

    return centre(rows < middle), centre(rows >= middle)


def edges(row: RegionAnnotation | DrawnRegion) -> list[float | None]:
    return [row.x_min, row.y_min, row.x_max, row.y_max]


@contextmanager
def touching(page: Page) -> Iterator[Callable[..., None]]:
    """Fingers, by Chromium's own protocol: `touch("touchStart", (x, y), …)`."""
    session: CDPSession = page.context.new_cdp_session(page)

    def touch(kind: str, *fingers: Point) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    yield touch
    session.detach()
