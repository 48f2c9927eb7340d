"""An admin draws boxes over the text of a film, by mouse and by keys, and a worker overwrites them."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from django.urls import reverse
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import BrowserContext, Page, expect
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.studies.models import Instance, Study, TextMasking
from deepmedix_review.studies.storage import film_path
from inference.images import render_reference
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import AdminFactory
from tests.factories.studies import store_phantom
from tests.workers import Workers

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = 512


@pytest.fixture
def film() -> Instance:
    film = store_phantom(seed=1, size=SIZE)
    Study.objects.update(state=Study.State.UNSEEN, is_phantom=False)
    return film


@pytest.fixture
def page(film: Instance, live_server: LiveServer, context: BrowserContext) -> Page:
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    page.goto(live_server.url + reverse("study-detail", args=[film.study.uid]))
    page.get_by_role("link", name="Mask text …").click()
    expect(page.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
    return page


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """In shares of the film, which is square and fitted into its area."""
    area = page.locator(".film-stage").bounding_box()
    assert area is not None
    side = min(area["width"], area["height"])
    left, top = area["x"] + (area["width"] - side) / 2, area["y"] + (area["height"] - side) / 2

    def at(share: tuple[float, float]) -> tuple[float, float]:
        return left + share[0] * side, top + share[1] * side

    page.mouse.move(*at(start))
    page.mouse.down()
    page.mouse.move(*at(end), steps=4)
    page.mouse.up()


def numbers(page: Page, row: int) -> list[int]:
    fields = page.locator("[data-mask-row]").nth(row).get_by_role("spinbutton")
    return [int(fields.nth(at).input_value()) for at in range(4)]


def decide(page: Page) -> None:
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Overwrite and accept").click()


def test_boxes_are_drawn_by_mouse_and_overwritten_by_a_worker(
    celery_workers: Workers, page: Page, film: Instance
) -> None:
    problems, before, old = watch(page), render_reference(film_path(film)), film_path(film)
    expect(page.get_by_text("No box yet.")).to_be_visible()
    drag(page, (0.05, 0.05), (0.40, 0.10))
    drag(page, (0.60, 0.90), (0.95, 0.97))
    expect(page.locator("[data-mask-row]")).to_have_count(2)
    first = numbers(page, 0)
    assert first == pytest.approx([0.05 * SIZE, 0.05 * SIZE, 0.4 * SIZE, 0.1 * SIZE], abs=4)
    # Drawn nearly to the film's corner it reaches it.
    drag(page, (0.9, 0.1), (0.996, 0.004))
    assert numbers(page, 2)[1:3] == [0, SIZE]
    page.get_by_role("button", name="Remove box 3").click()
    # A third, taken back.
    drag(page, (0.4, 0.4), (0.6, 0.6))
    expect(page.locator("[data-mask-row]")).to_have_count(3)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-mask-row]")).to_have_count(2)
    # Moved by its outline.
    drag(page, (0.2, 0.05), (0.2, 0.15))
    moved = numbers(page, 0)
    assert moved[1] == pytest.approx(first[1] + 0.1 * SIZE, abs=4)
    assert moved[3] - moved[1] == pytest.approx(first[3] - first[1], abs=1)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".masked .region rect.outline").first).to_have_css("fill", "rgb(0, 0, 0)")
    check_barriers(page)
    second = numbers(page, 1)
    # Without the word the browser asks for it.
    page.get_by_role("button", name="Overwrite and accept").click()
    expect(page.get_by_role("checkbox")).to_be_focused()
    assert not TextMasking.objects.exists()
    decide(page)
    # The worker's end comes to the page by itself.
    expect(page.get_by_text("2 boxes overwritten")).to_be_visible()
    expect(page.get_by_text("The film with the text is deleted.")).to_be_visible()
    expect(page.get_by_text("The study was accepted with it.")).to_be_visible()
    check_barriers(page)
    film.refresh_from_db()
    after = render_reference(film_path(film))
    where = np.zeros(after.shape, bool)
    for x_min, y_min, x_max, y_max in (moved, second):
        where[y_min:y_max, x_min:x_max] = True
    assert after[where].max() == 0
    assert np.array_equal(after[~where], before[~where])
    assert not old.exists()
    assert Study.objects.get().state == Study.State.READY
    page.get_by_role("link", name="To the study").first.click()
    expect(page.get_by_text("113101")).to_be_visible()
    assert problems == []


def test_lines_of_print_are_suggested_and_taken_moved_left_or_taken_all(page: Page, film: Instance) -> None:
    problems = watch(page)
    expect(page.get_by_text("No line of print was found. Look all the same")).to_be_visible(timeout=30_000)
    print_on(film, {(20, 12): "DOE JANE [F]", (300, 460): "DOB: 06.16.1976", (20, 470): "PORTABLE"})
    page.reload()
    expect(page.get_by_text("3 lines of print were found, dashed on the film.")).to_be_visible(timeout=30_000)
    expect(page.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
    expect(page.locator(".region.dashed")).to_have_count(3)
    expect(page.get_by_text("No box yet.")).to_be_visible()
    check_barriers(page)
    # The first by its button, and moved as any box.
    page.get_by_role("button", name="Take ?1").click()
    first = numbers(page, 0)
    assert first[0] <= 20
    assert first[1] <= 14
    page.locator(".film-area").focus()
    page.keyboard.press("ArrowRight")
    assert numbers(page, 0) == [first[0] + 1, first[1], first[2] + 1, first[3]]
    expect(page.get_by_text("2 lines of print were found")).to_be_visible()
    # The others keep their numbers, the preview does not cover them, and nothing is overwritten before they
    # are dealt with.
    expect(page.get_by_role("button", name="Take ?2")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator(".region.dashed").first).to_be_hidden()
    page.keyboard.press("p")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Overwrite and accept").click()
    expect(page.get_by_text("Nothing was overwritten: ?2, ?3 are neither taken nor left.")).to_be_visible()
    page.locator(".film-area").focus()
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(page.get_by_text("3 lines of print were found")).to_be_visible()
    page.get_by_role("button", name="Leave ?3").click()
    expect(page.get_by_role("button", name="Leave ?2")).to_be_focused()
    page.locator(".film-area").focus()
    page.keyboard.press("a")
    expect(page.locator("[data-mask-row]")).to_have_count(2)
    expect(page.get_by_text("Each line of print that was found is dealt with.")).to_be_visible()
    # Taken away it is a suggestion again.
    page.get_by_role("button", name="Remove box 2").click()
    expect(page.get_by_text("1 line of print was found")).to_be_visible()
    expect(page.locator(".region.dashed")).to_have_count(1)
    assert not TextMasking.objects.exists()
    assert problems == []


def print_on(film: Instance, lines: dict[tuple[int, int], str]) -> None:
    """As if it had come with them."""
    dataset = dcmread(film_path(film))
    ink = Image.fromarray(np.zeros((SIZE, SIZE), np.uint8))
    for place, words in lines.items():
        ImageDraw.Draw(ink).text(place, words, fill=255, font=ImageFont.load_default(18))
    pixels = dataset.pixel_array.copy()
    pixels[np.asarray(ink) > 100] = (1 << dataset.BitsStored) - 1
    dataset.PixelData = encapsulate([bytes(imagecodecs.htj2k_encode(pixels, reversible=True))])
    dataset.save_as(film_path(film))
    sha256 = hashlib.sha256(film_path(film).read_bytes()).hexdigest()
    Instance.objects.filter(pk=film.pk).update(file_sha256=sha256)


def test_boxes_are_drawn_by_keys_alone(page: Page) -> None:
    problems = watch(page)
    page.locator(".film-area").focus()
    press: Callable[[str], None] = page.keyboard.press
    press("n")
    start = numbers(page, 0)
    for key in ("ArrowLeft", "Shift+ArrowUp", "Control+ArrowRight", "Control+Shift+ArrowDown"):
        press(key)
    press("Alt+ArrowLeft")
    far = round(SIZE / 40)
    moved = [start[0] - 2, start[1] - far, start[2], start[3]]
    assert numbers(page, 0) == moved
    press("n")
    assert numbers(page, 1)[1] > start[1]
    press(".")
    press("Delete")
    expect(page.locator("[data-mask-row]")).to_have_count(1)
    press("u")
    expect(page.locator("[data-mask-row]")).to_have_count(2)
    press("p")
    expect(page.get_by_role("button", name="Preview")).to_have_attribute("aria-pressed", "true")
    press("p")
    # Typed, the box on the film follows.
    right = page.locator("[data-mask-row]").nth(0).get_by_label("Right")
    right.fill("500")
    expect(page.get_by_text(re.compile("^2 boxes, "))).to_be_visible()
    assert numbers(page, 0)[2] == 500
    right.fill("")
    expect(right).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Clear all").click()
    expect(page.get_by_text("No box yet.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-mask-row]")).to_have_count(2)
    check_barriers(page)
    assert problems == []


def test_refused_boxes_are_still_there_and_other_tools_work(page: Page, film: Instance) -> None:
    page.locator(".film-area").focus()
    page.keyboard.press("n")
    page.locator("[data-mask-row]").get_by_label("Left").fill("0")
    page.locator("[data-mask-row]").get_by_label("Top").fill("0")
    page.locator("[data-mask-row]").get_by_label("Right").fill(str(SIZE))
    page.locator("[data-mask-row]").get_by_label("Bottom").fill(str(SIZE))
    expect(page.get_by_text("1 box, 100 % of the film.")).to_be_visible()
    decide(page)
    expect(page.get_by_role("alert")).to_contain_text("The boxes cover the whole film")
    assert numbers(page, 0) == [0, 0, SIZE, SIZE]
    expect(page.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
    window = page.locator(".film-corner").inner_text()
    page.get_by_role("button", name="Window").click()
    drag(page, (0.3, 0.3), (0.5, 0.6))
    assert page.locator(".film-corner").inner_text() != window
    expect(page.locator("[data-mask-row]")).to_have_count(1)
    assert not TextMasking.objects.exists()


def test_by_numbers_without_a_script(
    film: Instance, live_server: LiveServer, browser: Any, tmp_path: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    page.goto(live_server.url + reverse("film-mask", args=[film.uid]))
    row = page.locator("[data-mask-row]").first
    for label, value in (("Left", 1), ("Top", 2), ("Right", 30), ("Bottom", 9)):
        row.get_by_label(label).fill(str(value))
    page.get_by_role("button", name="Overwrite, decide later").click()
    expect(page.get_by_text("1 box waits for a worker.")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled: nothing was overwritten.")).to_be_visible()
    masking = TextMasking.objects.get()
    assert (masking.boxes, masking.is_to_accept, masking.state) == ([[1, 2, 30, 9]], False, "cancelled")
    context.close()
