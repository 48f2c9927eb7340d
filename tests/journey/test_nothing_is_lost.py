"""200 changes by keys, and in their middle the worst happens: the server holds exactly the 200, in order."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.models import Session
from django.db import connection
from playwright.sync_api import BrowserContext, Error, Page, Route, expect

from deepmedix_review.accounts.models import User
from deepmedix_review.config import postgres
from deepmedix_review.reviews.models import Reading, ReadingChange, StepRating
from deepmedix_review.reviews.study_services import create_reader_study, lock_reader_study, pause_reader_study
from tests.browser import check_barriers, open_as
from tests.factories.accounts import PASSWORD, ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.home import HOME
from tests.servers import WebServer

NUM_CHANGES = 200
# With the time at work, which is a change too, where the machine is slow.
WAITING = re.compile(r"\d+ changes wait in this browser")
FILM = re.compile(r"/api/instances/.+/film/")
CHANGES = re.compile(r"/api/readings/.+/changes/")
# Each with a region that is never judged, so that the focus stays where it is.
STEPS = [
    ("The heart is enlarged.", [(48.0, 64.0, 88.0, 104.0)]),
    ("The right lung is clear.", [(20.0, 20.0, 55.0, 95.0)]),
]


@pytest.fixture(scope="module")
def _web_server(django_db_setup: None) -> Iterator[WebServer]:
    name = str(connection.settings_dict["NAME"])
    web = WebServer(home=HOME, database_url=postgres.database_url(postgres.cluster_in(HOME), name=name))
    yield web
    web.stop()


@pytest.fixture
def server(transactional_db: None, _web_server: WebServer) -> WebServer:
    if _web_server.process is None:
        _web_server.start()
    return _web_server


@dataclass
class Desk:
    """A reader at a case; `pressed` is what they said so far: (step, plausibility)."""

    page: Page
    server: WebServer
    reading: Reading
    pressed: list[tuple[str, int]] = field(default_factory=list)

    def open(self) -> None:
        self.page.goto(f"{self.server.url}/readings/{self.reading.uid}/")
        expect(self.page.get_by_role("toolbar", name="Film tools")).to_be_visible(timeout=60_000)

    def rate_until(self, number: int) -> None:
        """Keys alone: a rating each, and now and then to the other step and back."""
        steps = [str(step.uid) for step in self.reading.completion_a.steps.order_by("position")]
        self.page.keyboard.press("k")
        at = 0
        for turn in range(len(self.pressed), number):
            if turn % 7 == 0:
                self.page.keyboard.press("j" if at == 0 else "k")
                at = 1 - at
            points = 1 + turn % 5
            self.page.keyboard.press(str(points))
            self.pressed.append((steps[at], points))

    def wait_until_saved(self) -> None:
        expect(self.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible(timeout=60_000)

    def expect_exactly_what_was_pressed(self) -> None:
        self.wait_until_saved()
        made = ReadingChange.objects.filter(reading=self.reading, kind="rate_step").order_by("pk")
        rows = list(made.values_list("payload__step", "payload__plausibility"))
        assert rows == self.pressed
        assert len({change.change_id for change in made}) == len(self.pressed) == NUM_CHANGES
        now = StepRating.objects.filter(reading=self.reading).values_list("step__uid", "plausibility")
        assert {str(step): points for step, points in now} == dict(self.pressed)
        shown = self.page.get_by_role("group", name="How plausible is step 1, 1 to 5?")
        expect(shown.get_by_label(str(dict(self.pressed)[self.pressed[0][0]]), exact=True)).to_be_visible()


@pytest.fixture
def sit_down(server: WebServer, context: BrowserContext) -> Callable[..., Desk]:
    """A reader at the first of their cases, each with one output."""

    def make(*, num_cases: int = 1) -> Desk:
        reader = ExpertFactory.create()
        let_log_in(reader)
        model_version = ServingModelFactory.create()
        studies = []
        for seed in range(1, num_cases + 1):
            film = store_phantom(seed=seed, size=128)
            say(film, steps=STEPS, answer="cardiomegaly", model_version=model_version)
            studies.append(film.study)
        create_reader_study(title="Storms", studies=studies, readers=[reader], actor=None, seed=1)
        reading = Reading.objects.get(assignment__reader=reader, assignment__position=1)
        desk = Desk(open_as(reader, context=context, url=server.url), server, reading)
        desk.open()
        return desk

    return make


def let_log_in(user: User) -> None:
    """The server's own hash of PASSWORD; the tests' quick one means nothing to it."""
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
    user.save(update_fields=["password"])


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
