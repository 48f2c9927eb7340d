"""The reading room in a real browser: nothing rated is lost, and nothing is rated on the wrong film."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Route, expect

from deepmedix_review.reasoning.models import Region
from deepmedix_review.reviews.models import (
    AnswerRating,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.selectors import film_path
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.reading_room import FILM_SIZE, HEART, LUNG, Room

FILM = re.compile(r"/api/instances/.+/film/")
CHANGES = re.compile(r"/api/readings/.+/changes/")
# The sides are drawn by seed: with this one the output with two steps stands on side A of the first case.
TWO_STEPS_ON_SIDE_A = 10


@pytest.fixture
def enter(live_server: Any, context: BrowserContext) -> Callable[..., Room]:
    def make(*, num_cases: int = 1) -> Room:
        reader = ExpertFactory.create()
        model_version = ServingModelFactory.create()
        studies = []
        for seed in range(1, num_cases + 1):
            film = store_phantom(seed=seed, size=FILM_SIZE)
            for steps in ([HEART, LUNG], [LUNG]):
                say(film, steps=steps, answer="cardiomegaly", model_version=model_version)
            studies.append(film.study)
        create_reader_study(
            title="Two outputs", studies=studies, readers=[reader], actor=None, seed=TWO_STEPS_ON_SIDE_A
        )
        page = open_as(reader, context=context, url=live_server.url)
        return Room(page=page, url=live_server.url, reader=reader, problems=watch(page))

    return make


def steps_per_side(reading: Reading) -> list[int]:
    sides = [side for side in (reading.completion_a, reading.completion_b) if side is not None]
    return [side.steps.count() for side in sides]


def box_of(annotation: RegionAnnotation) -> NDArray[np.float64]:
    """Film pixels: left, top, right, bottom."""
    edges = [annotation.x_min, annotation.y_min, annotation.x_max, annotation.y_max]
    return np.array(edges, dtype=np.float64)


def test_a_case_is_rated_by_keys_alone_and_a_reload_loses_nothing(enter: Callable[..., Room]) -> None:
    room = enter(num_cases=2)
    room.open()
    room.wait_for_film()
    first, second = room.readings()
    num_steps = steps_per_side(first)
    first_output, second_output = num_steps
    progress = room.page.get_by_role("progressbar", name="Progress through the cases")
    expect(progress).to_have_js_property("value", 0)
    room.press(*["4", "f"] * first_output, "5", "4", "3")
    expect(
        room.page.locator(".output-name").get_by_text("Output A is complete. You are on output B now.")
    ).to_be_visible()
    room.press(*["4", "f"] * second_output, "5", "4", "3")
    room.press("2")
    expect(room.page.get_by_text("Everything is rated.")).to_be_visible()
    room.wait_until_saved()

    room.page.reload()
    room.wait_for_film()
    expect(room.page.get_by_text("Everything is rated.")).to_be_visible()
    step = room.page.get_by_role("group", name="How plausible is step 1, 1 to 5?")
    expect(step.get_by_label("4", exact=True)).to_be_checked()
    assert StepRating.objects.filter(reading=first, plausibility=4).count() == sum(num_steps)
    assert set(RegionAnnotation.objects.values_list("verdict", flat=True)) == {"fits"}
    answers = set(AnswerRating.objects.values_list("relevance", "correctness", "completeness"))
    assert answers == {(5, 4, 3)}
    assert Vote.objects.get().side == Vote.Side.TIE

    room.press("Control+Enter")
    expect(room.page.get_by_text("Case 2 of 2")).to_be_visible()
    expect(progress).to_have_js_property("value", 1)
    room.wait_for_film()
    label = second.assignment.label
    expect(room.page.get_by_role("heading", level=1)).to_have_text(f"Reading of {label}")
    expect(room.page.get_by_text("Nothing to save yet")).to_be_visible()
    first.refresh_from_db()
    assert first.signed_at is not None
    assert str(second.uid) in room.page.url
    assert room.problems == []


def test_tab_walks_through_the_page_and_out_of_it(enter: Callable[..., Room]) -> None:
    room = enter()
    room.open()
    room.wait_for_film()
    seen = room.page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, summary')].length"
    )
    names = []
    for _ in range(seen + 3):
        room.press("Tab")
        names.append(room.page.evaluate("document.activeElement.tagName + document.activeElement.innerText"))
        if names[-1].startswith("BODY"):
            break
    assert any(name.startswith("BUTTON") and "Sign" in name for name in names)
    assert names[-1].startswith("BODY")
    assert not StepRating.objects.exists()


def test_an_incomplete_case_is_not_signed_and_the_page_says_what_is_left(enter: Callable[..., Room]) -> None:
    room = enter()
    room.open()
    room.wait_for_film()
    room.press("4", "f", "Control+Enter")
    expect(room.page.get_by_role("alert").filter(has_text="Not signed yet. To do:")).to_be_visible()
    assert room.readings()[0].signed_at is None
    room.press("Backquote")
    expect(room.page.get_by_role("tab", name=re.compile("Output B"))).to_have_attribute(
        "aria-selected", "true"
    )
    room.page.get_by_role("button", name=re.compile("To do:")).click()
    expect(room.page.locator(".room .current")).to_have_attribute("aria-label", "Step 2 of output A")


def test_the_clock_goes_on_after_a_reload_and_stands_still_once_signed(enter: Callable[..., Room]) -> None:
    room = enter()
    reading = room.readings()[0]
    Reading.objects.filter(pk=reading.pk).update(active_seconds=125)
    room.open()
    room.wait_for_film()
    expect(room.page.get_by_text(re.compile(r"02:\d\d on case"))).to_be_visible()
    Reading.objects.filter(pk=reading.pk).update(signed_at=timezone.now())
    room.page.reload()
    room.wait_for_film()
    reading.refresh_from_db()
    kept = f"{reading.active_seconds // 60:02}:{reading.active_seconds % 60:02} on case"
    room.press("j", "k")
    room.page.mouse.move(300, 300)
    expect(room.page.get_by_text(kept)).to_be_visible()
    expect(room.page.get_by_role("link", name="Worklist", exact=True)).to_be_visible()
    expect(room.page.get_by_role("spinbutton")).to_have_count(0)
    expect(room.page.locator("[data-grip]")).to_have_count(0)


def test_a_region_is_redrawn_with_the_mouse_and_with_the_arrow_keys(enter: Callable[..., Room]) -> None:
    room = enter()
    room.open()
    room.wait_for_film()
    room.press("r")
    stage = room.page.locator(".film-stage").bounding_box()
    assert stage is not None
    # The film is square and fills the stage in one direction.
    side = min(stage["width"], stage["height"])
    left, top = stage["x"] + (stage["width"] - side) / 2, stage["y"] + (stage["height"] - side) / 2
    share = side / FILM_SIZE

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * share, top + y * share

    room.page.mouse.move(*at(200, 20))
    room.page.mouse.down()
    room.page.mouse.move(*at(220, 60), steps=3)
    room.page.mouse.move(*at(240, 80))
    room.page.mouse.up()
    room.wait_until_saved()
    drawn = RegionAnnotation.objects.get()
    assert drawn.verdict == RegionAnnotation.Verdict.ADJUSTED
    box = box_of(drawn)
    assert box == pytest.approx((200, 20, 240, 80), abs=1.0)

    corner = room.page.locator(".region.focused [data-grip=se]").bounding_box()
    assert corner is not None
    grip = (corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2)
    assert grip == pytest.approx(at(240, 80), abs=1.5)

    room.press("ArrowLeft", "ArrowLeft", "Shift+ArrowDown")
    room.wait_until_saved()
    edge = room.page.get_by_label("left", exact=True)
    expect(edge).to_have_value(re.compile(r"^19[789]"))
    room.page.reload()
    room.wait_for_film()
    room.wait_until_saved()
    drawn.refresh_from_db()
    assert box_of(drawn) == pytest.approx(box + np.array([-2, 10, -2, 10]), abs=0.2)

    # Enter takes a number and goes back to the item, whose keys are heard again; one that is none stays.
    current = room.page.locator(".room .current").last
    edge.fill("900")
    room.press("Enter")
    expect(room.page.get_by_text("Not saved.")).to_be_visible()
    expect(edge).to_be_focused()
    edge.fill("150.5")
    room.press("Enter")
    expect(current).to_be_focused()
    room.wait_until_saved()
    drawn.refresh_from_db()
    assert drawn.x_min == 150.5
    room.press("ArrowRight")
    expect(edge).to_have_value("151.5")
    redrawn = room.page.get_by_role("group", name=re.compile("Does region 1 fit")).first
    expect(redrawn.get_by_label("redrawn")).to_be_checked()


def test_without_its_own_film_on_screen_nothing_can_be_rated(enter: Callable[..., Room]) -> None:
    room = enter()
    page = room.page
    changes: list[str] = []
    page.on("request", lambda request: changes.append(request.url) if CHANGES.search(request.url) else None)
    other = store_phantom(seed=9, size=FILM_SIZE)

    def absent(route: Route) -> None:
        route.fulfill(status=404, body="")

    def another(route: Route) -> None:
        route.fulfill(status=200, content_type="application/dicom", body=film_path(other).read_bytes())

    def damaged(route: Route) -> None:
        film = bytearray(film_path(room.readings()[0].completion_a.instance).read_bytes())
        film[len(film) // 2] ^= 1
        route.fulfill(status=200, content_type="application/dicom", body=bytes(film))

    for answer, sentence in (
        (absent, "the server answered 404"),
        (another, "sent another film"),
        (damaged, "The film came damaged"),
    ):
        page.route(FILM, answer)
        room.open()
        expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible(timeout=60_000)
        room.press("4", "f", "x", "1")
        expect(page.locator(".room-bottom")).to_have_text(
            "The keys rest until the film is on the screen.For research, not for diagnosis."
        )
        expect(page.get_by_role("button", name="Take the tour")).to_have_count(0)
        room.press("Shift+Slash")
        sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
        expect(sheet.get_by_role("button", name="Close Esc")).to_be_visible()
        expect(sheet.get_by_role("button", name="Tour")).to_have_count(0)
        room.press("Escape")
        expect(page.locator(".film-canvas")).to_be_hidden()
        expect(page.locator(".region")).to_have_count(0)
        step = page.get_by_role("group", name="How plausible is step 1, 1 to 5?")
        expect(step.get_by_label("4", exact=True)).to_be_disabled()
        page.unroute(FILM)
    page.get_by_role("button", name="Load the film again").click()
    room.wait_for_film()
    expect(page.locator(".room-bottom")).to_contain_text("Region fits")
    expect(page.get_by_role("button", name="Take the tour")).to_be_visible()
    assert changes == []
    room.press("4")
    room.wait_until_saved()
    assert StepRating.objects.get().plausibility == 4


def test_what_the_server_did_not_get_is_kept_when_the_page_is_closed(
    enter: Callable[..., Room], context: BrowserContext
) -> None:
    room = enter()
    context.route(CHANGES, lambda route: route.abort())
    room.open()
    room.wait_for_film()
    room.press("4", "f", "2")
    expect(room.page.get_by_role("alert").filter(has_text="3 changes wait")).to_be_visible()
    room.page.close()
    assert not StepRating.objects.exists()

    context.unroute(CHANGES)
    room.page = context.new_page()
    room.open()
    room.wait_for_film()
    room.wait_until_saved()
    assert (
        StepRating.objects.get(step=room.readings()[0].completion_a.steps.get(position=1)).plausibility == 4
    )
    assert RegionAnnotation.objects.get().verdict == RegionAnnotation.Verdict.FITS


def test_the_reading_page_has_no_serious_barrier_and_breaks_no_policy(enter: Callable[..., Room]) -> None:
    room = enter()
    room.open()
    room.wait_for_film()
    room.press("4", "f", "b")
    room.wait_until_saved()
    check_barriers(room.page)
    room.page.keyboard.press("Shift+Slash")
    expect(room.page.get_by_role("dialog")).to_be_visible()
    check_barriers(room.page)
    room.page.keyboard.press("Escape")
    room.page.goto(f"{room.url}/worklist/")
    check_barriers(room.page)
    assert room.problems == []


def test_a_region_over_the_whole_film_can_be_drawn_anew_inside_of_itself(enter: Callable[..., Room]) -> None:
    room = enter()
    Region.objects.update(x_min=0, y_min=0, x_max=FILM_SIZE, y_max=FILM_SIZE, problem="whole_image")
    room.open()
    room.wait_for_film()
    expect(room.page.get_by_text("region is the whole image").first).to_be_visible()
    room.press("r")
    stage = room.page.locator(".film-stage").bounding_box()
    assert stage is not None
    middle = (stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    room.page.mouse.move(*middle)
    room.page.mouse.down()
    room.page.mouse.move(middle[0] + 40, middle[1] + 40, steps=3)
    room.page.mouse.up()
    room.wait_until_saved()
    left, top, right, bottom = box_of(RegionAnnotation.objects.get())
    assert (left, top) == pytest.approx((FILM_SIZE / 2, FILM_SIZE / 2), abs=1.0)
    assert 0 < right - left < FILM_SIZE / 4
    assert 0 < bottom - top < FILM_SIZE / 4
