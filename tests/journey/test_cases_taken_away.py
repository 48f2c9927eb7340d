"""A case that is taken from its reader leaves the screen and the browser, and the reader is led on."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Route, expect

from deepmedix_review.reviews.models import Assignment, Reading, ReadingChange, StepRating
from deepmedix_review.studies.holding import hold_study
from deepmedix_review.studies.looking.services import report_name
from deepmedix_review.studies.models import Study
from deepmedix_review.studies.selectors import film_path
from tests.browser import check_barriers
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.film_room import entering
from tests.journey.list_of_cases import PICTURE, SIGN, Room, enter_list

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


@pytest.fixture
def enter(live_server: Any, context: BrowserContext) -> Callable[..., Room]:
    return partial(enter_list, url=live_server.url, context=context)


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


def test_two_outputs_are_not_offered_for_comparing_until_their_film_is_on_the_screen(
    live_server: Any, new_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    room = entering(live_server, new_context)(num_outputs=2)
    film = film_path(room.reading().completion_a.instance)
    away = film.rename(tmp_path / "away")
    room.page.goto(f"{room.url}/readings/{room.reading().uid}/")
    expect(room.page.get_by_role("alert").filter(has_text="The file of this film is missing")).to_be_visible()
    compare = room.page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    expect(compare).to_have_css("opacity", "0.5")
    compare.click(force=True)
    expect(compare).to_have_attribute("aria-pressed", "false")
    check_barriers(room.page)
    away.rename(film)
    room.page.reload()
    room.wait_for_film()
    expect(compare).to_be_enabled()
    compare.click()
    expect(compare).to_have_attribute("aria-pressed", "true")


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
