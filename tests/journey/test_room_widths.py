"""However large the screen and its words are, what is chosen from stands in one row."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Route, expect

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.selectors import film_path
from inference.images import render_reference
from inference.phantom_dicom import Visit
from tests.film_room import AFTER_TWO_FRAMES, Enter, FilmRoom, entering, film_of_visit, greys_of
from tests.reading_room import Room

# The scales of the column whose values do not stand in one row.
BROKEN_SCALES = """() => [...document.querySelectorAll('.room-column .segments')]
    .filter((scale) => new Set([...scale.querySelectorAll('label')]
        .map((value) => Math.round(value.getBoundingClientRect().top))).size > 1)
    .map((scale) => scale.textContent)"""

# By how many pixels the middle of a film may lie off that of its stage.
MOST_OFF = 2
SCREENS = [(1440, 900), (1920, 1080), (2560, 1440)]


@pytest.fixture
def enter(live_server: Any, new_context: Callable[..., BrowserContext]) -> Enter:
    return entering(live_server, new_context)


def test_scales_stay_in_one_row_with_two_films_and_two_outputs_side_by_side(
    enter: Enter, tmp_path: Path
) -> None:
    rated = film_of_visit(tmp_path, Visit(study_date=date(2026, 5, 20)))
    film_of_visit(tmp_path, Visit(study_date=date(2025, 10, 18), is_earlier=True))
    room = enter(film=rated, num_outputs=2)
    room.page.set_viewport_size({"width": 2560, "height": 1440})
    room.open()
    room.press("Shift+O", "c")
    expect(room.page.locator(".film-companion .film-corner").last).to_contain_text("zoom")
    expect(room.page.get_by_role("heading", name="Reasoning")).to_have_count(2)
    room.page.evaluate(AFTER_TWO_FRAMES)
    assert room.page.evaluate(BROKEN_SCALES) == []

    # On a smaller screen no film becomes a strip: the outputs stand one at a time.
    room.page.set_viewport_size({"width": 1440, "height": 900})
    room.said("One output at a time: the window is too narrow for both beside two films.")
    expect(room.page.get_by_role("heading", name="Reasoning")).to_have_count(1)
    expect(room.page.locator(".film-companion")).to_be_visible()
    assert room.problems == []


def test_what_an_output_says_beside_its_answer_stays_in_its_card_line_by_line(enter: Enter) -> None:
    room = enter()
    said = f"Advice:\n- a lateral view\n- {'A' * 200}"
    text = f"<think> The heart is large </think> \\boxed{{cardiomegaly}}. {said}"
    Completion.objects.update(text=text)
    room.page.set_viewport_size({"width": 1280, "height": 720})
    room.open()
    shown = room.page.get_by_text("Also written: Advice:")
    expect(shown).to_have_text(f"Also written: {said}")
    assert shown.evaluate("each => each.scrollWidth <= each.clientWidth")
    assert shown.evaluate("each => each.innerText.split('\\n').length") == 3
    assert room.problems == []


def test_what_is_said_on_the_film_at_a_vote_covers_a_third_of_its_width_at_most(enter: Enter) -> None:
    room = enter(num_outputs=2)
    room.page.set_viewport_size({"width": 1280, "height": 720})
    room.open()
    room.page.get_by_role("group", name=re.compile("^Better overall")).get_by_role(
        "radio", name="tie"
    ).check()
    said = room.page.locator(".film-corner").first
    expect(said).to_contain_text("The outputs' own regions:")
    expect(said).to_contain_text("A full, B dashed")
    corner, stage = said.bounding_box(), room.page.locator(".film-stage").bounding_box()
    assert corner is not None
    assert stage is not None
    assert corner["width"] <= stage["width"] / 3
    assert room.problems == []


def greatest_difference_at_1_to_1(room: FilmRoom, *, scale: float = 1) -> float:
    """Of the middle of the film, between the screen and what the model sees, of 255 grey levels."""
    page = room.page
    page.keyboard.down("Space")
    page.evaluate(AFTER_TWO_FRAMES)
    stage = page.locator(".film-stage").bounding_box()
    assert stage is not None
    screen = greys_of(page.screenshot())
    page.keyboard.up("Space")
    film = render_reference(film_path(Instance.objects.get())).astype(float)
    rows, columns = (size // 2 for size in film.shape)
    expected = film[rows // 2 : rows // 2 + rows, columns // 2 : columns // 2 + columns]
    top = round((stage["y"] + stage["height"] / 2) * scale) - rows // 2
    left = round((stage["x"] + stage["width"] / 2) * scale) - columns // 2
    near = range(-MOST_OFF, MOST_OFF + 1)
    differences = [
        np.abs(screen[top + y : top + y + rows, left + x : left + x + columns] - expected).max()
        for y in near
        for x in near
    ]
    return float(min(differences))


@pytest.mark.parametrize("scale", [1, 1.5])
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_each_pixel_of_a_film_at_1_to_1_is_one_of_the_screen(
    enter: Enter, width: int, height: int, scale: float
) -> None:
    room = enter(device_scale_factor=scale)
    room.page.set_viewport_size({"width": width, "height": height})
    room.open()
    room.press("Shift+Digit0")
    assert greatest_difference_at_1_to_1(room, scale=scale) <= 1
    # It stays so in a window of another size.
    width, height = SCREENS[SCREENS.index((width, height)) - 1]
    room.page.set_viewport_size({"width": width, "height": height})
    room.page.evaluate(AFTER_TWO_FRAMES)
    assert greatest_difference_at_1_to_1(room, scale=scale) <= 1


def test_a_window_that_gets_another_size_while_the_film_is_on_its_way_shows_it_pixel_by_pixel(
    enter: Enter,
) -> None:
    room = enter()
    held: list[Route] = []
    room.page.route("**/api/instances/*/film/", lambda route: held.append(route))
    room.page.set_viewport_size({"width": 1440, "height": 900})
    with room.page.expect_request("**/api/instances/*/film/"):
        Room.open(room)
    room.page.set_viewport_size({"width": 1331, "height": 777})
    room.page.evaluate(AFTER_TWO_FRAMES)
    held[0].continue_()
    room.wait_for_film()
    room.press("Shift+Digit0")
    assert greatest_difference_at_1_to_1(room) <= 1
