"""The next case is on the screen at once when one is signed, and it is always the right one."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Route, expect

from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    Invitation,
    ReaderStudy,
    Reading,
    ReadingChange,
    StepRating,
)
from deepmedix_review.studies.selectors import film_path
from tests.browser import check_barriers
from tests.factories.studies import store_phantom
from tests.journey.list_of_cases import PICTURE, SIGN, SIZE, Room, enter_list

API = re.compile(r"/api/")
AWAY_SECONDS = 600
# What the canvas in front shows, as the mean grey of its middle line.
GREY = """() => {
  const film = document.querySelector('.film-side:not(.behind) canvas');
  const line = film.getContext('2d').getImageData(0, film.height / 2, film.width, 1).data;
  return line.reduce((sum, value) => sum + value, 0) / line.length;
}"""


@pytest.fixture
def enter(live_server: Any, context: BrowserContext) -> Callable[..., Room]:
    return partial(enter_list, url=live_server.url, context=context)


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


def test_the_next_film_is_fetched_once_and_asked_after_once_a_case_is_complete(
    enter: Callable[..., Room],
) -> None:
    room = enter(num_cases=2)
    StepRating.objects.all().delete()
    asked: list[tuple[str, str]] = []
    broken_off: list[str] = []
    room.page.on("request", lambda request: asked.append((request.method, request.url)))
    room.page.on("requestfailed", lambda request: broken_off.append(request.url))
    _, second = room.open()
    room.wait_until_ready(second)
    room.page.keyboard.press("k")
    with room.page.expect_event("requestfinished", lambda request: bool(PICTURE.search(request.url))):
        room.page.keyboard.press("3")
    # It is complete, and stays so.
    for points in "45123":
        room.page.keyboard.press("k")
        room.page.keyboard.press(points)
    expect(room.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible()
    film = second.completion_a.instance.uid
    of_next = [(method, url) for method, url in asked if str(film) in url]
    assert [method for method, url in of_next if url.endswith("/film/")] == ["GET"]
    # Once for it, and now and then as the reader is at work.
    assert 1 <= len([url for _, url in of_next if PICTURE.search(url)]) <= 2
    assert broken_off == []
    with room.page.expect_response(SIGN):
        room.page.keyboard.press("Control+Enter")
    room.wait_for_case(second)
    assert room.was_swapped_in(second)
    assert [url for _, url in asked if url.endswith(f"{film}/film/")] == [of_next[0][1]]
    assert broken_off == []


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


def test_a_case_that_comes_onto_the_screen_offline_was_opened_then(
    enter: Callable[..., Room], context: BrowserContext
) -> None:
    room = enter(num_cases=2)
    # Only the browser's clock is put forward, so the list is as old as the time away and more.
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Reading.objects.update(created_at=an_hour_ago)
    Assignment.objects.update(created_at=an_hour_ago)
    ReaderStudy.objects.update(created_at=an_hour_ago)
    Invitation.objects.update(answered_at=an_hour_ago)
    first, second = Reading.objects.order_by("assignment__position")
    Reading.objects.filter(pk=first.pk).update(opened_at=timezone.now() - timedelta(minutes=50))
    room.open()
    room.wait_until_ready(second)
    began = timezone.now()
    context.clock.install()
    context.set_offline(True)
    room.page.keyboard.press("Control+Enter")
    room.wait_for_case(second)
    context.clock.fast_forward(AWAY_SECONDS * 1000)
    room.page.keyboard.press("3")
    expect(room.page.get_by_role("alert").filter(has_text="The server cannot be reached")).to_be_visible()
    check_barriers(room.page)
    context.set_offline(False)
    expect(room.page.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible(timeout=60_000)
    for reading in (first, second):
        reading.refresh_from_db()
    assert first.signed_at is not None
    assert second.opened_at is not None
    kept = ReadingChange.objects.get(reading=second, kind="rate_step")
    away = (kept.received_at - second.opened_at).total_seconds()
    assert AWAY_SECONDS <= away <= AWAY_SECONDS + (kept.received_at - began).total_seconds()


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
