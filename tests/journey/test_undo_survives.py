"""What a reader did can be taken back after a reload and a crash, never over what another window said."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, expect

from deepmedix_review.reviews.models import Reading, RegionAnnotation, StepRating
from deepmedix_review.reviews.study_services import create_reader_study
from tests.browser import open_as
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.reading_room import HEART, LUNG, Room, enter_first_case

KEPT = """async () => {
    const opening = indexedDB.open("deepmedix-review");
    const opened = await new Promise((done) => { opening.onsuccess = () => done(opening.result); });
    const asked = opened.transaction("histories").objectStore("histories").getAllKeys();
    const keys = await new Promise((done) => { asked.onsuccess = () => done(asked.result); });
    opened.close();
    return keys.map(([account, reading]) => reading);
}"""


@pytest.fixture
def enter(live_server: Any, context: BrowserContext) -> Callable[[], Room]:
    """A reader at the first of two cases, each with one output of two steps."""

    def make() -> Room:
        reader = ExpertFactory.create()
        model_version = ServingModelFactory.create()
        studies = []
        for seed in (1, 2):
            film = store_phantom(seed=seed, size=128)
            boxes = [(text, [(20.0, 20.0, 60.0, 90.0)]) for text, _ in (HEART, LUNG)]
            say(film, steps=boxes, answer="cardiomegaly", model_version=model_version)
            studies.append(film.study)
        create_reader_study(title="Taken back", studies=studies, readers=[reader], actor=None, seed=1)
        return enter_first_case(reader, context=context, url=live_server.url)

    return make


def said(room: Room, sentence: str | re.Pattern[str]) -> None:
    expect(room.page.locator(".film-said")).to_have_text(sentence)


def plausibility(reading: Reading) -> list[int | None]:
    ratings = StepRating.objects.filter(reading=reading).order_by("step__position")
    return list(ratings.values_list("plausibility", flat=True))


def test_undo_and_redo_go_on_after_a_reload_and_a_crash(
    enter: Callable[[], Room], context: BrowserContext
) -> None:
    room = enter()
    reading = room.readings()[0]
    room.press("4", "f", "2", "x", "k", "k")
    room.press("t")
    room.page.keyboard.type("a small flaw")
    room.press("Escape")
    room.wait_until_saved()
    room.page.reload()
    room.wait_for_film()
    room.press("Control+z")
    said(room, re.compile(r"^Undone: note of step \d\. 4 left to undo\.$"))
    room.press("Control+z", "Control+z")
    said(room, "Undone: plausibility of step 2. 2 left to undo.")
    room.wait_until_saved()
    assert plausibility(reading) == [4, None]
    assert RegionAnnotation.objects.filter(reading=reading).count() == 1

    with suppress(Error):
        room.page.goto("chrome://crash")
    room.page = context.new_page()
    room.open()
    room.wait_for_film()
    room.press("Control+y")
    said(room, "Done again: plausibility of step 2. 2 left to redo.")
    room.press("Control+z", "Control+z", "Control+z")
    said(room, "Undone: plausibility of step 1. 0 left to undo.")
    room.wait_until_saved()
    assert plausibility(reading) == [None, None]
    assert not RegionAnnotation.objects.filter(reading=reading).exists()


def test_what_another_window_said_since_is_not_overwritten_by_an_undo(
    enter: Callable[[], Room], context: BrowserContext
) -> None:
    room = enter()
    reading = room.readings()[0]
    room.press("4", "f", "2")
    room.wait_until_saved()
    other = Room(context.new_page(), room.url, room.reader, [])
    other.open()
    other.wait_for_film()
    other.press("k", "k", "1")
    other.wait_until_saved()

    room.page.bring_to_front()
    room.press("3")
    room.wait_until_saved()
    room.page.reload()
    room.wait_for_film()
    room.press("Control+z", "Control+z", "Control+z")
    said(room, "Undone: region 1. 1 left to undo.")
    room.press("Control+z")
    said(room, re.compile(r"^Not undone: plausibility of step 1 was changed elsewhere since"))
    expect(room.page.locator(".room .current")).to_have_attribute("aria-label", "Step 1")
    expect(room.page.get_by_role("alert", name="Two versions")).to_have_count(0)
    room.wait_until_saved()
    assert plausibility(reading) == [1, None]
    assert room.problems == []


def test_nothing_is_left_to_take_back_once_signed_or_logged_out(
    enter: Callable[[], Room], context: BrowserContext
) -> None:
    room = enter()
    page = room.page
    first, second = room.readings()
    room.press(*["4", "f"] * 2, "5", "4", "3")
    room.wait_until_saved()
    assert page.evaluate(KEPT) == [str(first.uid)]
    room.press("Control+Enter")
    expect(page.get_by_text("Case 2 of 2")).to_be_visible()
    room.wait_for_film()
    room.press("3")
    room.wait_until_saved()
    assert page.evaluate(KEPT) == [str(second.uid)]
    page.get_by_role("link", name="Worklist", exact=True).click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.evaluate(KEPT) == []
    room.page = open_as(room.reader, context=context, url=room.url)
    room.page.goto(f"{room.url}/readings/{second.uid}/")
    room.wait_for_film()
    room.press("Control+z")
    said(room, "Nothing to undo.")
    assert plausibility(second) == [3]
    assert room.problems == []
