"""Held studies are decided on by keys alone, one by one or together, and taken back."""

import re
from typing import Any

from django.urls import reverse
from playwright.sync_api import BrowserContext, expect

from deepmedix_review.studies.models import Study
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import AdminFactory
from tests.factories.studies import store_phantom
from tests.reading_room import FILM_SIZE

READY, HELD, REJECTED = Study.State.READY, Study.State.HELD, Study.State.REJECTED


def test_held_studies_are_cleared_by_keys(live_server: Any, context: BrowserContext) -> None:
    films = [store_phantom(seed=seed, size=FILM_SIZE) for seed in range(1, 7)]
    studies = [film.study for film in reversed(films)]
    reason = "Its view is SWIMMERS, not PA, AP or lateral."
    Study.objects.update(state=HELD, held_for="view", held_reasons=[reason], is_phantom=False)
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    page.goto(live_server.url + reverse("study-held"))
    problems = watch(page)
    expect(page.get_by_role("heading", name="View: 6")).to_be_visible()
    check_barriers(page)

    def at(number: int) -> None:
        expect(page.locator("input:focus")).to_have_value(re.compile(str(studies[number].uid)))

    at(0)
    page.keyboard.press("a")
    at(1)
    expect(page.locator(f"#held-{studies[0].uid}")).to_contain_text("accepted.")
    page.keyboard.press("r")
    at(2)
    expect(page.locator(f"#held-{studies[1].uid}")).to_contain_text("rejected.")
    page.keyboard.press("u")
    at(1)
    assert [Study.objects.get(pk=study.pk).state for study in studies[:3]] == [READY, HELD, HELD]

    # In full size: decided on, and on to the next.
    page.keyboard.press("ArrowRight")
    at(2)
    page.keyboard.press("Enter")
    larger = page.get_by_role("dialog")
    expect(larger).to_contain_text(studies[2].label)
    expect(larger.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
    check_barriers(page)
    page.keyboard.press("r")
    expect(larger).to_contain_text(studies[3].label)
    page.keyboard.press("Escape")
    at(3)

    # The rest in one go: ticked, asked once with its number, done, and taken back.
    page.keyboard.press("t")
    expect(page.locator("[data-held-told]")).to_have_text("4 of 4 ticked")
    page.keyboard.press("Space")
    expect(page.locator("[data-held-told]")).to_have_text("3 of 4 ticked")
    page.keyboard.press("Shift+A")
    confirm = page.get_by_role("button", name="Looked at: accept 3 studies")
    expect(confirm).to_be_focused()
    check_barriers(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("3 studies accepted: looked at, no name on any film.")
    assert [Study.objects.get(pk=study.pk).state for study in studies] == [
        READY,
        READY,
        REJECTED,
        HELD,
        READY,
        READY,
    ]
    page.get_by_role("button", name="Take that back").click()
    expect(page.get_by_role("status")).to_contain_text("3 studies held again.")
    assert Study.objects.filter(state=HELD).count() == 4
    expect(page.get_by_text("You rejected 1 study")).to_be_visible()
    assert problems == []
