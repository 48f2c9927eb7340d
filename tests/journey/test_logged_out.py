"""Who is logged out over a case, or finds another account there, goes on with it and loses nothing."""

import re
from collections.abc import Callable

from django.contrib.sessions.models import Session
from playwright.sync_api import BrowserContext, Route, expect

from deepmedix_review.reviews.models import ReadingChange, StepRating
from tests.browser import check_barriers, open_as
from tests.factories.accounts import PASSWORD, ExpertFactory
from tests.journey.desk import NUM_CHANGES, WAITING, Desk, let_log_in

FILM = re.compile(r"/api/instances/.+/film/")


def test_the_session_ends_and_the_reader_logs_in_again_in_place(sit_down: Callable[..., Desk]) -> None:
    desk = sit_down()
    page, reader, other = desk.page, desk.reading.assignment.reader, ExpertFactory.create()
    let_log_in(other)
    desk.rate_until(30)
    desk.wait_until_saved()
    desk.rate_until(60)
    Session.objects.all().delete()
    desk.rate_until(140)
    page.get_by_role("alert").filter(has_text="You are logged out.").get_by_role("button").click()
    dialog = page.get_by_role("dialog", name="Log in again")
    expect(dialog.get_by_label("User name")).to_have_value(reader.username)
    expect(dialog.get_by_label("Password")).to_be_focused()
    check_barriers(page)

    dialog.get_by_label("User name").fill(other.username)
    dialog.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("another account")
    assert 30 <= ReadingChange.objects.filter(kind="rate_step").count() < 140

    dialog.get_by_label("User name").fill(reader.username)
    dialog.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    desk.wait_until_saved()
    assert ReadingChange.objects.filter(kind="rate_step").count() == 140
    desk.rate_until(NUM_CHANGES)
    desk.expect_exactly_what_was_pressed()


def test_the_reader_logs_in_on_the_login_page_in_another_tab(sit_down: Callable[..., Desk]) -> None:
    desk = sit_down()
    page, reader = desk.page, desk.reading.assignment.reader
    desk.rate_until(3)
    desk.wait_until_saved()
    Session.objects.all().delete()
    desk.rate_until(6)
    page.get_by_role("alert").filter(has_text="You are logged out.").get_by_role("button").click()
    dialog = page.get_by_role("dialog", name="Log in again")
    with page.expect_popup() as opened:
        dialog.get_by_role("link", name="login page").click()
    tab = opened.value
    tab.get_by_label("User name").fill(reader.username)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Worklist")).to_be_visible()
    tab.close()
    page.bring_to_front()
    expect(dialog).to_have_count(0)
    desk.wait_until_saved()
    assert ReadingChange.objects.filter(kind="rate_step").count() == 6


def test_another_account_that_is_logged_in_meanwhile_is_logged_out_and_the_reader_comes_back_to_the_case(
    sit_down: Callable[..., Desk], context: BrowserContext
) -> None:
    desk = sit_down()
    page, reader, other = desk.page, desk.reading.assignment.reader, ExpertFactory.create()
    desk.rate_until(3)
    desk.wait_until_saved()
    tab = open_as(other, context=context, url=desk.server.url)
    tab.close()
    page.bring_to_front()
    desk.rate_until(6)
    said = f"Another account, {other.pseudonym}, is logged in in this browser now."
    page.get_by_role("alert").filter(has_text=said).get_by_role("button").click()
    dialog = page.get_by_role("dialog", name="Log in again")
    expect(dialog).to_contain_text(said)
    expect(dialog).to_contain_text(f"Logging in here logs {other.pseudonym} out.")
    expect(dialog.get_by_role("link", name="login page")).to_have_count(0)
    check_barriers(page)
    with page.expect_popup() as opened:
        dialog.get_by_role("button", name=f"Log {other.pseudonym} out and log in there").click()
    tab = opened.value
    tab.get_by_label("User name").fill(reader.username)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{desk.server.url}/readings/{desk.reading.uid}/")
    tab.close()
    page.bring_to_front()
    expect(dialog).to_have_count(0)
    desk.wait_until_saved()
    assert ReadingChange.objects.filter(kind="rate_step").count() == 6


def test_a_film_that_is_kept_from_whoever_is_logged_out_is_shown_once_they_log_in(
    sit_down: Callable[..., Desk],
) -> None:
    desk = sit_down()
    page = desk.page

    def end_session(route: Route) -> None:
        Session.objects.all().delete()
        route.continue_(headers={**route.request.headers, "cache-control": "no-cache"})

    page.route(FILM, end_session)
    page.reload()
    alert = page.get_by_role("alert").filter(has_text="The film is shown once you log in again.")
    expect(alert).to_contain_text("You are logged out.")
    check_barriers(page)
    page.unroute(FILM)
    alert.get_by_role("button", name="Log in again").click()
    dialog = page.get_by_role("dialog", name="Log in again")
    expect(dialog.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("toolbar", name="Film tools")).to_be_visible()
    expect(alert).to_have_count(0)
    page.keyboard.press("4")
    desk.wait_until_saved()
    assert StepRating.objects.get().plausibility == 4


def test_what_another_account_left_in_this_browser_stays_there_and_is_said(
    sit_down: Callable[..., Desk], context: BrowserContext
) -> None:
    desk = sit_down()
    Session.objects.all().delete()
    desk.rate_until(10)
    expect(desk.page.get_by_role("alert").filter(has_text=WAITING)).to_be_visible()
    desk.page.close()

    context.clear_cookies()
    other = sit_down()
    waits = other.page.get_by_role("status").filter(has_text="changes of another account wait")
    expect(waits).to_have_text("changes of another account wait")
    waits.click()
    told = other.page.locator(".of-other-cases")
    expect(told).to_contain_text("whoever made them logs in here with that account and opens a case")
    # Neither how many, nor whose, nor of which case.
    assert not re.search(r"\d", told.inner_text())
    maker = desk.reading.assignment.reader
    for known in (maker.pseudonym, maker.username, desk.reading.assignment.label):
        assert known not in told.inner_text()
    check_barriers(other.page)
    waits.click()
    other.rate_until(3)
    other.wait_until_saved()
    assert not ReadingChange.objects.filter(reading=desk.reading, kind="rate_step").exists()
    other.page.close()

    context.clear_cookies()
    desk.page = open_as(desk.reading.assignment.reader, context=context, url=desk.server.url)
    desk.open()
    desk.wait_until_saved()
    assert ReadingChange.objects.filter(reading=desk.reading, kind="rate_step").count() == 10
