"""The look that a reader chose of a film is kept with the reading, and is there again."""

import base64
import io
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Error, expect

from deepmedix_review.reviews.models import Reading, ReadingChange
from tests.factories.odd_films import HARD, ODD_FILMS, Greys, table
from tests.film_room import AFTER_TWO_FRAMES, Enter, FilmRoom, entering, received

CANVAS = "stage => stage.querySelector('.film-canvas canvas').toDataURL('image/png')"
CHANGES = re.compile(r"/api/readings/.+/changes/")
# A window first, a second one, and a table: all of which a plain window would get wrong.
FILM = replace(
    ODD_FILMS["a sigmoid"],
    attributes={
        "WindowCenter": [2000, 2600],
        "WindowWidth": [1500, 700],
        "VOILUTFunction": "SIGMOID",
        "VOILUTSequence": [table(HARD, first=0, bits=16, name="HARDER")],
    },
)


@pytest.fixture
def enter(live_server: Any, new_context: Callable[..., BrowserContext]) -> Enter:
    return entering(live_server, new_context)


def canvas_of(room: FilmRoom) -> Greys:
    room.page.evaluate(AFTER_TWO_FRAMES)
    content = base64.b64decode(room.page.locator(".film-stage").evaluate(CANVAS).split(",", 1)[1])
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=np.float64)


def choose(room: FilmRoom, look: str) -> None:
    room.page.get_by_label("Window preset").select_option(label=look)


def shown_of(room: FilmRoom, label: str | re.Pattern[str]) -> Greys:
    expect(room.page.locator(".film-area .film-corner").first).to_contain_text(label)
    return canvas_of(room)


def kept_of(reading: Reading) -> tuple[Any, ...]:
    reading.refresh_from_db()
    return reading.inverted, reading.look_index, reading.look_name, reading.look_curve


def test_the_look_that_a_reader_chose_is_there_again(enter: Enter, tmp_path: Path) -> None:
    room = enter(film=received(FILM.write(tmp_path / "film.dcm", seed=3)))
    room.open()
    reading = room.reading()
    as_stored = shown_of(room, "S-curve W 1500 L 2000")
    choose(room, "As stored: HARDER")
    middle = room.middle()
    room.drag(middle, (middle[0] + 60, middle[1] - 40))
    room.press("i")
    label = re.compile(r"HARDER, then W \d+ L \d+ · inverted")
    seen = shown_of(room, label)
    told = label.search(room.page.locator(".film-area .film-corner").first.inner_text())
    assert told is not None
    assert not np.array_equal(seen, as_stored)
    # At once: what waits for a pause is kept as the page goes.
    room.page.reload()
    room.wait_for_film()
    assert np.array_equal(shown_of(room, told[0]), seen)
    room.wait_until_saved()
    assert kept_of(reading) == (True, 2, "HARDER", "table")
    assert room.problems == []


def test_a_look_that_could_not_be_sent_outlives_a_crash(enter: Enter, tmp_path: Path) -> None:
    room = enter(film=received(FILM.write(tmp_path / "film.dcm", seed=3)))
    room.open()
    reading = room.reading()
    room.page.route(CHANGES, lambda route: route.abort())
    choose(room, "As stored: Window 2")
    seen = shown_of(room, "Window 2: S-curve W 700 L 2600")
    expect(room.page.get_by_text("Not saved: 1 waiting")).to_be_visible()
    with suppress(Error):
        room.page.goto("chrome://crash")
    assert kept_of(reading) == (False, None, "", "")
    room.page = room.page.context.new_page()
    room.open()
    assert np.array_equal(shown_of(room, "Window 2: S-curve W 700 L 2600"), seen)
    room.wait_until_saved()
    assert kept_of(reading) == (False, 1, "Window 2", "sigmoid")
    assert ReadingChange.objects.get(kind="set_window").payload["look"]["name"] == "Window 2"

    # Back to the film's first look, which is said as well.
    choose(room, "As stored: Window 1")
    shown_of(room, "S-curve W 1500 L 2000")
    room.page.reload()
    room.wait_for_film()
    shown_of(room, "S-curve W 1500 L 2000")
    room.wait_until_saved()
    assert kept_of(reading) == (False, 0, "Window 1", "sigmoid")
