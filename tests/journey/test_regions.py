"""Regions in a real browser: what is drawn at a pixel of the film is stored there, and comes back by undo."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import DrawnRegion, RegionAnnotation, StepRating, Vote
from tests.browser import check_barriers
from tests.film_room import FIRST, INNER, SECOND, Enter, edges, entering, marked_film, squares_on_screen
from tests.reading_room import FILM_SIZE


@pytest.fixture
def enter(live_server: Any, new_context: Callable[..., BrowserContext]) -> Enter:
    return entering(live_server, new_context)


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
    left.fill("")
    left.press_sequentially("20.5")
    left.press("Tab")
    room.wait_until_saved()
    annotation.refresh_from_db()
    assert edges(annotation) == [20.5, 80, 152.5, 200]
    assert room.problems == []


def test_a_step_gets_further_regions_which_can_be_deleted_and_brought_back(enter: Enter) -> None:
    room = enter()
    room.open()
    middle = room.middle()
    room.press("d")
    room.said("Draw the new region on the film, or press an arrow key to begin in the middle. Esc: none.")
    room.drag(middle, (middle[0] + 90, middle[1] + 60))
    expect(room.current().get_by_role("button", name="Region 1+1", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    room.press("d", "ArrowRight", "ArrowRight")
    expect(room.current().get_by_role("button", name="Region 1+2", exact=True)).to_be_visible()
    room.wait_until_saved()
    first, second = DrawnRegion.objects.order_by("pk")
    assert first.step == second.step == room.reading().completion_a.steps.get(position=1)
    assert (first.x_min, first.y_min) == pytest.approx((FILM_SIZE / 2, FILM_SIZE / 2), abs=1.0)
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
    room.wait_for_film()
    expect(room.page.locator("[data-region]")).to_have_count(3)
    room.press("Delete")
    room.said("Only regions of your own can be deleted. X says that the model's is wrong.")
    check_barriers(room.page)
    assert room.problems == []


def test_a_click_and_a_drag_along_a_line_draw_no_region_and_say_how_one_is_drawn(enter: Enter) -> None:
    room = enter()
    room.open()
    x, y = room.middle()
    room.press("d")
    for end in ((x, y), (x, y + 80), (x + 80, y), (x - 80, y + 2)):
        room.drag((x, y), end)
        room.said("No region yet: press on one corner of it and drag to the opposite one. Esc: none.")
        expect(room.page.locator("[data-region]")).to_have_count(1)
    assert not DrawnRegion.objects.exists()
    # It is still to be drawn: no key in between.
    room.drag((x, y), (x + 80, y + 60))
    expect(room.page.locator("[data-region]")).to_have_count(2)
    room.wait_until_saved()
    drawn = DrawnRegion.objects.get()
    assert (drawn.x_min, drawn.y_min) == pytest.approx((FILM_SIZE / 2, FILM_SIZE / 2), abs=1.0)

    # One that stands is redrawn by no click either.
    room.press("k", "r")
    room.drag((x + 10, y - 40), (x + 10, y - 90))
    room.said("No region yet: press on one corner of it and drag to the opposite one. Esc: none.")
    room.press("Escape")
    assert not RegionAnnotation.objects.exists()
    assert room.problems == []


def test_a_region_is_moved_by_keys_from_its_button_and_by_the_grip_under_its_label(enter: Enter) -> None:
    room = enter()
    room.open()
    middle = room.middle()
    room.press("d")
    room.drag(middle, (middle[0] + 90, middle[1] + 60))
    room.wait_until_saved()
    drawn = DrawnRegion.objects.get()
    room.current().get_by_role("button", name="Region 1+1", exact=True).click()
    room.press("Shift+ArrowDown")
    room.said(re.compile("^Arrow keys move it"))

    grip = room.page.locator("[data-grip=nw]").bounding_box()
    label = room.page.locator(".region .plate").filter(visible=True).last.bounding_box()
    assert grip is not None
    assert label is not None
    start = grip["x"] + grip["width"] / 2 + 2, grip["y"] + grip["height"] / 2 - 2
    assert label["x"] <= start[0] <= label["x"] + label["width"]
    assert label["y"] <= start[1] <= label["y"] + label["height"]
    room.drag(start, (start[0] - 30, start[1] - 20))
    room.wait_until_saved()
    now = DrawnRegion.objects.get()
    assert (now.x_max, now.y_max) == pytest.approx((drawn.x_max, drawn.y_max + 10), abs=0.11)
    assert now.x_min < drawn.x_min - 5
    assert now.y_min < drawn.y_min + 5
    assert room.problems == []


def test_every_change_can_be_undone_and_done_again_across_the_sides(enter: Enter) -> None:
    room = enter(num_outputs=2, steps=(INNER,))
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
    expect(room.page.locator("[data-region].flawed")).to_have_count(3)
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


def test_a_first_read_and_a_missed_finding_have_regions_of_their_own(enter: Enter) -> None:
    room = enter(design=ReaderStudyDesign(first_reads="on"))
    room.open()
    middle = room.middle()
    room.press("d")
    room.drag(middle, (middle[0] + 60, middle[1] + 50))
    expect(room.page.locator(".region .plate-text")).to_have_text(["1"])
    # From the grip of the first one on, which a drag would take at any other time.
    room.press("d")
    room.drag((middle[0] + 60, middle[1] + 50), (middle[0] + 120, middle[1] + 100))
    expect(room.page.locator(".region .plate-text")).to_have_text(["1", "2"])
    room.press("Delete", "ArrowRight")
    expect(room.page.locator(".region .plate-text")).to_have_text(["1"])
    check_barriers(room.page)
    room.wait_until_saved()
    first = DrawnRegion.objects.get()
    assert first.first_read is not None
    assert first.x_min == pytest.approx(FILM_SIZE / 2 + 1, abs=1.0)

    room.press("1", "t")
    room.page.keyboard.type("Nothing new.")
    room.press("Enter", "Control+Enter")
    expect(room.page.get_by_role("group", name="Step 1", exact=True)).to_be_visible()
    # A full stop of the reader's ends the line: no comma follows it.
    summary = room.page.get_by_role("region", name="Your first read")
    expect(summary).to_contain_text("No Finding; Nothing new. · 1 region, seen with all")
    room.press("n")
    room.page.keyboard.type("Effusion on the left")
    room.press("Escape")
    # Scrolled away, the finding is in sight again as soon as something is drawn for it.
    room.page.set_viewport_size({"width": 1280, "height": 560})
    finding = room.page.get_by_role("group", name="Missed finding 1", exact=True)
    expect(finding).to_be_in_viewport(ratio=1)
    room.page.locator(".room-scroll").evaluate("list => list.scrollTo(0, 0)")
    expect(finding).not_to_be_in_viewport(ratio=1)
    room.press("d")
    expect(finding).to_be_in_viewport(ratio=1)
    room.press("ArrowRight", "Control+z")
    expect(finding).to_be_in_viewport(ratio=1)
    room.page.set_viewport_size({"width": 1440, "height": 900})
    room.press("d")
    room.drag((middle[0] - 90, middle[1]), (middle[0] - 20, middle[1] + 70))
    expect(room.page.locator(".region .plate-text")).to_have_text(["M1"])
    room.press("b")
    expect(room.page.locator(".region .plate-text")).to_have_text(["First read", "1", "2", "M1"])
    check_barriers(room.page)
    room.wait_until_saved()
    drawn = DrawnRegion.objects.get(first_read=None)
    assert drawn.missed_finding is not None
    assert drawn.missed_finding.text == "Effusion on the left"
    # The focus goes on with the words below the list, whether the finding had it or another item.
    delete = room.page.get_by_role("button", name="Delete missed finding 1")
    step = room.page.get_by_role("group", name="Step 1", exact=True)
    for walk in ("k", "j"):
        room.press(walk)
        delete.click()
        expect(room.page.locator(".region .plate-text")).to_have_count(3)
        expect(step).to_be_focused()
        expect(room.page.locator(".scale-box")).not_to_contain_text("Missed finding")
        room.press("Control+z")
        expect(room.page.locator(".region .plate-text")).to_have_count(4)
    delete.click()
    expect(room.page.locator(".region .plate-text")).to_have_count(3)
    room.press("Control+z")
    expect(room.page.locator(".region .plate-text")).to_have_count(4)
    room.wait_until_saved()
    assert edges(DrawnRegion.objects.get(first_read=None)) == edges(drawn)
    # What stands in the film's corner stays readable beside a region that begins there.
    corner = room.page.locator(".film-corner").first.bounding_box()
    assert corner is not None
    inside = (corner["x"] + corner["width"] - 12, corner["y"] + 8)
    room.press("d")
    room.drag(inside, (inside[0] + 60, inside[1] + 20))
    expect(room.page.locator(".region .plate-text")).to_have_count(5)
    plate = room.page.locator(".region .plate").last.bounding_box()
    assert plate is not None
    assert plate["x"] < corner["x"] + corner["width"]
    assert plate["y"] + plate["height"] <= corner["y"] + 0.5
    assert room.problems == []
