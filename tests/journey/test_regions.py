"""Regions and the tools on a film, in a real browser: what is drawn at a pixel is stored at that pixel."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import BrowserContext, CDPSession, Locator, Page, Route, expect
from pydicom import dcmread

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import DrawnRegion, Reading, RegionAnnotation, StepRating, Vote
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.selectors import film_path
from inference.phantom_dicom import FilmEncoding, Visit, write_phantom_dicom
from tests.browser import check_barriers, open_as
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import receive, store_phantom, write_film

SIZE = 256
# Two white squares, by their middles in film pixels (edges, so that a middle of five pixels ends in a half).
FIRST, SECOND = (100.5, 120.5), (150.5, 160.5)
HALF = 2
DARK, WHITE = 40, 245
HEART = ("The heart is enlarged.", [(60.0, 60.0, 190.0, 200.0)])
LUNG = ("The right lung is clear.", [(90.0, 90.0, 130.0, 140.0)])
AFTER_TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"

Point = tuple[float, float]


@dataclass
class Room:
    page: Page
    url: str
    reader: User
    problems: list[str] = field(default_factory=list)

    def open(self) -> None:
        reading = self.reading()
        self.page.goto(f"{self.url}/readings/{reading.uid}/")
        expect(self.tools()).to_be_visible(timeout=60_000)

    def reading(self) -> Reading:
        return Reading.objects.get(assignment__reader=self.reader)

    def tools(self) -> Locator:
        return self.page.get_by_role("toolbar", name="Film tools")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def wait_until_saved(self) -> None:
        expect(self.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible(timeout=30_000)

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


Enter = Callable[..., Room]


@pytest.fixture
def enter(live_server: Any, new_context: Callable[..., BrowserContext]) -> Enter:
    def make(
        *,
        film: Instance | None = None,
        steps: Any = (HEART, LUNG),
        num_outputs: int = 1,
        design: ReaderStudyDesign | None = None,
        **display: Any,
    ) -> Room:
        reader = ExpertFactory.create()
        instance = film or store_phantom(seed=1, size=SIZE)
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
        context = new_context(**display)
        page = open_as(reader, context=context, url=live_server.url)
        room = Room(page=page, url=live_server.url, reader=reader)
        page.on("pageerror", lambda error: room.problems.append(str(error)))
        page.on(
            "console",
            lambda message: room.problems.append(message.text) if message.type == "error" else None,
        )
        return room

    return make


def marked_film(folder: Path, *, row_mm: float, column_mm: float, **attributes: Any) -> Instance:
    """Black but for the two white squares."""
    path = write_film(folder / "film.dcm", seed=1, size=SIZE, **attributes)
    film = dcmread(path)
    pixels = np.zeros((SIZE, SIZE), dtype=np.uint16)
    for x, y in (FIRST, SECOND):
        column, row = int(x), int(y)
        pixels[row - HALF : row + HALF + 1, column - HALF : column + HALF + 1] = 4095
    film.PixelData = pixels.tobytes()
    film.WindowCenter, film.WindowWidth = 2048, 4096
    film.PixelSpacing = [row_mm, column_mm]
    film.save_as(path)
    item = receive(path)
    assert item.instance is not None, item.reason
    return item.instance


def film_of_visit(folder: Path, visit: Visit, *, view_position: str = "") -> Instance:
    """One of the films of one patient."""
    path = folder / f"{visit.take}-{visit.study_date}.dcm"
    plain = FilmEncoding(photometric="MONOCHROME2", bits_stored=12, transfer_syntax="explicit")
    write_phantom_dicom(path, seed=1, size=SIZE, encoding=plain, visit=visit)
    if view_position:
        film = dcmread(path)
        film.ViewPosition = view_position
        film.save_as(path)
    item = receive(path)
    assert item.instance is not None, item.reason
    return item.instance


def squares_on_screen(page: Page, *, scale: int) -> tuple[Point, Point]:
    """Where the two white squares are seen, by their brightness alone."""
    page.keyboard.down("Space")
    expect(page.locator("[data-region]")).to_have_count(0)
    page.evaluate(AFTER_TWO_FRAMES)
    stage = page.locator(".film-stage").bounding_box()
    assert stage is not None
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.keyboard.up("Space")
    whitest = np.asarray(shot).min(axis=2).astype(np.float64)
    whitest[whitest < DARK] = 0
    # The words in the corners of the film are no squares, and nothing beside it is.
    left, top = stage["x"] * scale, stage["y"] * scale
    right, bottom = left + stage["width"] * scale, top + (stage["height"] - 90) * scale
    film = np.zeros_like(whitest)
    inside = np.s_[int(top) + 1 : int(bottom), int(left) + 1 : int(right)]
    film[inside] = whitest[inside]
    whitest = film
    rows, columns = np.nonzero(whitest)
    middle = (rows.min() + rows.max()) / 2

    def centre(part: NDArray[np.bool_]) -> Point:
        weights = whitest[rows[part], columns[part]]
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


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(("row_mm", "column_mm"), [(0.2, 0.2), (0.4, 0.2), (0.15, 0.3)])
def test_what_is_drawn_at_a_pixel_is_stored_at_that_pixel(
    enter: Enter, tmp_path: Path, row_mm: float, column_mm: float, scale: int
) -> None:
    film = marked_film(tmp_path, row_mm=row_mm, column_mm=column_mm)
    room = enter(film=film, device_scale_factor=scale)
    room.open()
    for keys in ((), ("=",) * 4, ("-",) * 4):
        room.press("0", *keys, "x", "k")
        first, second = squares_on_screen(room.page, scale=scale)
        # A mouse stands on whole pixels of the screen.
        start, end = ((round(x), round(y)) for x, y in (first, second))
        room.press("r")
        room.drag(start, end)
        room.wait_until_saved()
        stored = edges(RegionAnnotation.objects.get(verdict="adjusted"))
        for axis in (0, 1):
            on_screen = second[axis] - first[axis], SECOND[axis] - FIRST[axis]
            per_pixel = on_screen[0] / on_screen[1]
            meant = [FIRST[axis] + (at[axis] - first[axis]) / per_pixel for at in (start, end)]
            # A quarter of a pixel of the screen, and the tenth of one of the film that a box is rounded to.
            assert stored[axis::2] == pytest.approx(meant, abs=0.25 / per_pixel + 0.06)
        corner = room.page.locator(".region.focused [data-grip=se]").bounding_box()
        assert corner is not None
        grip = (corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2)
        assert grip == pytest.approx(end, abs=0.6)
    tall = (second[1] - first[1]) / (SECOND[1] - FIRST[1])
    wide = (second[0] - first[0]) / (SECOND[0] - FIRST[0])
    assert tall / wide == pytest.approx(row_mm / column_mm, rel=0.02)
    assert room.problems == []


def test_a_region_is_moved_and_resized_by_keys_and_by_numbers_and_bad_numbers_are_said(enter: Enter) -> None:
    room = enter()
    room.open()
    room.press("r", "ArrowRight", "Shift+ArrowDown")
    left, top = (room.page.get_by_label(name, exact=True) for name in ("left", "top"))
    width, height = (room.page.get_by_label(name, exact=True) for name in ("width", "height"))
    expect(left).to_have_value("61")
    expect(top).to_have_value("70")
    room.press("Control+ArrowRight", "Control+Shift+ArrowUp", "Alt+ArrowLeft", "Alt+Shift+ArrowDown")
    expect(left).to_have_value("60")
    expect(top).to_have_value("80")
    expect(width).to_have_value("132")
    expect(height).to_have_value("120")
    room.wait_until_saved()
    annotation = RegionAnnotation.objects.get()
    assert edges(annotation) == [60, 80, 192, 200]

    for control, bad, sentence in (
        (width, "0", "Not saved. The width must be more than 0."),
        (left, "200", "Not saved. The region would reach outside the film, which is 256 × 256 pixels."),
        (height, "", "Not saved. Each of the four needs a number."),
    ):
        value = control.input_value()
        control.fill(bad)
        control.press("Tab")
        expect(room.page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
        expect(control).to_have_attribute("aria-invalid", "true")
        check_barriers(room.page)
        control.fill(value)
        control.press("Tab")
        expect(control).to_have_attribute("aria-invalid", "false")
    left.fill("20.5")
    left.press("Tab")
    room.wait_until_saved()
    annotation.refresh_from_db()
    assert edges(annotation) == [20.5, 80, 152.5, 200]
    assert room.problems == []


def test_a_step_gets_further_regions_which_can_be_deleted_and_brought_back(enter: Enter) -> None:
    room = enter()
    room.open()
    stage = room.page.locator(".film-stage").bounding_box()
    assert stage is not None
    middle = (stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    room.press("d")
    room.said("Draw the new region on the film, or press an arrow key to begin in the middle.")
    room.drag(middle, (middle[0] + 90, middle[1] + 60))
    expect(room.current().get_by_role("button", name="Region 1+1", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    room.press("d", "ArrowRight", "ArrowRight")
    expect(room.current().get_by_role("button", name="Region 1+2", exact=True)).to_be_visible()
    room.wait_until_saved()
    first, second = DrawnRegion.objects.order_by("pk")
    assert first.step == second.step == room.reading().completion_a.steps.get(position=1)
    assert (first.x_min, first.y_min) == pytest.approx((SIZE / 2, SIZE / 2), abs=1.0)
    assert edges(second) == pytest.approx([87.3, 85.3, 172.7, 170.7], abs=0.11)
    expect(room.page.locator("[data-region]")).to_have_count(3)

    room.press("Delete")
    expect(room.page.locator("[data-region]")).to_have_count(2)
    room.wait_until_saved()
    assert list(DrawnRegion.objects.values_list("uid", flat=True)) == [first.uid]
    room.press("Control+z")
    expect(room.page.locator("[data-region]")).to_have_count(3)
    room.wait_until_saved()
    assert edges(DrawnRegion.objects.get(uid=second.uid)) == edges(second)
    room.page.reload()
    expect(room.tools()).to_be_visible(timeout=60_000)
    expect(room.page.locator("[data-region]")).to_have_count(3)
    room.press("Delete")
    room.said("Only regions of your own can be deleted. X says that the model's is wrong.")
    check_barriers(room.page)
    assert room.problems == []


def test_every_change_can_be_undone_and_done_again_across_the_sides(enter: Enter) -> None:
    room = enter(num_outputs=2, steps=(LUNG,))
    room.open()
    room.press("4", "d", "ArrowLeft")
    expect(room.page.get_by_role("button", name="Region 1+1", exact=True)).to_be_visible()
    room.press("g", "f")
    room.wait_until_saved()
    numbers = StepRating.objects.count(), RegionAnnotation.objects.count(), DrawnRegion.objects.count()
    assert numbers == (1, 1, 1)
    room.page.get_by_role("tab", name=re.compile("Output B")).click()
    room.press("2")
    room.wait_until_saved()
    undo, redo = (room.page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    room.press("Control+z")
    room.said(re.compile("^Undone: plausibility of step 1 of output B"))
    expect(redo).to_have_attribute("aria-disabled", "false")
    room.press("Control+z", "Control+z")
    room.said(re.compile("^Undone: your region for step 1 of output A"))
    expect(room.page.get_by_role("tab", name=re.compile("Output A"))).to_have_attribute(
        "aria-selected", "true"
    )
    undo.click()
    room.said("Undone: plausibility of step 1 of output A. 0 left to undo.")
    room.press("Control+z")
    room.said("Nothing to undo.")
    room.wait_until_saved()
    assert not StepRating.objects.exclude(plausibility=None).exists()
    assert not RegionAnnotation.objects.exists()
    assert not DrawnRegion.objects.exists()
    redo.click()
    room.press("Control+Shift+z", "Control+y", "Control+y")
    room.said("Done again: plausibility of step 1 of output B. 0 left to redo.")
    room.wait_until_saved()
    plausible = StepRating.objects.order_by("plausibility").values_list("plausibility", flat=True)
    assert list(plausible) == [2, 4]
    assert RegionAnnotation.objects.get().verdict == "fits"
    assert DrawnRegion.objects.count() == 1
    assert not Vote.objects.exists()
    assert room.problems == []


def test_one_finger_changes_a_region_and_two_move_the_film(enter: Enter) -> None:
    room = enter(has_touch=True)
    room.open()
    room.press("r")
    grip = room.page.locator(".region.focused [data-grip=se]")
    box = grip.bounding_box()
    assert box is not None
    assert box["width"] >= 24 <= box["height"]
    at = (box["x"] + 12, box["y"] + 12)
    with touching(room.page) as touch:
        touch("touchStart", at)
        touch("touchMove", (at[0] - 20, at[1] - 30))
        touch("touchMove", (at[0] - 40, at[1] - 60))
        touch("touchEnd")
        room.wait_until_saved()
        annotation = RegionAnnotation.objects.get()
        moved = grip.bounding_box()
        assert moved is not None
        assert (moved["x"] + 12, moved["y"] + 12) == pytest.approx((at[0] - 40, at[1] - 60), abs=1.0)
        assert edges(annotation)[:2] == [60, 60]

        zoom = room.page.locator(".film-corner.right")
        before = zoom.inner_text()
        middle = (moved["x"] - 60, moved["y"] - 60)
        touch("touchStart", (middle[0] - 30, middle[1]), (middle[0] + 30, middle[1]))
        touch("touchMove", (middle[0] - 45, middle[1]), (middle[0] + 45, middle[1]))
        touch("touchMove", (middle[0] - 60, middle[1]), (middle[0] + 60, middle[1]))
        touch("touchEnd")
    expect(zoom).not_to_have_text(before)
    wider = room.page.locator(".region.focused .outline").first.bounding_box()
    assert wider is not None
    pixels_wide = float(annotation.x_max or 0) - 60
    screen_px = float(re.findall(r"zoom (\d+)", zoom.inner_text())[0]) / 100
    assert wider["width"] == pytest.approx(pixels_wide * screen_px, rel=0.03)
    was = float(re.findall(r"zoom (\d+)", before)[0]) / 100
    assert screen_px == pytest.approx(was * 2, rel=0.03)
    room.wait_until_saved()
    annotation.refresh_from_db()
    assert float(annotation.x_max or 0) - 60 == pixels_wide
    assert room.problems == []


@pytest.mark.parametrize(
    ("attributes", "length"),
    [
        ({"PixelSpacing": [0.5, 0.25]}, "23.9 mm"),
        ({"PixelSpacing": None, "ImagerPixelSpacing": [0.5, 0.25]}, "23.9 mm at the detector"),
        ({"PixelSpacing": None, "ImagerPixelSpacing": None}, "66 px"),
    ],
)
def test_a_line_is_measured_in_what_the_film_says(
    enter: Enter, tmp_path: Path, attributes: dict[str, Any], length: str
) -> None:
    path = write_film(tmp_path / "film.dcm", seed=1, size=SIZE, **{"ImagerPixelSpacing": None, **attributes})
    item = receive(path)
    assert item.instance is not None, item.reason
    room = enter(film=item.instance)
    room.open()
    # By keys: a line of 52 columns across the middle, then its end 40 rows down.
    room.press("m", "ArrowDown", *["Shift+ArrowDown"] * 4)
    words = room.page.locator(".ruler-text")
    expect(words).to_have_text(length)
    room.press("Alt+Shift+ArrowLeft")
    expect(words).not_to_have_text(length)
    # By the mouse: an end is dragged away and back; and by a click at each end.
    end = room.page.locator("[data-ruler=from]").bounding_box()
    assert end is not None
    at = (end["x"] + 12, end["y"] + 12)
    room.drag(at, (at[0] + 80, at[1]))
    expect(words).not_to_have_text(length)
    room.press("Escape")
    expect(words).to_have_count(0)
    room.page.mouse.click(*at)
    room.page.mouse.click(at[0] + 100, at[1])
    expect(words).to_be_visible()
    expect(room.page.get_by_text(re.compile(r"^The line is .+ long\.$"))).to_have_count(1)
    check_barriers(room.page)
    assert not StepRating.objects.exists()
    assert room.problems == []


def test_the_magnifier_shows_the_film_closer_by_key_while_held_and_by_the_mouse(
    enter: Enter, tmp_path: Path
) -> None:
    room = enter(film=marked_film(tmp_path, row_mm=0.2, column_mm=0.2))
    room.open()
    first, _ = squares_on_screen(room.page, scale=1)
    lens = room.page.locator(".lens:visible")
    room.page.mouse.move(*first)
    room.press("v")
    expect(lens).to_be_visible()
    room.page.evaluate(AFTER_TWO_FRAMES)
    shot = np.asarray(Image.open(io.BytesIO(lens.screenshot())).convert("L"), dtype=np.float64)
    rows, columns = np.nonzero(shot > WHITE)
    assert (columns.mean(), rows.mean()) == pytest.approx((shot.shape[1] / 2, shot.shape[0] / 2), abs=2.0)
    across = room.page.locator(".film-stage").screenshot()
    plain = np.asarray(Image.open(io.BytesIO(across)).convert("L"))
    assert np.ptp(columns) > 2 * (2 * HALF + 1)
    assert plain.max() >= WHITE
    for _ in range(4):
        room.press("Shift+ArrowRight")
    moved = np.asarray(Image.open(io.BytesIO(lens.screenshot())).convert("L"))
    assert moved.max() < WHITE
    room.press("v")
    expect(lens).to_have_count(0)
    room.page.keyboard.down("v")
    room.page.keyboard.down("v")
    expect(lens).to_be_visible()
    room.page.keyboard.up("v")
    expect(lens).to_have_count(0)
    assert room.problems == []


def test_a_click_goes_round_the_regions_under_it_and_a_look_at_all_is_a_key(enter: Enter) -> None:
    room = enter()
    room.open()
    expect(room.page.locator("[data-region]")).to_have_count(1)
    room.press("b")
    expect(room.page.locator("[data-region]")).to_have_count(2)
    inner = room.page.locator(".region.s2 .outline").first.bounding_box()
    assert inner is not None
    at = (inner["x"] + inner["width"] / 2, inner["y"] + inner["height"] / 2)
    for label in ("Step 2", "Step 1", "Step 2"):
        room.page.mouse.click(*at)
        expect(room.current()).to_have_attribute("aria-label", label)
    room.page.keyboard.down("Space")
    expect(room.page.locator("[data-region]")).to_have_count(0)
    room.page.keyboard.up("Space")
    expect(room.page.locator("[data-region]")).to_have_count(2)
    room.press("b")
    expect(room.page.locator("[data-region]")).to_have_count(1)
    room.page.get_by_role("group", name="Step 1", exact=True).hover()
    expect(room.page.locator("[data-region]")).to_have_count(2)


def test_a_region_that_the_model_put_nowhere_is_marked_and_never_hidden(enter: Enter) -> None:
    steps = (
        ("No area.", [(80.0, 80.0, 80.0, 80.0)]),
        ("Beside the film.", [(300.0, -90.0, 400.0, -20.0)]),
        ("Half on it.", [(200.0, 200.0, 400.0, 240.0)]),
    )
    room = enter(steps=steps)
    problems = ("no_area", "outside_image", "outside_image")
    for step, problem in zip(room.reading().completion_a.steps.order_by("position"), problems, strict=True):
        step.regions.update(problem=problem)
    room.open()
    room.press("b")
    stage = room.page.locator(".film-stage").bounding_box()
    assert stage is not None
    expect(room.page.locator(".region.flawed")).to_have_count(3)
    for at in range(3):
        mark = room.page.locator(".region.flawed .plate-text").nth(at)
        expect(mark).to_have_text(re.compile(r"^\d !$"))
        outline = room.page.locator(".region.flawed rect.outline").nth(at).bounding_box()
        assert outline is not None
        assert stage["x"] <= outline["x"] <= outline["x"] + outline["width"] <= stage["x"] + stage["width"]
        assert stage["y"] - 1 <= outline["y"]
    expect(room.page.get_by_text("region has no area")).to_be_visible()
    expect(room.page.get_by_text("region reaches outside the image")).to_have_count(2)
    check_barriers(room.page)


def test_other_films_are_looked_at_and_compared_and_never_rated(enter: Enter, tmp_path: Path) -> None:
    day = date(2026, 5, 20)
    rated = film_of_visit(tmp_path, Visit(study_date=day))
    lateral = film_of_visit(tmp_path, Visit(study_date=day, take=1), view_position="LL")
    prior = film_of_visit(tmp_path, Visit(study_date=date(2025, 10, 18), is_earlier=True))
    room = enter(film=rated)
    room.open()
    strip = room.page.get_by_role("navigation", name="Films of this case")
    names = ("PA rated", "Lateral same study", "Prior PA 214 days earlier")
    expect(strip.get_by_role("button")).to_have_count(len(names))
    for name in names:
        expect(strip.get_by_role("button", name=name)).to_be_visible()
    other = room.page.get_by_role("region", name="Another film")
    step = room.page.get_by_role("group", name="How plausible is step 1, 1 to 5?").get_by_label(
        "4", exact=True
    )

    def is_looking_at(banner: str) -> None:
        expect(other.get_by_text(banner, exact=True)).to_be_visible()
        expect(other.locator(".film-corner").last).to_contain_text("zoom", timeout=60_000)

    expect(room.page.locator("[data-region]")).to_have_count(1)
    room.press("o")
    is_looking_at("Lateral · same study")
    expect(room.page.locator("[data-region]")).to_have_count(0)
    expect(room.page.locator(".film-rated .film-canvas")).to_be_hidden()
    expect(step).to_be_disabled()
    check_barriers(room.page)
    for keys in (("4",), ("f",), ("Control+z",), ("Control+Enter",), ("r",), ("d",)):
        room.press(*keys)
        room.said("The rated film is back. Nothing was rated: press the key again.")
        expect(other).to_have_count(0)
        expect(room.page.locator(".film-rated .film-canvas")).to_be_visible()
        strip.get_by_role("button", name="Prior").click()
        is_looking_at("Prior PA · 214 days earlier")
    assert not StepRating.objects.exists()
    assert not RegionAnnotation.objects.exists()

    room.press("Shift+O")
    expect(room.page.get_by_text("The film that you rate", exact=True)).to_be_visible()
    expect(room.page.locator(".film-rated .film-canvas")).to_be_visible()
    is_looking_at("Prior PA · 214 days earlier")
    expect(room.page.locator(".film-rated [data-region]")).to_have_count(1)
    expect(room.page.locator(".film-companion [data-region]")).to_have_count(0)
    check_barriers(room.page)
    room.press("4")
    room.wait_until_saved()
    assert StepRating.objects.get().plausibility == 4
    room.press("Escape")
    expect(other).to_have_count(0)

    for answer in ("absent", "another"):

        def fulfil(route: Route, answer: str = answer) -> None:
            body = film_path(prior).read_bytes() if answer == "another" else b""
            route.fulfill(status=200 if body else 404, content_type="application/dicom", body=body)

        room.page.route(f"**/api/instances/{lateral.uid}/film/", fulfil)
        room.press("o")
        expect(other.get_by_role("alert")).to_contain_text("The rated film is not concerned.")
        expect(other.locator(".film-canvas")).to_be_hidden()
        room.press("Escape")
        room.page.unroute(f"**/api/instances/{lateral.uid}/film/")
    room.press("f")
    room.wait_until_saved()
    assert RegionAnnotation.objects.get().verdict == "fits"


def test_a_first_read_and_a_missed_finding_have_regions_of_their_own(enter: Enter) -> None:
    room = enter(design=ReaderStudyDesign(first_reads="on"))
    room.open()
    stage = room.page.locator(".film-stage").bounding_box()
    assert stage is not None
    middle = (stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    room.press("d")
    room.drag(middle, (middle[0] + 60, middle[1] + 50))
    expect(room.page.locator(".region .plate-text")).to_have_text(["1"])
    room.press("d", "ArrowUp")
    expect(room.page.locator(".region .plate-text")).to_have_text(["1", "2"])
    room.press("Delete", "ArrowRight")
    expect(room.page.locator(".region .plate-text")).to_have_text(["1"])
    check_barriers(room.page)
    room.wait_until_saved()
    first = DrawnRegion.objects.get()
    assert first.first_read is not None
    assert first.x_min == pytest.approx(SIZE / 2 + 1, abs=1.0)

    room.press("1", "Control+Enter")
    expect(room.page.get_by_role("group", name="Step 1", exact=True)).to_be_visible()
    room.press("n")
    room.page.keyboard.type("Effusion on the left")
    room.press("Escape")
    room.press("d")
    room.drag((middle[0] - 90, middle[1]), (middle[0] - 20, middle[1] + 70))
    expect(room.page.locator(".region .plate-text")).to_have_text(["M1"])
    room.press("b")
    expect(room.page.locator(".region .plate-text")).to_have_count(3)
    check_barriers(room.page)
    room.wait_until_saved()
    drawn = DrawnRegion.objects.get(first_read=None)
    assert drawn.missed_finding is not None
    assert drawn.missed_finding.text == "Effusion on the left"
    room.page.get_by_role("button", name="Delete missed finding 1").click()
    expect(room.page.locator(".region .plate-text")).to_have_count(2)
    room.press("Control+z")
    expect(room.page.locator(".region .plate-text")).to_have_count(3)
    room.wait_until_saved()
    assert edges(DrawnRegion.objects.get(first_read=None)) == edges(drawn)
    assert room.problems == []
