"""Who decides between two readers sees on the film where each put a region, and can move none of them."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Locator, Page, expect

from deepmedix_review.accounts.models import User
from deepmedix_review.reasoning.models import ReasoningStep
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.designs.design import FirstReads
from deepmedix_review.reviews.models import (
    Assignment,
    DrawnRegion,
    FirstRead,
    Invitation,
    Reading,
    RegionAnnotation,
    StepRating,
)
from deepmedix_review.reviews.reading.changes import (
    AddFinding,
    AnnotateRegion,
    DrawRegion,
    Look,
    RateStep,
    SetWindow,
)
from deepmedix_review.reviews.study_services import queue_adjudications
from tests.browser import check_barriers, open_as, watch
from tests.factories.reader_studies import a_draft, running
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import change, complete, reader_of, say_first, sign
from tests.factories.studies import store_phantom
from tests.film_room import INNER, OUTER, FilmRoom
from tests.reading_room import FILM_SIZE

REDRAWN = {1: (50.0, 70.0, 170.0, 190.0), 2: (80.0, 60.0, 200.0, 210.0)}
FURTHER = (20.0, 20.0, 50.0, 60.0)
SUSPICIOUS = {1: (30.0, 40.0, 90.0, 120.0), 2: (120.0, 40.0, 180.0, 120.0)}
MISSED = (200.0, 30.0, 240.0, 80.0)
DASHES = {"R1 1": "10px, 4px, 2px, 4px", "R2 1": "10px, 4px, 2px, 4px, 2px, 4px"}

Edges = NDArray[np.float64]


def edges_of(outline: Locator) -> Edges:
    x, y, width, height = (
        float(outline.get_attribute(name) or "nan") for name in ("x", "y", "width", "height")
    )
    return np.array([x, y, x + width, y + height])


@pytest.fixture
def room(live_server: Any, new_context: Callable[..., BrowserContext]) -> FilmRoom:
    return before_a_dispute(live_server, new_context)


def before_a_dispute(
    live_server: Any, new_context: Callable[..., BrowserContext], *, first_reads: FirstReads = "off"
) -> FilmRoom:
    """The adjudicator before a case on which two readers were of two minds."""
    film = store_phantom(seed=1, size=FILM_SIZE)
    completion = say(
        film, steps=[OUTER, INNER], answer="cardiomegaly", model_version=ServingModelFactory.create()
    )
    reader_study = running(
        a_draft(
            studies=[film.study],
            num_readers=3,
            design=ReaderStudyDesign(
                design="k_readers", readers_per_case=2, shows="one", first_reads=first_reads
            ),
            adjudication="third_reader",
        )
    )
    first, second = ReasoningStep.objects.filter(completion=completion).order_by("position")
    earlier = list(Reading.objects.order_by("assignment__pk"))
    for number, reading in enumerate(earlier, start=1):
        if first_reads == "on":
            change(reading, DrawRegion(uuid.uuid4(), None, None, "first", SUSPICIOUS[number]))
            say_first(reading, impression=f"Seen by {number}")
        complete(reading)
        adjusted = RegionAnnotation.Verdict.ADJUSTED
        change(reading, AnnotateRegion(first.regions.get().uid, adjusted, REDRAWN[number]))
    one, two = earlier
    change(one, DrawRegion(uuid.uuid4(), second.uid, None, None, FURTHER))
    change(one, RateStep(second.uid, 1, False, ""))
    finding = uuid.uuid4()
    change(two, AddFinding(finding, completion.uid, "rib fracture"))
    change(two, DrawRegion(uuid.uuid4(), None, finding, None, MISSED))
    change(two, SetWindow(2048.0, 1500.0, True, Look(0, "Window 1", Reading.Curve.LINEAR)))
    for reading in earlier:
        sign(reading)
    queue_adjudications(reader_study=reader_study)
    third = Invitation.objects.exclude(reader__in=[reader_of(reading) for reading in earlier]).get().reader
    page = open_as(third, context=new_context(), url=live_server.url)
    return FilmRoom(page=page, url=live_server.url, reader=third, problems=watch(page))


def labels_on(page: Page) -> Locator:
    return page.locator(".earlier-region .plate-text")


def test_earlier_regions_are_on_the_film_with_the_item_in_focus(room: FilmRoom) -> None:
    room.open()
    page = room.page
    assert room.reading().assignment.kind == Assignment.Kind.ADJUDICATION
    # What is disputed has the focus first.
    expect(room.current()).to_have_attribute("aria-label", "Step 2")
    expect(room.current().get_by_text("disputed", exact=True)).to_have_count(1)
    room.press("k")
    expect(room.current().get_by_text("not disputed", exact=True)).to_have_count(2)
    expect(labels_on(page)).to_have_text(["R1 1", "R2 1"])
    for label, dashes in DASHES.items():
        outline = page.locator(f'[data-earlier="{label}"] .outline')
        assert outline.evaluate("line => getComputedStyle(line).strokeDasharray") == dashes
        assert outline.evaluate("line => getComputedStyle(line).fill") == "none"
    # The model's own outline says where film pixels are on the screen.
    model = edges_of(page.locator("[data-region] .outline").first)
    left, top, right, _ = OUTER[1][0]
    scale = (model[2] - model[0]) / (right - left)
    origin = model[:2] - np.array([left, top]) * scale
    for number, box in REDRAWN.items():
        shown = edges_of(page.locator(f'[data-earlier="R{number} 1"] .outline'))
        assert shown == pytest.approx(np.tile(origin, 2) + np.array(box) * scale, abs=0.5)
    step = page.get_by_role("group", name="Step 1", exact=True)
    expect(step.get_by_role("listitem").filter(has_text="Reader 1")).to_contain_text("redrawn as R1 1")
    expect(step.get_by_role("listitem").filter(has_text="Reader 2")).to_contain_text("redrawn as R2 1")
    expect(step.locator(".dash-sample")).to_have_count(2)
    expect(page.get_by_text("saw the film with W 1500 L 2048, inverted")).to_be_visible()
    check_barriers(page)

    room.press(".")
    expect(labels_on(page)).to_have_text(["R1 2+1"])
    room.press("b")
    expect(labels_on(page)).to_have_text(["R1 1", "R1 2+1", "R2 1", "R2 M1"])
    expect(page.get_by_text("rib fracture (R2 M1)")).to_be_visible()
    page.keyboard.down("Space")
    expect(page.locator(".region")).to_have_count(0)
    page.keyboard.up("Space")
    room.press("b")
    expect(labels_on(page)).to_have_text(["R1 2+1"])
    assert room.problems == []


def test_earlier_regions_take_no_click_and_no_drag(room: FilmRoom) -> None:
    room.open()
    page = room.page
    expect(labels_on(page)).to_have_text(["R1 2+1"])
    outline = page.locator('[data-earlier="R1 2+1"] .outline').bounding_box()
    plate = page.locator('[data-earlier="R1 2+1"] .plate').bounding_box()
    assert outline is not None
    assert plate is not None
    corner = page.locator(".film-corner").first
    before = corner.inner_text()
    edge = (outline["x"] + 1, outline["y"] + outline["height"] / 2)
    page.mouse.click(*edge)
    page.mouse.click(plate["x"] + plate["width"] / 2, plate["y"] + plate["height"] / 2)
    expect(page.get_by_role("group", name="Step 2", exact=True)).to_have_class(re.compile("current"))
    room.press("Delete", "ArrowRight")
    # A drag reaches the film below: the window.
    room.drag(edge, (edge[0] + 80, edge[1] + 40))
    expect(corner).not_to_have_text(before)
    room.wait_until_saved()
    mine = Reading.objects.get(assignment__reader=room.reader)
    for rows in (RegionAnnotation.objects, DrawnRegion.objects, StepRating.objects):
        assert not rows.filter(reading=mine).exists()
    # The region in hand is redrawn as ever.
    room.press("r")
    at = room.middle()
    room.drag(at, (at[0] + 90, at[1] + 70))
    room.wait_until_saved()
    assert RegionAnnotation.objects.get(reading=mine).region.step.position == 2


def test_who_decides_reads_the_film_alone_first_where_the_readers_did(
    live_server: Any, new_context: Callable[..., BrowserContext]
) -> None:
    room = before_a_dispute(live_server, new_context, first_reads="on")
    room.open()
    page = room.page
    expect(page.get_by_text("The outputs, and what the earlier readers said, are shown once")).to_be_visible()
    expect(page.locator(".earlier, .earlier-region")).to_have_count(0)
    expect(page.locator(".room-top").get_by_text("to settle")).to_be_visible()
    expect(page.get_by_role("button", name="Lock and show it all")).to_be_visible()
    room.press("1", "ControlOrMeta+Enter")
    # Their words and regions, once their own are locked; the focus is on what is disputed.
    expect(room.current()).to_have_attribute("aria-label", "Step 2")
    own = page.get_by_role("region", name="Your first read")
    expect(own.get_by_role("listitem")).to_have_text(
        [
            "Reader 1  first read Seen by 1 (confidence 4 of 5) (R1 F)",
            "Reader 2  first read Seen by 2 (confidence 4 of 5) (R2 F)",
        ]
    )
    expect(labels_on(page)).to_have_text(["R1 2+1"])
    room.press("b")
    expect(labels_on(page)).to_have_text(["R1 1", "R1 2+1", "R1 F", "R2 1", "R2 M1", "R2 F"])
    check_barriers(page)
    room.press("b")
    own.get_by_role("button", name="Say what you think after the reveal").click()
    expect(labels_on(page)).to_have_text(["R1 F", "R2 F"])
    room.wait_until_saved()
    assert FirstRead.objects.get(reading=room.reading()).findings == ["No Finding"]
    assert room.problems == []


def test_only_who_decides_sees_them(
    room: FilmRoom, live_server: Any, new_context: Callable[..., BrowserContext]
) -> None:
    theirs: User = reader_of(Reading.objects.exclude(assignment__reader=room.reader)[0])
    page = open_as(theirs, context=new_context(), url=live_server.url)
    earlier = FilmRoom(page=page, url=live_server.url, reader=theirs, problems=watch(page))
    earlier.open()
    expect(page.locator("[data-region]")).to_have_count(1)
    earlier.press("b")
    expect(page.locator("[data-region]")).not_to_have_count(1)
    expect(page.locator(".earlier-region")).to_have_count(0)
    assert "Reader 1" not in page.locator(".room-column").inner_text()
