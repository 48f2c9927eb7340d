"""An open amendment says what it is wherever its reader meets it, and can be given up."""

import re
from typing import Any

from playwright.sync_api import BrowserContext, Route, expect

from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Reading, StepRating
from deepmedix_review.reviews.study_services import TaughtCase, create_reader_study
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import complete, sign
from tests.factories.studies import store_phantom
from tests.reading_room import HEART, LUNG, Room

AMEND = re.compile(r"^Amend\b")
DISCARD = re.compile("^Discard the amendment")
CHANGES = re.compile(r"/api/readings/.+/changes/")
DISCARDED = re.compile(r"/api/readings/.+/discard/")


def test_an_amendment_is_opened_recognised_continued_and_discarded(
    live_server: Any, context: BrowserContext
) -> None:
    reader, film = ExpertFactory.create(), store_phantom(seed=1, size=128)
    boxes = [(text, [(20.0, 20.0, 60.0, 90.0)]) for text, _ in (HEART, LUNG)]
    say(film, steps=boxes, answer="cardiomegaly", model_version=ServingModelFactory.create())
    create_reader_study(title="Second thoughts", studies=[film.study], readers=[reader], actor=None, seed=1)
    signed = Reading.objects.get()
    complete(signed, plausibility=4)
    sign(signed)
    page = open_as(reader, context=context, url=live_server.url)
    room = Room(page=page, url=live_server.url, reader=reader, problems=watch(page))
    worklist = f"{live_server.url}/worklist/"

    page.goto(f"{worklist}?show=signed")
    page.get_by_role("link", name=AMEND).click()
    page.get_by_label("Reason").fill("I took the left for the right")
    page.get_by_role("button", name="Open the amendment").click()
    room.wait_for_film()
    said = page.get_by_role("region", name="Amendment")
    expect(said).to_contain_text("Amendment of the reading signed on")
    expect(said).to_contain_text("I took the left for the right")
    expect(page.get_by_role("button", name=re.compile("^Sign the amendment"))).to_be_visible()
    room.press("1")
    room.wait_until_saved()
    amendment = Reading.objects.get(amends=signed)
    assert StepRating.objects.filter(reading=amendment, plausibility=1).count() == 1

    # The signed case leads to it, and no reason is asked for in vain.
    page.goto(f"{worklist}?show=signed")
    expect(page.get_by_role("link", name="To read 1")).to_be_visible()
    expect(page.get_by_role("link", name=AMEND)).to_have_count(0)
    page.get_by_role("link", name=re.compile("^View ")).click()
    room.wait_for_film()
    page.get_by_role("link", name="Amendment open: continue").click()
    room.wait_for_film()
    said.get_by_role("button", name=DISCARD).click()
    expect(said.get_by_role("status")).to_contain_text("The signed reading stays as it is and counts.")
    check_barriers(page)
    # What keeps it from being discarded is said until the server answers again.
    page.route(DISCARDED, lambda route: route.abort())
    said.get_by_role("button", name="Discard it for good").click()
    refused = said.get_by_role("alert")
    expect(refused).to_have_text("Not discarded. The server cannot be reached.")
    page.unroute(DISCARDED)
    room.press("3")
    expect(refused).to_have_count(0)
    # The browser tells of a request that found no server.
    assert [problem for problem in room.problems if "ERR_FAILED" not in problem] == []
    room.problems.clear()
    # What is on its way has its answer first; it goes with the amendment, and leaves nothing to be sent.
    held: list[Route] = []
    page.route(CHANGES, lambda route: held.append(route))
    with page.expect_request(CHANGES):
        room.press("2")
    said.get_by_role("button", name="Discard it for good").click()
    expect(said.get_by_role("button", name="Discarding…")).to_have_attribute("aria-disabled", "true")
    assert Reading.objects.filter(amends=signed).exists()
    for route in held:
        route.continue_()
    expect(page).to_have_url(f"{live_server.url}/readings/{signed.uid}/")
    page.unroute(CHANGES)
    expect(page.get_by_role("link", name="Amend", exact=True)).to_be_visible()
    room.wait_for_film()
    expect(page.get_by_text("of another case of yours")).to_have_count(0)
    assert list(Reading.objects.all()) == [signed]
    assert set(StepRating.objects.values_list("plausibility", flat=True)) == {4}

    # From the worklist too.
    page.get_by_role("link", name="Amend", exact=True).click()
    page.get_by_label("Reason").fill("I did after all")
    page.get_by_role("button", name="Open the amendment").click()
    room.wait_for_film()
    left = context.new_page()
    left.goto(page.url)
    expect(left.get_by_role("toolbar", name="Film tools")).to_be_visible(timeout=60_000)
    page.goto(worklist)
    row = page.get_by_role("row", name=re.compile("Second thoughts.*amendment opened"))
    row.locator("summary", has_text="Discard").click()
    expect(row).to_contain_text("stays as it is and counts")
    check_barriers(page)
    row.get_by_role("button", name="Discard the amendment").click()
    expect(
        page.get_by_text("The amendment is discarded. Your signed reading stays as it is.")
    ).to_be_visible()
    expect(page.get_by_role("link", name="To read 0")).to_be_visible()
    assert list(Reading.objects.all()) == [signed]
    assert room.problems == []
    # What another window said of it since waits for nothing, and is given up there: whichever window sends it
    # is told of the conflict.
    left.keyboard.press("2")
    late = left.get_by_role("alert").filter(has_text="You discarded this amendment.")
    for name in ("Discard it and go to the worklist", "Discard it for good and go to the worklist"):
        late.get_by_role("button", name=name).click()
    expect(left).to_have_url(worklist)


def test_a_practice_case_that_was_gone_on_to_offers_its_own_amendment_and_not_the_one_before(
    live_server: Any, context: BrowserContext
) -> None:
    reader, films = ExpertFactory.create(), [store_phantom(seed=seed, size=128) for seed in (1, 2, 3)]
    model = ServingModelFactory.create()
    for film in films:
        say(film, steps=[(HEART[0], [(20.0, 20.0, 60.0, 90.0)])], answer="cardiomegaly", model_version=model)
    create_reader_study(
        title="Practice",
        studies=[films[0].study],
        taught=[TaughtCase(film.study, {}) for film in films[1:]],
        readers=[reader],
        actor=None,
        seed=1,
        design=ReaderStudyDesign(shows="one"),
    )
    first, second, _ = Reading.objects.order_by("assignment__position")
    for reading in (first, second):
        complete(reading, plausibility=4)
    sign(first)
    page = open_as(reader, context=context, url=live_server.url)
    room = Room(page=page, url=live_server.url, reader=reader, problems=watch(page))
    room.open()
    room.wait_for_film()
    amend = page.get_by_role("link", name="Amend", exact=True)
    expect(amend).to_have_attribute("href", f"/readings/{first.uid}/amend/")
    page.get_by_role("button", name=re.compile("^Next case")).click()
    expect(page).to_have_url(f"{live_server.url}/readings/{second.uid}/")
    room.wait_for_film()
    room.press("Control+Enter")
    expect(page.get_by_text("It is locked; a change of mind")).to_be_visible()
    expect(amend).to_have_attribute("href", f"/readings/{second.uid}/amend/")
    assert room.problems == []
