"""Time at work in two windows of one browser: it is counted where the reader is, and once."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.study_services import create_reader_study
from tests.browser import open_as, watch
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.reading_room import HEART, Room

JUMP_SECONDS = 50
NUM_TURNS = 3


@pytest.fixture
def enter(live_server: Any, context: BrowserContext) -> Callable[[], Room]:
    """A reader with two cases, both opened an hour ago, in a browser whose clock can be put forward."""

    def make() -> Room:
        reader = ExpertFactory.create()
        model_version = ServingModelFactory.create()
        studies = []
        for seed in (1, 2):
            film = store_phantom(seed=seed, size=128)
            say(film, steps=[HEART], answer="cardiomegaly", model_version=model_version)
            studies.append(film.study)
        create_reader_study(title="Two windows", studies=studies, readers=[reader], actor=None, seed=1)
        opened_at = timezone.now() - timedelta(hours=1)
        Reading.objects.filter(assignment__reader=reader).update(opened_at=opened_at)
        context.clock.install()
        page = open_as(reader, context=context, url=live_server.url)
        return Room(page=page, url=live_server.url, reader=reader, problems=watch(page))

    return make


@pytest.mark.parametrize("is_same_case", [True, False])
def test_a_reader_who_goes_between_two_windows_is_counted_in_one_of_them(
    enter: Callable[[], Room], context: BrowserContext, is_same_case: bool
) -> None:
    first = enter()
    first.open()
    first.wait_for_film()
    second = Room(context.new_page(), first.url, first.reader, [])
    reading = first.readings()[0 if is_same_case else 1]
    began = time.monotonic()
    second.page.goto(f"{first.url}/readings/{reading.uid}/")
    second.wait_for_film()
    for turn in range(NUM_TURNS):
        for room in (first, second):
            room.page.bring_to_front()
            room.page.mouse.move(300, 300 + turn)
            context.clock.fast_forward(JUMP_SECONDS * 1000)
            room.page.mouse.move(300, 310 + turn)
    first.wait_until_saved()
    second.wait_until_saved()
    passed = 2 * NUM_TURNS * JUMP_SECONDS
    counted = Reading.objects.aggregate(total=Sum("active_seconds"))["total"]
    # In both windows it would be twice as much, and the clock of the machine goes on meanwhile.
    assert passed <= counted <= passed + (time.monotonic() - began) + 1
    shares = [reading.active_seconds for reading in first.readings()]
    assert shares[1] >= (0 if is_same_case else NUM_TURNS * JUMP_SECONDS)
    assert first.problems == []


@pytest.mark.parametrize("last_key", ["Escape", "ArrowRight"])
def test_the_time_of_the_tour_is_no_time_at_work(
    enter: Callable[[], Room], context: BrowserContext, last_key: str
) -> None:
    room = enter()
    began = time.monotonic()
    room.open()
    room.wait_for_film()
    room.page.get_by_role("button", name="Take the tour").click()
    tour = room.page.get_by_role("dialog")
    for number in range(1, 7):
        expect(tour.get_by_text(f"Tour, {number} of 6")).to_be_visible()
        context.clock.fast_forward(JUMP_SECONDS * 1000)
        room.press(last_key if number == 6 else "ArrowRight")
    expect(tour).to_have_count(0)
    room.press("4")
    room.page.evaluate("window.dispatchEvent(new Event('blur'))")
    room.wait_until_saved()
    counted = Reading.objects.aggregate(total=Sum("active_seconds"))["total"]
    assert counted <= (time.monotonic() - began) + 1
    assert room.problems == []
