"""What the screen shows of a film is what the model sees of it, whatever way the film is stored."""

import base64
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import BrowserContext, BrowserType, Locator, Page, expect
from pydicom import dcmread

from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.selectors import film_path
from inference.images import render_reference
from inference.phantom_dicom import FilmEncoding, Visit, write_phantom_dicom
from tests.browser import check_barriers, open_as
from tests.factories.accounts import AdminFactory
from tests.factories.odd_films import (
    BENT_8,
    COLUMNS,
    ODD_FILMS,
    ROWS,
    OddFilm,
    after,
    linear,
    looked_up,
    negative,
    sigmoid,
)
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import receive, store_phantom, write_film

CANVAS = "area => area.querySelector('canvas').toDataURL('image/png')"
AFTER_TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Of 255 grey levels.
MAX_DIFFERENCE = 1.0

Greys = NDArray[np.float64]


@pytest.fixture
def admin_page(live_server: Any, context: BrowserContext) -> Page:
    return open_as(AdminFactory.create(), context=context, url=live_server.url)


def received(path: Path) -> Instance:
    item = receive(path, is_text_free=True)
    assert item.instance is not None, item.reason
    return item.instance


def open_study(page: Page, study: Study, *, url: str) -> Locator:
    """The first film of the study's page, on screen, each of its pixels one of the screen's."""
    page.goto(url + reverse("study-detail", args=[study.uid]))
    viewer = page.locator("[data-film-viewer]").first
    expect(viewer.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
    viewer.get_by_role("button", name="1:1").click()
    return viewer


def picture_of(viewer: Locator, *, rows: int, columns: int) -> Greys:
    """What the canvas shows of a film of this many screen pixels in its middle, a half up and left."""
    viewer.page.evaluate(AFTER_TWO_FRAMES)
    content = base64.b64decode(viewer.evaluate(CANVAS).split(",", 1)[1])
    canvas = np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=np.float64)
    top, left = (canvas.shape[0] - rows) // 2, (canvas.shape[1] - columns) // 2
    assert top >= 0 <= left
    return canvas[top : top + rows, left : left + columns]


def greatest_difference(shown: Greys, expected: NDArray[Any]) -> float:
    return float(np.abs(shown - expected).max())


