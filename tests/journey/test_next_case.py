"""The next case is on the screen at once when one is signed, and it is always the right one."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading, ReadingChange, StepRating
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.looking.services import report_name
from deepmedix_review.studies.models import Study
from deepmedix_review.studies.selectors import film_path
from deepmedix_review.studies.services import hold_study
from tests.browser import check_barriers, open_as
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import complete
from tests.factories.studies import store_phantom

SIZE = 128
SIGN = re.compile(r"/api/readings/.+/sign/")
API = re.compile(r"/api/")
HEART = ("The heart is enlarged.", [(48.0, 64.0, 88.0, 104.0)])
MARKED = "([name, uid]) => performance.getEntriesByName(name).some(mark => mark.detail === uid)"
PICTURE = re.compile(r"/api/instances/.+/picture/")
# "none" where the browser keeps no copy.
COPY = """url => fetch(url, {cache: 'only-if-cached', mode: 'same-origin'})
  .then(kept => kept.status, () => 'none')"""
WAITING_CHANGES = """() => new Promise((done) => {
  const opening = indexedDB.open('deepmedix-review');
  opening.onsuccess = () => {
    const rows = opening.result.transaction('outbox').objectStore('outbox').count();
    rows.onsuccess = () => done(rows.result);
  };
})"""
# What the canvas in front shows, as the mean grey of its middle line.
GREY = """() => {
  const film = document.querySelector('.film-side:not(.behind) canvas');
  const line = film.getContext('2d').getImageData(0, film.height / 2, film.width, 1).data;
  return line.reduce((sum, value) => sum + value, 0) / line.length;
}"""


@dataclass
class Room:
    page: Page
    url: str
    reader: User

    def open(self) -> list[Reading]:
        mine = Reading.objects.filter(assignment__reader=self.reader).order_by("assignment__position")
        readings = list(mine)
        self.page.goto(f"{self.url}/readings/{readings[0].uid}/")
        expect(self.page.get_by_role("toolbar", name="Film tools")).to_be_visible(timeout=60_000)
        return readings

    def wait_until_ready(self, reading: Reading) -> None:
        """Its film is decoded and drawn behind the one that is read."""
        self.page.wait_for_function(MARKED, arg=["next-case-ready", str(reading.uid)], timeout=60_000)

    def was_swapped_in(self, reading: Reading) -> bool:
        return bool(self.page.evaluate(MARKED, ["next-case-shown", str(reading.uid)]))

    def wait_for_case(self, reading: Reading) -> None:
        label = reading.assignment.label
        expect(self.page.get_by_role("heading", level=1)).to_have_text(f"Reading of {label}")
        expect(self.page).to_have_url(re.compile(str(reading.uid)))

    def expect_no_film(self) -> None:
        expect(self.page.locator(".film-canvas:visible")).to_have_count(0)
        expect(self.page.locator("[data-region]")).to_have_count(0)


@pytest.fixture
def enter(live_server: Any, context: BrowserContext) -> Callable[..., Room]:
    """The reader's cases have one output each, of one step or more; those named by `rated` are complete."""

    def make(*, num_cases: int, rated: tuple[int, ...] = (1,), num_steps: int = 1) -> Room:
        reader, model_version = ExpertFactory.create(), ServingModelFactory.create()
        studies: list[Study] = []
        for seed in range(1, num_cases + 1):
            film = store_phantom(seed=seed, size=SIZE)
            say(film, steps=[HEART] * num_steps, answer="cardiomegaly", model_version=model_version)
            studies.append(film.study)
        create_reader_study(title="One by one", studies=studies, readers=[reader], actor=None, seed=1)
        for position in rated:
            complete(Reading.objects.get(assignment__position=position))
        return Room(open_as(reader, context=context, url=live_server.url), live_server.url, reader)

    return make


