"""The tools on a film in a browser: fingers, ruler, magnifier, and films to compare with, never to rate."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Route, expect

from deepmedix_review.reviews.models import Reading, RegionAnnotation, StepRating
from deepmedix_review.studies.selectors import film_path
from inference.phantom_dicom import Visit
from tests.browser import check_barriers
from tests.factories.studies import write_film
from tests.film_room import (
    AFTER_TWO_FRAMES,
    HALF,
    WHITE,
    Enter,
    edges,
    entering,
    film_of_visit,
    greys_of,
    marked_film,
    received,
    squares_on_screen,
    touching,
)
from tests.reading_room import FILM_SIZE

# In one look: the lines are drawn anew at each change, and an end may be gone between two.
END_OF_LINE = """() => {
  const box = document.querySelector("[data-ruler=from]")?.getBoundingClientRect();
  return box?.width ? box.toJSON() : null;
}"""


@pytest.fixture
def enter(live_server: Any, new_context: Callable[..., BrowserContext]) -> Enter:
    return entering(live_server, new_context)


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

    # A line and the magnifier by one finger.
    lens = room.page.locator(".lens:visible")
    at = room.middle()
    with touching(room.page) as touch:
        room.press("Escape", "m")
        touch("touchStart", at)
        touch("touchMove", (at[0] + 40, at[1]))
        touch("touchMove", (at[0] + 80, at[1]))
        touch("touchEnd")
        expect(room.page.locator(".ruler-text")).to_be_visible()
        room.press("Escape", "v")
        touch("touchStart", at)
        expect(lens).to_be_visible()
        before_move = lens.bounding_box()
        touch("touchMove", (at[0] + 50, at[1] + 30))
        touch("touchEnd")
        after_move = lens.bounding_box()
    assert before_move is not None
    assert after_move is not None
    assert after_move["x"] - before_move["x"] == pytest.approx(50, abs=1.0)
    assert after_move["y"] - before_move["y"] == pytest.approx(30, abs=1.0)
    assert RegionAnnotation.objects.count() == 1
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
    path = write_film(
        tmp_path / "film.dcm", seed=1, size=FILM_SIZE, **{"ImagerPixelSpacing": None, **attributes}
    )
    room = enter(film=received(path))
    room.open()
    # By keys: a line of 52 columns across the middle, then its end 40 rows down.
    room.press("m", "ArrowDown", *["Shift+ArrowDown"] * 4)
    words = room.page.locator(".ruler-text")
    expect(words).to_have_text(length)
    room.press("Alt+Shift+ArrowLeft")
    expect(words).not_to_have_text(length)
    # By the mouse: an end is dragged away and back; and by a click at each end.
    end = room.page.wait_for_function(END_OF_LINE).json_value()
    at = (end["x"] + 12, end["y"] + 12)
    room.drag(at, (at[0] + 80, at[1]))
    expect(words).not_to_have_text(length)
    expect(room.page.get_by_text(re.compile(r"^Length of the line: .+\.$"))).to_have_count(1)
    # A further one by a click at each end: then the ratio of the two is told.
    room.page.mouse.click(at[0], at[1] + 70)
    room.page.mouse.click(at[0] + 100, at[1] + 70)
    expect(words).to_have_count(2)
    unit = length.partition(" ")[2]
    expect(words.last).to_have_text(re.compile(rf"^2: [\d.]+ {unit} · (1 ÷ 2|2 ÷ 1) = 0\.\d\d$"))
    # The key only suggests a line, so a drag after it leaves no stray one; Space hides all.
    room.press("m")
    expect(room.page.locator(".ruler.suggested")).to_have_count(1)
    room.drag((at[0], at[1] + 110), (at[0] + 60, at[1] + 110))
    expect(room.page.locator(".ruler.suggested")).to_have_count(0)
    expect(words).to_have_count(3)
    room.page.keyboard.down("Space")
    expect(words).to_have_count(0)
    room.page.keyboard.up("Space")
    expect(words).to_have_count(3)
    room.press("Control+z")
    expect(words).to_have_count(2)
    room.press("Control+z")
    expect(words).to_have_count(1)
    room.press("Control+y")
    check_barriers(room.page)
    # They are kept with the reading until one is taken away.
    room.press("Escape")
    room.wait_until_saved()
    room.page.reload()
    room.wait_for_film()
    expect(words).to_have_count(2)
    room.press("m", "g", "Delete")
    expect(words).to_have_text([re.compile(r"^[\d.]+ ")])
    room.page.locator("[data-ruler-off]").click(force=True)
    expect(words).to_have_count(0)
    room.wait_until_saved()
    assert Reading.objects.get().measured_lines == []
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
    shot = greys_of(lens.screenshot())
    rows, columns = np.nonzero(shot > WHITE)
    assert (columns.mean(), rows.mean()) == pytest.approx((shot.shape[1] / 2, shot.shape[0] / 2), abs=2.0)
    assert np.ptp(columns) > 2 * (2 * HALF + 1)
    for _ in range(4):
        room.press("Shift+ArrowRight")
    room.page.evaluate(AFTER_TWO_FRAMES)
    assert greys_of(lens.screenshot()).max() < WHITE
    room.press("v")
    expect(lens).to_have_count(0)
    room.page.keyboard.down("v")
    room.page.keyboard.down("v")
    expect(lens).to_be_visible()
    room.page.keyboard.up("v")
    expect(lens).to_have_count(0)
    assert room.problems == []


def test_the_tools_say_how_the_film_is_seen(enter: Enter) -> None:
    room = enter()
    room.open()
    page = room.page
    presets = page.get_by_label("Window preset")
    chosen = presets.locator("option:checked")
    zoom = page.locator(".film-corner.right")
    expect(chosen).to_have_text("As stored")
    room.press("l")
    expect(chosen).to_have_text("Auto")
    presets.select_option("Lung")
    expect(chosen).to_have_text("Lung")
    middle = room.middle()
    room.drag(middle, (middle[0] + 50, middle[1]))
    expect(chosen).to_have_text("Own window")
    presets.select_option("As stored")
    expect(chosen).to_have_text("As stored")

    room.press("Shift+Digit0")
    expect(zoom).to_contain_text("zoom 100 %")
    room.press("0")
    expect(zoom).not_to_contain_text("zoom 100 %")
    page.get_by_role("button", name="1:1").click()
    expect(zoom).to_contain_text("zoom 100 %")
    assert room.problems == []


def test_other_films_are_looked_at_and_compared_and_never_rated(enter: Enter, tmp_path: Path) -> None:
    day = date(2026, 5, 20)
    rated = film_of_visit(tmp_path, Visit(study_date=day))
    lateral = film_of_visit(tmp_path, Visit(study_date=day, take=1), view_position="LL")
    prior = film_of_visit(tmp_path, Visit(study_date=date(2025, 10, 18), is_earlier=True))
    room = enter(film=rated)
    room.open()
    strip = room.page.get_by_role("navigation", name="Films of this case")
    names = ("PA rated", "Lateral same study", "Prior PA 7 months earlier")
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
    # The tools are this film's.
    invert = room.page.get_by_role("button", name="Invert")
    room.press("i")
    expect(invert).to_have_attribute("aria-pressed", "true")
    room.press("Escape")
    expect(invert).to_have_attribute("aria-pressed", "false")
    room.press("o")
    is_looking_at("Lateral · same study")
    expect(step).to_be_disabled()
    check_barriers(room.page)
    for keys in (("4",), ("f",), ("Control+z",), ("Control+Enter",), ("r",), ("d",)):
        room.press(*keys)
        room.said("The rated film is back. Nothing was rated: press the key again.")
        expect(other).to_have_count(0)
        expect(room.page.locator(".film-rated .film-canvas")).to_be_visible()
        strip.get_by_role("button", name="Prior").click()
        is_looking_at("Prior PA · 7 months earlier")
    assert not StepRating.objects.exists()
    assert not RegionAnnotation.objects.exists()

    room.press("Escape")
    alone = room.page.locator(".film-corner.right").inner_text()
    room.press("Shift+O")
    strip.get_by_role("button", name="Prior").click()
    expect(room.page.locator(".film-banner.rated")).to_have_text("PA · rated The film that you rate.")
    expect(room.page.get_by_role("heading", name="Question about the rated film, PA")).to_be_visible()
    expect(room.page.locator(".film-rated .film-canvas")).to_be_visible()
    is_looking_at("Prior PA · 7 months earlier")
    # At one height, so that the eye goes straight across.
    films = [box.bounding_box() for box in room.page.locator(".film-canvas").all()]
    assert len(films) == 2
    assert len({(film["y"], film["height"]) for film in films if film}) == 1
    expect(room.page.locator(".film-rated [data-region]")).to_have_count(1)
    expect(room.page.locator(".film-companion [data-region]")).to_have_count(0)
    check_barriers(room.page)
    # Two films of one view zoom together, until the reader wants each by itself.
    mine, theirs = (room.page.locator(".film-corner.right").nth(at) for at in (0, 1))
    whole = mine.inner_text()
    room.press("=")
    expect(mine).not_to_have_text(whole)
    expect(theirs).to_have_text(mine.inner_text())
    room.press("s", "=")
    expect(theirs).not_to_have_text(mine.inner_text())
    room.press("s")
    expect(theirs).to_have_text(mine.inner_text())
    # A look too; each by itself, it is the film's under the pointer, and never the rated one by surprise.
    corners = [room.page.locator(".film-corner:not(.right)").nth(at) for at in (0, 1)]
    room.press("i")
    for corner in corners:
        expect(corner).to_contain_text("inverted")
    room.press("s")
    other.locator(".film-stage").hover()
    room.press("i")
    expect(corners[1]).not_to_contain_text("inverted")
    expect(corners[0]).to_contain_text("inverted")
    other.get_by_role("button", name="Linked S").click()
    room.press("4")
    room.wait_until_saved()
    assert StepRating.objects.get().plausibility == 4
    other.get_by_role("button", name="Close Esc").click()
    expect(other).to_have_count(0)
    expect(mine).to_have_text(alone)

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


def test_a_key_right_after_the_room_got_narrower_leaves_the_film_where_it_is(enter: Enter) -> None:
    room = enter()
    room.open()
    page = room.page
    # In one task: the browser has not told yet that the film's place is another.
    page.evaluate(
        """() => {
          document.querySelector(".film-stage").style.width = "400px";
          document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { code: "KeyJ", key: "j", bubbles: true }));
        }"""
    )
    expect(room.current()).to_have_attribute("aria-label", "Step 2")
    page.evaluate(AFTER_TWO_FRAMES)
    region = page.locator(".region.focused .outline").first
    after = region.bounding_box()
    room.press("0")
    page.evaluate(AFTER_TWO_FRAMES)
    assert region.bounding_box() == after
    assert room.problems == []
