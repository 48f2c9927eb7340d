"""A first read in a browser: nothing of the outputs before it is locked, and what comes after the reveal."""

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from deepmedix_review.reviews.models import FirstRead
from tests.browser import check_barriers
from tests.designed_room import EnterDesigned, entering_designed


@pytest.fixture
def enter_designed(live_server: Any, context: BrowserContext) -> EnterDesigned:
    return entering_designed(live_server, context)


def test_a_first_read_whose_lock_has_no_answer_is_asked_again_and_takes_no_more(
    enter_designed: EnterDesigned,
) -> None:
    room = enter_designed(choices=("cardiomegaly", "pneumothorax"))
    room.open()
    room.wait_for_film()
    room.press("2", "j", "4")
    room.wait_until_saved()
    asked: list[str] = []

    def lose(route: Route) -> None:
        """The first is stored and its answer lost, the second does not arrive."""
        asked.append(json.loads(route.request.post_data or "")["change_id"])
        if len(asked) == 1:
            route.fetch()
        if len(asked) <= 2:
            return route.abort()
        return route.continue_()

    room.page.route("**/first-read/lock/", lose)
    room.press("Control+Enter")
    expect(room.page.get_by_role("alert")).to_contain_text("Whether it is locked is not known")
    room.press("5")
    expect(room.page.get_by_text("The heart is enlarged").first).to_be_visible()
    expect(room.page.get_by_text("pneumothorax (confidence 4 of 5)")).to_be_visible()
    expect(room.page.get_by_role("alert")).not_to_contain_text("not known")
    assert (len(asked), len(set(asked))) == (3, 1)
    assert FirstRead.objects.get().confidence == 4


def test_nothing_of_the_outputs_is_on_the_page_before_the_first_read_is_locked(
    enter_designed: EnterDesigned,
) -> None:
    room = enter_designed(choices=("cardiomegaly", "pneumothorax"))
    room.open()
    room.wait_for_film()
    expect(room.page.get_by_role("heading", name="Reasoning")).to_have_count(0)
    assert "enlarged" not in room.page.content()
    expect(room.page.locator(".room-bottom .keys")).to_contain_text("Choose 1–2")
    expect(room.page.locator(".room-bottom .keys")).not_to_contain_text("Note")
    room.press("Control+Enter")
    expect(
        room.page.get_by_role("alert").filter(has_text="Not locked yet. To do: your answer.")
    ).to_be_visible()
    room.press("2", "j", "4")
    check_barriers(room.page)
    room.press("Control+Enter")
    expect(room.page.get_by_text("The heart is enlarged").first).to_be_visible()
    expect(room.page.get_by_text("pneumothorax (confidence 4 of 5)")).to_be_visible()

    now = room.page.get_by_role("heading", name="What you think now")
    room.press("y")
    expect(now).to_be_visible()
    expect(room.page.locator(".scale-box")).to_contain_text("Now the keys change what you think of the film.")
    check_barriers(room.page)
    room.press("Escape")
    expect(now).to_have_count(0)
    expect(room.page.get_by_role("group", name="Step 1 of output A", exact=True)).to_be_focused()

    room.press("y", "1")
    expect(room.page.get_by_text("After the reveal")).to_have_count(0)
    room.press("j", "j")
    room.wait_until_saved()
    first, after = FirstRead.objects.order_by("is_after_reveal")
    assert (first.choice, first.confidence, first.locked_at is not None) == ("pneumothorax", 4, True)
    assert (after.choice, after.confidence, after.locked_at) == ("cardiomegaly", 4, None)


def test_the_tour_explains_the_first_read_and_after_the_reveal_the_steps(
    enter_designed: EnterDesigned,
) -> None:
    room = enter_designed(num_outputs=1)
    room.open()
    room.wait_for_film()
    tour = room.page.get_by_role("dialog")
    room.page.get_by_role("button", name="Take the tour").click()
    expect(tour.get_by_text("Tour, 1 of 4")).to_be_visible()
    room.press("ArrowRight")
    expect(tour.get_by_role("heading", name="First, what you see yourself")).to_be_visible()
    expect(tour.get_by_text("J goes on: to a line of impression")).to_be_visible()
    check_barriers(room.page)
    room.press("ArrowRight", "ArrowRight")
    expect(tour.get_by_text("Ctrl Enter locks your first read")).to_be_visible()
    room.press("ArrowRight")
    expect(tour).to_have_count(0)
    expect(room.page.get_by_role("button", name="Go on with the tour")).to_have_count(0)
    room.press("1", "Control+Enter")
    room.page.get_by_role("button", name="Go on with the tour").click()
    expect(tour.get_by_role("heading", name="One step at a time")).to_be_visible()
    expect(tour.get_by_text("Tour, 1 of 4")).to_be_visible()
    room.press("Escape")
    expect(tour).to_have_count(0)
    expect(room.page.get_by_role("button", name="Go on with the tour")).to_have_count(0)
    room.wait_until_saved()
    assert room.problems == []
