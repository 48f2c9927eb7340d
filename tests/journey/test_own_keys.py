"""A reader's own keys and the tour, in a real browser: kept for the account, from whatever machine."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from deepmedix_review.accounts.models import Preference
from deepmedix_review.reviews.models import RegionAnnotation, StepRating
from deepmedix_review.reviews.study_services import create_reader_study
from tests.browser import check_barriers, open_as
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.reading_room import FILM_SIZE, HEART, LUNG, Room, enter_first_case

# Whether the tour's card lies clear of the region in focus.
IS_CLEAR = """() => {
  const [card, region] = ["dialog[open]", ".region.focused .outline"].map(
    (one) => document.querySelector(one).getBoundingClientRect());
  return card.right <= region.left || card.left >= region.right
    || card.bottom <= region.top || card.top >= region.bottom;
}"""


@pytest.fixture
def enter(live_server: Any, context: BrowserContext) -> Callable[[], Room]:
    def make() -> Room:
        reader = ExpertFactory.create()
        film = store_phantom(seed=1, size=FILM_SIZE)
        for _ in range(2):
            say(film, steps=[HEART, LUNG], answer="cardiomegaly", model_version=ServingModelFactory.create())
        create_reader_study(title="Own keys", studies=[film.study], readers=[reader], actor=None, seed=1)
        return enter_first_case(reader, context=context, url=live_server.url)

    return make


def test_a_key_is_moved_kept_for_the_account_and_reset(enter: Callable[[], Room]) -> None:
    room = enter()
    page = room.page
    room.press("Shift+Slash")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    sheet.get_by_role("button", name="Region fits: F.").click()
    expect(sheet.get_by_text("Press the new key for “Region fits”.")).to_be_visible()
    room.press("t")
    expect(sheet.get_by_text("T is taken by “Note”.")).to_be_visible()
    room.press("Semicolon")
    expect(sheet.get_by_text("“Region fits” is on ; now.")).to_be_visible()
    check_barriers(page)
    # The key right after the one that closes it is heard.
    room.press("Escape", "Shift+Slash", "Escape", "Shift+Slash")
    expect(sheet).to_be_visible()
    room.press("Escape")
    expect(sheet).to_have_count(0)
    assert Preference.objects.get().keys == {"verdict-fits": "Semicolon"}

    page.evaluate("localStorage.clear()")
    page.reload()
    room.wait_for_film()
    expect(page.locator(".room-bottom")).to_contain_text("Region fits ;")
    room.press("4", "f", "Semicolon")
    room.wait_until_saved()
    assert RegionAnnotation.objects.get().verdict == "fits"
    assert StepRating.objects.get().plausibility == 4

    room.press("Shift+Slash")
    sheet.get_by_role("button", name="Reset all keys").click()
    expect(sheet.get_by_role("button", name="Region fits: F.")).to_be_visible()
    sheet.get_by_role("checkbox").uncheck()
    expect(sheet.get_by_text("Single keys are off.", exact=True)).to_be_visible()
    room.press("Escape")
    page.reload()
    room.wait_for_film()
    expect(page.get_by_text("Single keys are off.")).to_be_visible()
    room.press("5", "f")
    room.press("Control+z")
    assert StepRating.objects.get().plausibility == 4
    assert room.problems == []

    # Somebody else logs in beside this page, which stays open: their keys stay theirs.
    other = ExpertFactory.create()
    open_as(other, context=page.context, url=room.url).close()
    page.get_by_role("button", name="Shortcuts").click()
    sheet.get_by_role("checkbox").check()
    expect(sheet.get_by_text("It could not be kept for other days: Another account")).to_be_visible()
    assert not Preference.objects.filter(user=other).exists()


def test_words_typed_over_the_tour_are_for_nobody_and_escape_ends_it(enter: Callable[[], Room]) -> None:
    room = enter()
    page = room.page
    page.get_by_role("button", name="Take the tour").click()
    tour = page.get_by_role("dialog")
    page.keyboard.type("1 f 4 next the heart, is it large? note 2 x ")
    expect(tour.get_by_text("Tour, 1 of 6")).to_be_visible()
    # Its keys are its own too after a click on its words.
    tour.get_by_role("heading").click()
    room.press("ArrowRight", "ArrowRight")
    expect(tour.get_by_text("Tour, 3 of 6")).to_be_visible()
    page.keyboard.type("f4")
    room.press("Escape")
    room.press("2")
    room.wait_until_saved()
    assert list(StepRating.objects.values_list("plausibility", "note")) == [(2, "")]
    assert not RegionAnnotation.objects.exists()
    assert room.problems == []


def test_the_key_after_the_tour_is_heard_before_the_browser_tells_that_it_closed(
    enter: Callable[[], Room],
) -> None:
    room = enter()
    page = room.page
    page.get_by_role("button", name="Take the tour").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.evaluate(
        """() => {
          document.querySelector("dialog[open]").close();
          const press = {key: "4", code: "Digit4", bubbles: true, cancelable: true};
          document.body.dispatchEvent(new KeyboardEvent("keydown", press));
        }"""
    )
    room.wait_until_saved()
    assert StepRating.objects.get().plausibility == 4
    assert room.problems == []


def test_the_skip_link_is_seen_in_the_focus_and_leads_to_what_is_rated(enter: Callable[[], Room]) -> None:
    room = enter()
    page = room.page
    skip = page.get_by_role("button", name="Skip to what is rated")
    expect(skip).not_to_be_in_viewport()
    page.get_by_role("link", name="DeepMedix Review").focus()
    room.press("Shift+Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    check_barriers(page)
    room.press("Enter")
    expect(page.locator(".room .step.current")).to_be_focused()
    expect(skip).not_to_be_in_viewport()
    assert room.problems == []


def test_the_tour_is_taken_by_keys_offered_once_and_found_again(enter: Callable[[], Room]) -> None:
    room = enter()
    page = room.page
    page.get_by_role("button", name="Take the tour").click()
    tour = page.get_by_role("dialog")
    for number in range(1, 7):
        expect(tour.get_by_text(f"Tour, {number} of 6")).to_be_visible()
        if number == 2:
            assert page.evaluate(IS_CLEAR)
        room.press("Enter")
    expect(tour).to_have_count(0)
    expect(page.get_by_role("region", name="New here?")).to_have_count(0)
    page.reload()
    room.wait_for_film()
    expect(page.get_by_role("region", name="New here?")).to_have_count(0)
    # A region in the corner where the card would lie.
    room.press("j", "Shift+Slash")
    sheet = page.get_by_role("dialog")
    assert sheet.evaluate("it => it.scrollHeight <= it.clientHeight")
    page.get_by_role("button", name="Tour").click()
    expect(page.get_by_role("dialog", name="The film")).to_be_visible()
    room.press("ArrowRight")
    expect(page.get_by_role("dialog", name="One step at a time")).to_be_visible()
    assert page.evaluate(IS_CLEAR)
    room.press("ArrowLeft")
    check_barriers(page)
    room.press("Shift+Slash")
    expect(page.get_by_role("dialog").get_by_text("Redraw region")).to_be_visible()
    room.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    room.press("4")
    room.wait_until_saved()
    assert Preference.objects.get().has_toured
    assert room.problems == []