def at_pixel_centres(shown: Greys, film: OddFilm) -> Greys:
    """One value for each film pixel, from the middle of the screen pixels that it covers."""
    return shown[film.pixel_height // 2 :: film.pixel_height, film.pixel_width // 2 :: film.pixel_width]


@pytest.mark.parametrize("name", ODD_FILMS)
def test_the_screen_shows_what_the_model_sees_and_what_the_standard_says(
    name: str, admin_page: Page, live_server: Any, tmp_path: Path
) -> None:
    film, seed = ODD_FILMS[name], 3
    instance = received(film.write(tmp_path / "film.dcm", seed=seed))
    stored = film.stored(seed=seed)
    viewer = open_study(admin_page, instance.study, url=live_server.url)

    def shown() -> Greys:
        rows, columns = ROWS * film.pixel_height, COLUMNS * film.pixel_width
        return at_pixel_centres(picture_of(viewer, rows=rows, columns=columns), film)

    differences = {
        "model": greatest_difference(shown(), render_reference(film_path(instance)).astype(np.float64)),
        "standard": greatest_difference(shown(), film.expected(stored)),
    }
    for preset in film.presets:
        viewer.get_by_label("Window preset").select_option(preset)
        differences[preset] = greatest_difference(shown(), film.expected(stored, preset=preset))
    assert max(differences.values()) <= MAX_DIFFERENCE, differences


FILL_THE_PAGE = "viewer => Object.assign(viewer.style, {position: 'fixed', inset: '0', height: '100vh'})"


def test_real_films_are_shown_as_the_model_sees_them(
    admin_page: Page, live_server: Any, shared_data: Path
) -> None:
    differences = {}
    for path in sorted((shared_data / "dicom").glob("*.dcm")):
        instance = received(path)
        # Wide enough for the tools to stand in one row.
        width = max(instance.columns + 60, 900)
        admin_page.set_viewport_size({"width": width, "height": instance.rows + 120})
        viewer = open_study(admin_page, instance.study, url=live_server.url)
        viewer.evaluate(FILL_THE_PAGE)
        admin_page.evaluate(AFTER_TWO_FRAMES)
        viewer.get_by_role("button", name="Fit").click()
        viewer.get_by_role("button", name="1:1").click()
        shown = picture_of(viewer, rows=instance.rows, columns=instance.columns)
        differences[path.name] = greatest_difference(shown, render_reference(film_path(instance)))
    assert len(differences) >= 7
    assert max(differences.values()) <= MAX_DIFFERENCE, differences


def drag_window(viewer: Locator, *, by: tuple[int, int]) -> None:
    box = viewer.locator(".film-stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = viewer.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + by[0] / 2, y + by[1] / 2)
    mouse.move(x + by[0], y + by[1])
    mouse.up()


WINDOW_SHOWN = re.compile(r"W (?P<width>[-\d.]+) L (?P<center>[-\d.]+)")


@pytest.mark.parametrize(
    ("name", "label", "under", "greys"),
    [
        ("a sigmoid", "S-curve W 1500 L 2000", None, sigmoid),
        ("a VOI table of bytes", "Table 1", looked_up(BENT_8, 0, 255), linear),
        ("MONOCHROME1 with a window", "W 2600 L 1800", None, lambda c, w: negative(linear(c, w))),
        ("padding on MONOCHROME1", "W 3201 L 1901", None, lambda c, w: negative(linear(c, w))),
    ],
)
def test_the_readers_window_works_on_the_films_own_curve_or_table(
    name: str, label: str, under: Any, greys: Any, admin_page: Page, live_server: Any, tmp_path: Path
) -> None:
    film, seed = ODD_FILMS[name], 5
    instance = received(film.write(tmp_path / "film.dcm", seed=seed))
    viewer = open_study(admin_page, instance.study, url=live_server.url)
    corner = viewer.locator(".film-corner")
    as_stored = re.compile(rf"^{re.escape(label)}\s+zoom")
    expect(corner).to_have_text(as_stored)

    def differences(inverted: bool = False) -> float:
        told = WINDOW_SHOWN.search(corner.inner_text())
        assert told is not None
        shade = greys(float(told["center"]), float(told["width"]))
        windowed = replace(film, greys=after(under, shade) if under else shade)
        expected = windowed.expected(film.stored(seed=seed))
        if inverted:
            expected = replace(windowed, greys=negative(windowed.greys)).expected(film.stored(seed=seed))
        return greatest_difference(picture_of(viewer, rows=ROWS, columns=COLUMNS), expected)

    drag_window(viewer, by=(-60, 40))
    expect(corner).not_to_have_text(as_stored)
    # The label rounds the window to whole values, up to half a value of a width of a hundred or more.
    assert differences() <= MAX_DIFFERENCE + 1
    viewer.get_by_role("button", name="Invert").click()
    assert differences(inverted=True) <= MAX_DIFFERENCE + 1
    viewer.get_by_role("button", name="Invert").click()
    viewer.get_by_label("Window preset").select_option("Soft")
    viewer.get_by_label("Window preset").select_option(index=1)
    expect(corner).to_have_text(as_stored)
    shown = picture_of(viewer, rows=ROWS, columns=COLUMNS)
    assert greatest_difference(shown, film.expected(film.stored(seed=seed))) <= MAX_DIFFERENCE


def test_a_film_that_is_shown_smaller_has_no_pattern_of_its_own(
    admin_page: Page, live_server: Any, tmp_path: Path
) -> None:
    """Every other pixel is white: from afar that is grey, and nothing else."""
    path = write_film(tmp_path / "film.dcm", WindowCenter=2048, WindowWidth=4096)
    film, side = dcmread(path), 1800
    film.Rows = film.Columns = side
    film.PixelData = (np.indices((side, side)).sum(axis=0) % 2 * 4095).astype("<u2").tobytes()
    film.save_as(path)
    viewer = open_study(admin_page, received(path).study, url=live_server.url)
    viewer.get_by_role("button", name="Fit").click()
    shown = picture_of(viewer, rows=400, columns=400)
    assert float(np.abs(shown - 127.5).max()) < 32
    viewer.get_by_role("button", name="1:1").click()
    assert set(np.unique(picture_of(viewer, rows=400, columns=400))) == {0.0, 255.0}


NO_WEBGL = ("--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis")


def test_a_browser_without_webgl_shows_the_same(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], live_server: Any, tmp_path: Path
) -> None:
    film, preset = ODD_FILMS["several VOI tables"], "As stored: HARDER"
    instance = received(film.write(tmp_path / "film.dcm", seed=3))
    args = [*browser_type_launch_args["args"], *NO_WEBGL]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": args})
    try:
        page = open_as(AdminFactory.create(), context=browser.new_context(), url=live_server.url)
        viewer = open_study(page, instance.study, url=live_server.url)
        assert page.evaluate("document.createElement('canvas').getContext('webgl2')") is None
        stored = film.stored(seed=3)
        shown = picture_of(viewer, rows=ROWS, columns=COLUMNS)
        assert greatest_difference(shown, film.expected(stored)) <= MAX_DIFFERENCE
        viewer.get_by_label("Window preset").select_option(preset)
        shown = picture_of(viewer, rows=ROWS, columns=COLUMNS)
        assert greatest_difference(shown, film.expected(stored, preset=preset)) <= MAX_DIFFERENCE
    finally:
        browser.close()


def test_a_study_of_more_films_than_a_browser_has_drawing_contexts_shows_each(
    admin_page: Page, live_server: Any, tmp_path: Path
) -> None:
    plain = FilmEncoding(bits_stored=12)
    films = []
    for take in range(18):
        path = tmp_path / f"{take}.dcm"
        write_phantom_dicom(path, seed=2, size=64, encoding=plain, visit=Visit(take=take))
        films.append(received(path))
    admin_page.goto(live_server.url + reverse("study-detail", args=[films[0].study.uid]))
    for index, film in enumerate(films):
        viewer = admin_page.locator("[data-film-viewer]").nth(index)
        expect(viewer.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
        viewer.get_by_role("button", name="1:1").click()
        shown = picture_of(viewer, rows=film.rows, columns=film.columns)
        assert greatest_difference(shown, render_reference(film_path(film))) <= MAX_DIFFERENCE, index
    check_barriers(admin_page)


def test_a_question_box_that_was_resized_breaks_no_security_policy(
    admin_page: Page, live_server: Any
) -> None:
    """Swapped in again, it must not get its size by a style attribute."""
    problems: list[str] = []
    admin_page.on("console", lambda message: problems.append(message.text))
    ServingModelFactory.create()
    film = store_phantom()
    admin_page.goto(live_server.url + reverse("study-detail", args=[film.study.uid]))
    question = admin_page.get_by_label("Question")
    question.evaluate("box => { box.style.height = '120px'; }")
    admin_page.get_by_role("button", name=re.compile("^Ask ")).click()
    expect(admin_page.get_by_text(re.compile("asked|waits|queued", re.I)).first).to_be_visible()
    assert [problem for problem in problems if "Content Security Policy" in problem] == []


def test_a_film_is_loaded_again_where_its_decoder_did_not_come(
    admin_page: Page, live_server: Any, tmp_path: Path
) -> None:
    instance = received(ODD_FILMS["a window"].write(tmp_path / "film.dcm", seed=3))
    decoder = "**/assets/decoding-worker-*.js"
    admin_page.route(decoder, lambda route: route.abort())
    admin_page.goto(live_server.url + reverse("study-detail", args=[instance.study.uid]))
    viewer = admin_page.locator("[data-film-viewer]").first
    expect(viewer.get_by_role("alert")).to_contain_text("the part of this page that decodes it did not")
    admin_page.unroute(decoder)
    viewer.get_by_role("button", name="Load the film again").click()
    expect(viewer.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
    expect(viewer.get_by_role("alert")).to_have_count(0)
