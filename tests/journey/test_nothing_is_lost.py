"""200 changes by keys, and in their middle the worst happens: the server holds exactly the 200, in order."""

import re
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

from playwright.sync_api import BrowserContext, Error, expect

from deepmedix_review.reviews.models import Reading, ReadingChange, StepRating
from deepmedix_review.reviews.study_services import lock_reader_study, pause_reader_study
from tests.browser import check_barriers
from tests.journey.desk import CHANGES, NUM_CHANGES, WAITING, Desk
from tests.servers import WebServer


def test_the_network_is_cut(sit_down: Callable[..., Desk], context: BrowserContext) -> None:
    desk = sit_down()
    desk.rate_until(60)
    context.set_offline(True)
    desk.rate_until(140)
    waiting = desk.page.get_by_role("alert").filter(has_text="The server cannot be reached")
    expect(waiting).to_contain_text(WAITING)
    check_barriers(desk.page)
    context.set_offline(False)
    desk.rate_until(NUM_CHANGES)
    desk.expect_exactly_what_was_pressed()
    expect(waiting).to_have_count(0)


def test_the_server_is_killed(sit_down: Callable[..., Desk], server: WebServer) -> None:
    desk = sit_down()
    desk.rate_until(60)
    server.kill()
    desk.rate_until(140)
    expect(desk.page.get_by_role("alert").filter(has_text="The server cannot be reached")).to_be_visible()
    server.start()
    desk.rate_until(NUM_CHANGES)
    desk.expect_exactly_what_was_pressed()


def test_what_a_locked_study_no_longer_takes_is_discarded_by_a_second_press_and_by_no_double_click(
    sit_down: Callable[..., Desk], context: BrowserContext
) -> None:
    desk = sit_down()
    page = desk.page
    reader_study = desk.reading.assignment.case.reader_study
    pause_reader_study(reader_study=reader_study, actor=None)
    page.reload()
    paused = page.get_by_role("status").filter(has_text="this case can be finished")
    expect(paused).to_be_visible()
    expect(page.get_by_role("toolbar", name="Film tools")).to_be_visible()
    context.route(CHANGES, lambda route: route.abort())
    desk.rate_until(3)
    expect(page.get_by_role("alert").filter(has_text=WAITING)).to_be_visible()
    lock_reader_study(reader_study=reader_study, actor=None)
    context.unroute(CHANGES)
    alert = page.get_by_role("alert").filter(has_text="came too late and can't be saved any more")
    expect(alert).to_be_visible(timeout=60_000)
    expect(paused).to_have_count(0)
    discard = alert.get_by_role("button", name="Discard them")
    discard.click(timeout=60_000)
    lost = alert.get_by_role("status")
    expect(lost).to_contain_text("This loses ")
    expect(lost).to_contain_text("3 ratings or texts of steps")
    check_barriers(page)
    # The second press of a double click is none of its own.
    discard.dispatch_event("click", {"detail": 2})
    page.keyboard.press("Tab")
    expect(lost).to_be_empty()
    discard.click()
    alert.get_by_role("button", name="Discard them for good and go to the worklist").click()
    page.wait_for_url(f"{desk.server.url}/worklist/")
    assert not ReadingChange.objects.filter(kind="rate_step").exists()


def test_the_tab_crashes(sit_down: Callable[..., Desk], context: BrowserContext) -> None:
    desk = sit_down()
    desk.rate_until(100)
    with suppress(Error):
        desk.page.goto("chrome://crash")
    desk.page = context.new_page()
    desk.open()
    desk.rate_until(NUM_CHANGES)
    desk.expect_exactly_what_was_pressed()


def test_two_windows_disagree_and_the_reader_chooses(
    sit_down: Callable[..., Desk], context: BrowserContext
) -> None:
    desk = sit_down()
    there, here = desk, Desk(context.new_page(), desk.server, desk.reading)
    here.open()
    for theirs, mine, kept in ((1, 3, "mine"), (2, 4, "the one from there")):
        there.page.bring_to_front()
        there.page.keyboard.press(str(theirs))
        there.wait_until_saved()
        here.page.bring_to_front()
        here.page.keyboard.press(str(mine))
        alert = here.page.get_by_role("alert", name="Two versions")
        expect(alert).to_contain_text("Step 1 was changed in another window")
        expect(alert.get_by_role("definition")).to_have_text(
            [f"plausibility {theirs}", f"plausibility {mine}"]
        )
        check_barriers(here.page)
        alert.get_by_role("button", name=f"Keep {kept}").click()
        expect(alert).to_have_count(0)
        here.wait_until_saved()
        shown = here.page.get_by_role("group", name="How plausible is step 1, 1 to 5?")
        counted = mine if kept == "mine" else theirs
        expect(shown.get_by_label(str(counted), exact=True)).to_be_checked()
        assert StepRating.objects.get().plausibility == counted
        there.open()


def test_two_tabs_and_a_reload_send_each_change_once(
    sit_down: Callable[..., Desk], context: BrowserContext
) -> None:
    desk = sit_down()
    context.route(CHANGES, lambda route: route.abort())
    desk.rate_until(NUM_CHANGES)
    expect(desk.page.get_by_role("alert").filter(has_text=WAITING)).to_be_visible()
    context.unroute(CHANGES)
    second = Desk(context.new_page(), desk.server, desk.reading, desk.pressed)
    second.open()
    second.expect_exactly_what_was_pressed()
    desk.expect_exactly_what_was_pressed()


def test_a_case_left_with_unsent_changes_is_sent_from_the_next_one(
    sit_down: Callable[..., Desk], context: BrowserContext
) -> None:
    desk = sit_down(num_cases=2)
    context.route(CHANGES, lambda route: route.abort())
    desk.rate_until(10)
    expect(desk.page.get_by_role("alert").filter(has_text=WAITING)).to_be_visible()
    desk.page.close()
    second = Reading.objects.get(assignment__position=2)
    elsewhere = Desk(context.new_page(), desk.server, second)
    elsewhere.open()
    said = elsewhere.page.get_by_text(re.compile(r"^1\d changes wait of another case$"))
    expect(said).to_be_visible()
    expect(elsewhere.page.locator(".room-banners .banner")).to_have_count(0)
    that_case = elsewhere.page.get_by_role("link", name="Open that case")
    expect(that_case).not_to_be_visible()
    said.click()
    expect(that_case).to_be_in_viewport(ratio=1)
    check_barriers(elsewhere.page)
    context.unroute(CHANGES)
    with elsewhere.page.expect_response(lambda answer: f"{desk.reading.uid}/changes/" in answer.url):
        elsewhere.open()
    desk.page = elsewhere.page
    desk.open()
    desk.wait_until_saved()
    expect(desk.page.get_by_role("radio", checked=True)).to_have_count(len(dict(desk.pressed)))
    assert ReadingChange.objects.filter(reading=desk.reading, kind="rate_step").count() == 10


def test_every_change_knows_the_one_before(sit_down: Callable[..., Desk]) -> None:
    desk = sit_down()
    sent: list[Any] = []
    desk.page.on(
        "request",
        lambda request: sent.append(request.post_data_json) if CHANGES.search(request.url) else None,
    )
    desk.page.keyboard.press("k")
    for key in ("1", "2", "3"):
        desk.page.keyboard.press(key)
    desk.wait_until_saved()
    rated = [change for change in sent if change["kind"] == "rate_step"]
    assert rated[0]["seen"] is None
    assert all(after["seen"] == before["change_id"] for before, after in pairwise(rated))
