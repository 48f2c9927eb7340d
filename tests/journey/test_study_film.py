"""The films of a study's page: what a model pointed at is drawn on them; they are measured and enlarged."""

import re
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Locator, Page, expect

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import Completion, InferenceJob, Region
from deepmedix_review.reasoning.unfinished import keep
from deepmedix_review.studies.models import Instance, Reference, ReferenceRegion
from inference.engines import SoFar
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import AdminFactory
from tests.factories.jobs import InferenceJobFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.film_room import INNER, OUTER
from tests.reading_room import FILM_SIZE

BEYOND = ("The tube ends outside.", [(100.0, 100.0, 150.0, 150.0), (300.0, 300.0, 340.0, 340.0)])
SIDES = ("x_min", "y_min", "x_max", "y_max")
FAR_OFF = (25_253.0, 48.0, 77.0, 90.0)


@pytest.fixture
def page(live_server: Any, context: BrowserContext) -> Page:
    film = store_phantom(seed=1, size=FILM_SIZE)
    say(film, steps=[OUTER, INNER, BEYOND], answer="none", model_version=ServingModelFactory.create())
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    page.goto(live_server.url + reverse("study-detail", args=[film.study.uid]))
    expect(page.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
    return page


def spacing_mm() -> float:
    spacing = Instance.objects.get().column_spacing_mm
    assert spacing is not None
    return spacing


def labels_on(page: Page) -> Locator:
    return page.locator(".region .plate-text")


def test_boxes_of_the_source_are_drawn_on_the_film_and_kept_when_pressed(page: Page) -> None:
    problems = watch(page)
    film = Instance.objects.get()
    reference = Reference.objects.create(study=film.study, labels={"Effusion": "present"})
    for label, edge in (("Effusion", 40.0), ("Nodule", 120.0)):
        ReferenceRegion.objects.create(
            reference=reference, film=film, label=label, x_min=edge, y_min=30.0, x_max=edge + 50, y_max=90.0
        )
    page.reload()
    nodule = page.get_by_role("button", name="Nodule", exact=True)
    nodule.hover()
    expect(labels_on(page)).to_have_text(["Nodule"])
    nodule.click()
    page.get_by_role("button", name="Effusion", exact=True).focus()
    expect(labels_on(page)).to_have_text(["Nodule", "Effusion"])
    expect(nodule).to_have_attribute("aria-pressed", "true")
    check_barriers(page)
    assert problems == []


def test_regions_of_an_unfinished_text_are_on_the_film_dashed_until_it_ends(page: Page) -> None:
    problems = watch(page)
    job = InferenceJobFactory.create(instance=Instance.objects.get(), state=JobState.RUNNING, attempt=1)

    def writes(text: str) -> None:
        keep([(job, SoFar(text, (FILM_SIZE, FILM_SIZE)))])

    writes("<think> Heart [10, 20, 30, 4")
    page.reload()
    expect(page.get_by_text("Heart [10, 20, 30, 4")).to_be_visible()
    expect(labels_on(page)).to_have_count(0)
    writes("<think> Heart [10, 20, 30, 40]; tube [50, 60, 70, 80]")
    expect(labels_on(page)).to_have_text(["B1", "B2"])
    expect(page.locator(".region.dashed")).to_have_count(2)
    expect(page.locator("#inference-said")).to_contain_text("unfinished: 2 steps so far.")
    check_barriers(page)
    InferenceJob.objects.update(state=JobState.CANCELLED)
    expect(labels_on(page)).to_have_count(0)
    expect(page.locator("#inference-said")).to_have_text("Nothing is under way. 1 completion is there.")
    assert problems == []


def test_a_region_is_on_the_film_while_it_is_pointed_at_and_stays_when_pressed(page: Page) -> None:
    problems = watch(page)
    regions = page.locator("button[data-region-box]")
    expect(regions).to_have_count(4)
    expect(labels_on(page)).to_have_count(0)
    regions.nth(1).hover()
    expect(labels_on(page)).to_have_text(["2"])
    expect(regions.nth(1)).to_have_text("Region 2")
    # A step's words show all of its regions.
    page.get_by_text("The tube ends outside.").hover(position={"x": 5, "y": 5})
    expect(labels_on(page)).to_have_text(["3a", "3b !"])
    page.get_by_role("heading", level=1).hover()
    expect(labels_on(page)).to_have_count(0)
    for at in (0, 2, 3):
        regions.nth(at).click()
    expect(regions.nth(0)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("heading", level=1).click()
    page.get_by_role("heading", level=1).hover()
    expect(labels_on(page)).to_have_text(["1", "3a", "3b !"])
    # Where the model put it: the two boxes' own proportions, on the screen.
    outer, inner = (page.locator(".region .outline").nth(at) for at in (0, 1))
    sizes = [
        np.array([float(box.get_attribute(side) or "nan") for side in ("width", "height")])
        for box in (outer, inner)
    ]
    left, top, right, bottom = OUTER[1][0]
    assert sizes[0] / sizes[1] == pytest.approx(np.array([right - left, bottom - top]) / 50, rel=0.01)
    check_barriers(page)
    regions.nth(0).focus()
    page.keyboard.press("Enter")
    expect(regions.nth(0)).to_have_attribute("aria-pressed", "false")
    assert Completion.objects.count() == 1
    assert problems == []


def test_a_region_far_off_the_film_leaves_the_film_in_sight(page: Page) -> None:
    region = Region.objects.order_by("-pk")[0]
    Region.objects.filter(pk=region.pk).update(**dict(zip(SIDES, FAR_OFF, strict=True)))
    page.reload()
    expect(page.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
    page.locator("button[data-region-box]").nth(3).click()
    expect(labels_on(page)).to_have_text(["3b !"])
    stage, drawn = page.locator(".film-stage").bounding_box(), page.locator(".region .outline").bounding_box()
    assert stage is not None
    assert drawn is not None
    assert stage["x"] <= drawn["x"] < stage["x"] + stage["width"]
    assert stage["y"] <= drawn["y"] < stage["y"] + stage["height"]


def test_a_film_is_measured_by_keys_and_clicks_and_shown_on_the_whole_screen(page: Page) -> None:
    viewer = page.locator("[data-film-viewer]")
    viewer.get_by_role("button", name="Measure").click()
    page.keyboard.press("ArrowDown")
    words = viewer.locator(".ruler-text")
    # A fifth of the film to begin with; its spacing makes millimetres of pixels.
    num_pixels = round(FILM_SIZE * 0.6) - round(FILM_SIZE * 0.4)
    expect(words).to_have_text(re.compile(r"^[\d.]+ mm"))
    first = words.text_content() or ""
    assert float(first.split()[0]) == pytest.approx(num_pixels * spacing_mm(), abs=0.06)
    page.keyboard.press("Shift+ArrowRight")
    expect(words).not_to_have_text(first)
    expect(viewer.get_by_text("Length of the line")).to_be_attached()
    page.keyboard.press("Escape")
    expect(words).to_have_count(0)
    stage = viewer.locator(".film-stage").bounding_box()
    assert stage is not None
    at = (stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    page.mouse.click(*at)
    page.mouse.click(at[0] + 90, at[1])
    expect(words).to_be_visible()
    viewer.get_by_role("button", name="Magnify").click()
    page.mouse.move(*at)
    expect(viewer.locator(".lens")).to_be_visible()
    viewer.get_by_role("button", name="Magnify").click()
    expect(viewer.locator(".lens")).to_be_hidden()

    whole = viewer.get_by_role("button", name="Full screen")
    whole.click()
    expect(whole).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("height => document.querySelector('.film-stage').clientHeight > height", arg=700)
    whole.click()
    expect(whole).to_have_attribute("aria-pressed", "false")
    check_barriers(page)


def test_on_a_large_screen_a_click_means_the_film_pixel_under_the_pointer(page: Page) -> None:
    page.set_viewport_size({"width": 2560, "height": 1440})
    page.locator("button[data-region-box]").nth(1).click()
    region = page.locator(".region .outline")
    region.scroll_into_view_if_needed()
    box = region.bounding_box()
    assert box is not None
    viewer = page.locator("[data-film-viewer]")
    viewer.get_by_role("button", name="Measure").click()
    middle = box["y"] + box["height"] / 2
    for x in (box["x"], box["x"] + box["width"]):
        page.mouse.click(x, middle)
    left, _, right, _ = INNER[1][0]
    words = viewer.locator(".ruler-text")
    expect(words).to_have_text(re.compile(r"^[\d.]+ mm"))
    # A screen's pixel at either end is less than two of the film's.
    measured = float((words.text_content() or "").split()[0])
    assert measured == pytest.approx((right - left) * spacing_mm(), abs=2 * spacing_mm())
