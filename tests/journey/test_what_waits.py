"""What still waits in the browser is told where a reader leaves, and sent where they come back."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Error, Locator, Page, expect

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import StepRating
from deepmedix_review.reviews.study_services import create_reader_study
from tests.browser import check_barriers, open_as
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.reading_room import Room, enter_first_case

CHANGES = re.compile(r"/api/readings/.+/changes/")
WAITS = re.compile(r"^\d changes? waits? in this browser, of \S+\.")


@pytest.fixture
def enter(live_server: Any, context: BrowserContext) -> Callable[[], Room]:
    """A reader at their one case."""

    def make() -> Room:
        reader = ExpertFactory.create()
        film = store_phantom(seed=1, size=128)
        boxes = [("The heart is enlarged.", [(20.0, 20.0, 60.0, 90.0)])]
        say(film, steps=boxes, answer="cardiomegaly", model_version=ServingModelFactory.create())
        create_reader_study(title="Left", studies=[film.study], readers=[reader], actor=None, seed=1)
        return enter_first_case(reader, context=context, url=live_server.url)

    return make


def worklist_of(user: User, *, context: BrowserContext, url: str) -> Page:
    page = open_as(user, context=context, url=url)
    page.goto(url + reverse("worklist"))
    return page


def asked(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Log out all the same?")


def log_out(page: Page) -> None:
    page.get_by_role("banner").get_by_role("button", name="Log out").click()


def test_what_waits_is_told_at_the_way_out_and_sent_at_the_way_back(
    enter: Callable[[], Room], context: BrowserContext
) -> None:
    room = enter()
    page, url = room.page, room.url
    context.route(CHANGES, lambda route: route.abort())
    room.press("4")
    expect(page.get_by_role("alert").filter(has_text="The server cannot be reached")).to_be_visible()
    page.get_by_role("link", name="Worklist", exact=True).click()
    told = page.get_by_role("status").filter(has_text=WAITS)
    expect(told).to_contain_text("sent when you open the case.")
    label = room.readings()[0].assignment.label
    expect(told.get_by_role("link", name=f"Open {label}")).to_have_attribute(
        "href", f"/readings/{room.readings()[0].uid}/"
    )
    log_out(page)
    expect(asked(page)).to_contain_text(f"in this browser, of {label}: the server has not confirmed")
    expect(page.get_by_role("button", name="Stay")).to_be_focused()
    check_barriers(page)
    page.keyboard.press("Escape")
    expect(asked(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Log out")).to_be_focused()
    log_out(page)
    asked(page).get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()

    other = worklist_of(ExpertFactory.create(), context=context, url=url)
    expect(other.get_by_role("heading", name="Worklist")).to_be_visible()
    log_out(other)
    expect(other.get_by_label("Password")).to_be_visible()

    context.unroute(CHANGES)
    back = worklist_of(room.reader, context=context, url=url)
    expect(back.get_by_role("status").filter(has_text=f"of {label} that waited here")).to_be_visible()
    assert StepRating.objects.get().plausibility == 4
    log_out(back)
    expect(back.get_by_label("Password")).to_be_visible()


def test_one_can_log_out_while_the_last_change_is_still_on_its_way(
    enter: Callable[[], Room], context: BrowserContext
) -> None:
    """Nothing is asked of what the server confirms in time."""
    room = enter()
    page = room.page
    held: list[Any] = []
    context.route(CHANGES, lambda route: held.append(route))
    with page.expect_request(CHANGES):
        room.press("4")
    page.get_by_role("link", name="Worklist", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="being sent")).to_be_visible()
    log_out(page)
    context.unroute(CHANGES)
    for route in held:
        # What the room had on its way went with its page.
        with suppress(Error):
            route.continue_()
    expect(page.get_by_label("Password")).to_be_visible()
    assert StepRating.objects.get().plausibility == 4


def test_without_scripts_one_logs_out_as_ever(live_server: Any, browser: Any) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page = worklist_of(ExpertFactory.create(), context=plain, url=live_server.url)
    expect(asked(page)).to_have_count(0)
    log_out(page)
    expect(page.get_by_label("Password")).to_be_visible()
    plain.close()