def test_the_next_case_begins_with_its_question_however_far_the_one_before_was_scrolled(
    enter: Callable[..., Room],
) -> None:
    room = enter(num_cases=2, num_steps=6)
    ReaderStudy.objects.update(first_reads="share")
    room.page.set_viewport_size({"width": 1280, "height": 720})
    _, second = room.open()
    room.wait_until_ready(second)
    question = room.page.get_by_role("heading", name="Question")
    room.page.get_by_role("button", name="Not now").click()
    room.page.locator(".room-scroll").hover()
    room.page.mouse.wheel(0, 2000)
    expect(question).not_to_be_in_viewport()
    room.page.keyboard.press("Control+Enter")
    room.wait_for_case(second)
    expect(question).to_be_in_viewport(ratio=1)
    expect(room.page.locator(".room .current").last).to_be_in_viewport(ratio=1)
    notice = room.page.get_by_text("No first read on this case")
    for _ in range(6):
        room.page.keyboard.press("j")
    expect(room.page.locator(".room .current").last).to_be_in_viewport(ratio=1)
    expect(question).not_to_be_in_viewport()
    expect(notice).to_be_in_viewport(ratio=1)


def test_the_next_case_is_shown_without_a_request_and_opened_only_then(enter: Callable[..., Room]) -> None:
    room = enter(num_cases=3)
    first, second, third = room.open()
    offer = room.page.get_by_role("region", name="New here?")
    expect(offer).to_be_visible()
    room.wait_until_ready(second)
    second.refresh_from_db()
    assert second.opened_at is None
    waiting: list[Route] = []
    asked: list[str] = []

    def hold_the_signature(route: Route) -> None:
        asked.append(route.request.url)
        if SIGN.search(route.request.url):
            waiting.append(route)
        else:
            route.continue_()

    room.page.route(API, hold_the_signature)
    grey = room.page.evaluate(GREY)

    with room.page.expect_request(SIGN):
        room.page.keyboard.press("Control+Enter")
    room.wait_for_case(second)
    assert room.was_swapped_in(second)
    expect(offer).to_have_count(0)
    expect(room.page.locator(".film-canvas")).to_be_visible()
    expect(room.page.locator("[data-region]")).to_have_count(1)
    assert room.page.evaluate(GREY) != grey
    # Nothing of the second case is sent before the server has the signature.
    room.page.keyboard.press("3")
    expect(room.page.get_by_text("Saving…")).to_be_visible()
    assert len(waiting) == 1
    # Time at work may go before the signature; it is the first case's as well. Now and then the page asks
    # whether the film made ready may still be seen.
    of_readings = [url for url in asked if not PICTURE.search(url)]
    assert all(f"/api/readings/{first.uid}/" in url for url in of_readings)
    first.refresh_from_db()
    assert (first.signed_at, StepRating.objects.filter(reading=second).count()) == (None, 0)

    with room.page.expect_response(re.compile(f"{third.uid}/.ahead=1")) as ahead:
        waiting.pop().continue_()
        room.page.unroute(API)
    # It counts the second, which was opened a moment ago.
    assert ahead.value.json()["position"] == 3
    expect(room.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible()
    for reading in (first, second):
        reading.refresh_from_db()
    assert first.signed_at is not None
    assert second.opened_at is not None
    assert StepRating.objects.get(reading=second).plausibility == 3
    room.wait_until_ready(third)
    room.page.go_back()
    room.wait_for_case(first)
    expect(room.page.get_by_text("It is locked")).to_be_visible()


@pytest.mark.parametrize("wrong", ["absent", "another"])
def test_a_next_film_that_is_wrong_is_never_shown(enter: Callable[..., Room], wrong: str) -> None:
    room = enter(num_cases=2)
    other = film_path(store_phantom(seed=9, size=SIZE)).read_bytes()
    second_film = Reading.objects.get(assignment__position=2).completion_a.instance
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if wrong == "absent":
            route.fulfill(status=404, body="")
        else:
            route.fulfill(status=200, content_type="application/dicom", body=other)

    room.page.route(re.compile(f"/api/instances/{second_film.uid}/film/"), answer)
    with room.page.expect_response(re.compile(str(second_film.uid))):
        _, second = room.open()
    room.page.keyboard.press("Control+Enter")
    room.wait_for_case(second)
    sentence = "the server answered 404" if wrong == "absent" else "sent another film"
    expect(room.page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    room.expect_no_film()
    assert not room.was_swapped_in(second)
    room.page.keyboard.press("3")
    assert not StepRating.objects.filter(reading=second).exists()
    # Ahead and at its turn; for other bytes than the film's once more past the browser's own copy.
    assert len(asked) == (2 if wrong == "absent" else 4)


def test_a_film_whose_file_is_gone_leads_back_to_the_worklist_and_on(enter: Callable[..., Room]) -> None:
    room = enter(num_cases=2)
    first, second = Reading.objects.filter(assignment__reader=room.reader).order_by("assignment__position")
    film_path(first.completion_a.instance).unlink()
    room.page.goto(f"{room.url}/readings/{first.uid}/")
    alert = room.page.get_by_role("alert").filter(has_text="The file of this film is missing")
    expect(alert).to_contain_text("What you said of it is kept.")
    room.expect_no_film()
    alert.get_by_role("link", name="Back to the worklist").click()
    row = room.page.get_by_role("row").filter(has_text=first.assignment.label)
    expect(row).to_contain_text("film missing")
    room.page.get_by_role("button", name="Read the first case").click()
    room.wait_for_case(second)

    # One that is held from a pool can be given back where it can't be read.
    expect(room.page.get_by_role("button", name="Give back")).to_have_count(0)
    held = Assignment.objects.filter(pk=first.assignment_id)
    held.update(lease_expires_at=timezone.now() + timedelta(hours=1))
    room.page.goto(f"{room.url}/readings/{first.uid}/")
    alert.get_by_role("button", name=f"Give back {first.assignment.label}").click()
    expect(room.page.get_by_text("The case is free for others. What you said of it is kept.")).to_be_visible()
    assert held.get().withdrawn_at is not None


def test_with_the_server_away_the_worklist_stays_and_leads_on_once_it_is_back(
    enter: Callable[..., Room],
) -> None:
    room = enter(num_cases=2)
    _, second = Reading.objects.filter(assignment__reader=room.reader).order_by("assignment__position")
    room.page.goto(f"{room.url}/worklist/")
    room.page.context.set_offline(True)
    read = room.page.get_by_role("button", name=f"Read {second.assignment.label}")
    for button in (room.page.get_by_role("button", name="Read the first case"), read):
        button.click()
        expect(button.locator("xpath=ancestor::form/following-sibling::*[@role='alert']")).to_contain_text(
            "The server can't be reached, so you stay here"
        )
    room.page.context.set_offline(False)
    # A proxy before a server that is away.
    room.page.context.route("**/healthz", lambda route: route.fulfill(status=502))
    with room.page.expect_response("**/healthz"):
        read.click()
    expect(room.page.get_by_role("alert").last).to_contain_text("so you stay here")
    room.page.context.unroute("**/healthz")
    read.click()
    room.wait_for_case(second)


def test_a_case_that_was_withdrawn_meanwhile_gives_way_to_the_right_one(enter: Callable[..., Room]) -> None:
    room = enter(num_cases=3)
    first, second, third = room.open()
    room.wait_until_ready(second)
    hold_study(second.assignment.case.study, reason="A name on the film.", actor=AdminFactory.create())
    waiting: list[Route] = []
    room.page.route(SIGN, lambda route: waiting.append(route))
    with room.page.expect_request(SIGN):
        room.page.keyboard.press("Control+Enter")
    room.wait_for_case(second)
    room.page.keyboard.press("3")
    waiting.pop().continue_()
    room.wait_for_case(third)
    expect(room.page.get_by_role("status").filter(has_text="not your next case after all")).to_be_visible()
    expect(room.page.locator("[data-region]")).to_have_count(1)
    first.refresh_from_db()
    assert first.signed_at is not None
    assert not ReadingChange.objects.filter(reading=second).exists()
    # The time at work is a change too, where the machine is slow.
    said = ReadingChange.objects.filter(reading=third).exclude(kind="add_active_time")
    assert not said.exists()
    second.refresh_from_db()
    assert second.opened_at is None


def test_a_signature_that_is_refused_brings_its_reader_back(enter: Callable[..., Room]) -> None:
    room = enter(num_cases=2)
    first, second = room.open()
    room.wait_until_ready(second)
    StepRating.objects.filter(reading=first).delete()
    room.page.keyboard.press("Control+Enter")
    expect(room.page.get_by_role("alert").filter(has_text="Not signed yet.")).to_be_visible()
    room.wait_for_case(first)
    expect(room.page.locator(".film-canvas")).to_be_visible()
    assert room.was_swapped_in(second)
    first.refresh_from_db()
    assert first.signed_at is None
    room.page.keyboard.press("2")
    expect(room.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible()
    with room.page.expect_response(SIGN):
        room.page.keyboard.press("Control+Enter")
    room.wait_for_case(second)
    first.refresh_from_db()
    assert first.signed_at is not None


def test_a_double_click_and_a_held_key_sign_one_case_alone(enter: Callable[..., Room]) -> None:
    room = enter(num_cases=3, rated=(1, 2, 3))
    first, second, third = room.open()
    signed = Reading.objects.filter(signed_at__isnull=False).order_by("signed_at")
    room.wait_until_ready(second)
    room.page.get_by_role("button", name=re.compile("Sign and next")).dblclick()
    room.wait_for_case(second)
    room.wait_until_ready(third)
    assert [reading.uid for reading in signed.all()] == [first.uid]

    for key in ("Control", "Enter", "Enter", "Enter"):
        room.page.keyboard.down(key)
    room.wait_for_case(third)
    expect(room.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible()
    assert [reading.uid for reading in signed.all()] == [first.uid, second.uid]
    expect(room.page.get_by_role("button", name=re.compile("Sign and next"))).to_be_enabled()


def test_a_training_case_says_what_is_known_of_it_before_the_next_one(enter: Callable[..., Room]) -> None:
    room = enter(num_cases=2)
    known = {"comment": "The heart is of normal size."}
    first = Reading.objects.get(assignment__position=1)
    Case.objects.filter(pk=first.assignment.case_id).update(role=Case.Role.TRAINING, known_answer=known)
    _, second = room.open()
    room.wait_until_ready(second)
    room.page.keyboard.press("Control+Enter")
    expect(room.page.get_by_role("region", name="Feedback")).to_contain_text(known["comment"])
    room.wait_for_case(first)
    assert not room.was_swapped_in(second)
    expect(room.page.get_by_role("button", name=re.compile("Next case"))).to_be_enabled()
    room.page.keyboard.press("Control+Enter")
    room.wait_for_case(second)
    expect(room.page.locator(".film-canvas")).to_be_visible()
    room.page.keyboard.press("3")
    expect(room.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible()
    second.refresh_from_db()
    assert second.opened_at is not None


def test_a_name_on_a_film_is_reported_in_two_steps_and_the_browser_keeps_nothing_of_the_film(
    enter: Callable[..., Room], context: BrowserContext
) -> None:
    room = enter(num_cases=2, rated=())
    page = room.page
    first, second = room.open()
    room.wait_until_ready(second)
    film = first.completion_a.instance
    copy = f"/api/instances/{film.uid}/film/"
    assert page.evaluate(COPY, copy) == 200
    dialog = page.get_by_role("dialog", name="Does this film show a name?")
    for keys in (("Escape",), ("h", "Enter")):
        page.keyboard.press("h")
        expect(dialog.get_by_role("button", name="No, go on reading")).to_be_focused()
        for key in keys:
            page.keyboard.press(key)
        expect(dialog).to_have_count(0)
    page.keyboard.press("3")
    expect(page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible()
    assert Study.objects.get(pk=film.study.pk).state == Study.State.READY

    context.set_offline(True)
    page.keyboard.press("h")
    expect(dialog.get_by_role("button", name="No, go on reading")).to_be_focused()
    expect(dialog).to_contain_text(room.reader.pseudonym)
    check_barriers(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    unsent = page.get_by_role("alert").filter(has_text="has not been sent. The server cannot be reached.")
    expect(unsent).to_be_visible()
    room.expect_no_film()
    check_barriers(page)
    context.set_offline(False)
    room.wait_for_case(second)
    expect(page.get_by_role("status").filter(has_text="What you said of it is kept.")).to_be_visible()
    expect(page.locator(".film-canvas:not(.blank)")).to_have_count(1)
    assert Study.objects.get(pk=film.study.pk).state == Study.State.UNSEEN
    assert StepRating.objects.get(reading=first).plausibility == 3
    assert page.evaluate(COPY, copy) != 200
    assert page.evaluate(COPY, f"/api/instances/{film.uid}/picture/") != 200
    page.wait_for_function(f"() => ({WAITING_CHANGES})().then(number => number === 0)")
    page.go_back()
    expect(page.get_by_text("out of use until a person has looked")).to_be_visible()
    room.expect_no_film()


def test_a_film_that_another_reader_reported_is_neither_swapped_in_nor_left_on_the_screen(
    enter: Callable[..., Room],
) -> None:
    room = enter(num_cases=3)
    first, second, third = Reading.objects.order_by("assignment__position")
    StepRating.objects.filter(reading=first).delete()
    room.open()
    room.wait_until_ready(second)
    report_name(film=second.completion_a.instance, reader=ExpertFactory.create(), change_id=uuid.uuid4())
    # The last item is rated: the film made ready is asked about before it can be signed.
    with room.page.expect_response(PICTURE):
        room.page.keyboard.press("3")
    expect(room.page.locator(".film-side.behind .blank")).to_have_count(1)
    room.page.keyboard.press("Control+Enter")
    room.wait_for_case(third)
    assert not room.was_swapped_in(second)

    report_name(film=third.completion_a.instance, reader=ExpertFactory.create(), change_id=uuid.uuid4())
    room.page.keyboard.press("3")
    expect(room.page.get_by_role("alert").filter(has_text="is out of use.")).to_be_visible()
    room.expect_no_film()
    assert not StepRating.objects.filter(reading=third).exists()


def test_a_case_that_is_closed_to_its_reader_leads_on_and_goes_on_where_it_comes_back(
    enter: Callable[..., Room],
) -> None:
    room = enter(num_cases=2)
    first, _ = room.open()
    page, held = room.page, Assignment.objects.filter(pk=first.assignment_id)
    held.update(lease_expires_at=timezone.now(), withdrawn_at=timezone.now())
    page.keyboard.press("2")
    closed = page.get_by_role("alert").filter(has_text="is closed to you. Your lease on this case ran out")
    expect(closed).to_contain_text("kept in this browser alone, and sent from here if the case comes back")
    expect(closed.get_by_role("link", name="Back to the worklist")).to_be_focused()
    room.expect_no_film()
    page.keyboard.press("Control+Enter")
    page.reload()
    expect(closed).to_contain_text("kept in this browser alone")
    assert StepRating.objects.get(reading=first).plausibility != 2

    held.update(lease_expires_at=timezone.now() + timedelta(hours=1), withdrawn_at=None)
    page.reload()
    room.wait_for_case(first)
    expect(page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible()
    assert StepRating.objects.get(reading=first).plausibility == 2
    first.refresh_from_db()
    assert first.signed_at is None
