"""On the sheet a film is seen in its full size without leaving it, and a tick is kept at once."""

import re
from pathlib import Path
from typing import Any

from django.urls import reverse
from playwright.sync_api import BrowserContext, expect

from deepmedix_review.studies.models import Study
from tests.browser import check_barriers, open_as, watch
from tests.deepmedix_review.studies.masking.test_finding import film_with_print
from tests.factories.accounts import AdminFactory
from tests.factories.studies import store_phantom
from tests.reading_room import FILM_SIZE


def test_a_film_is_enlarged_over_the_sheet_and_its_tick_outlives_a_reload(
    live_server: Any, context: BrowserContext
) -> None:
    films = [store_phantom(seed=seed, size=FILM_SIZE) for seed in (1, 2, 3)]
    Study.objects.update(state=Study.State.UNSEEN, is_phantom=False)
    newest, second = films[2].study, films[1].study
    admin = AdminFactory.create()
    page = open_as(admin, context=context, url=live_server.url)
    page.goto(live_server.url + reverse("study-look"))
    problems = watch(page)
    page.get_by_role("checkbox").first.press("Enter")
    larger = page.get_by_role("dialog")
    expect(larger).to_contain_text(f"{newest.label}")
    expect(larger.locator(".film-corner")).to_contain_text("zoom", timeout=30_000)
    larger.get_by_role("button", name="1:1", exact=True).click()
    expect(larger.locator(".film-corner")).to_contain_text("zoom 100 %")
    check_barriers(page)
    page.keyboard.press("ArrowRight")
    expect(larger).to_contain_text(f"{second.label}")
    page.keyboard.press("Space")
    expect(larger).to_contain_text("Kept: a name is on it")
    page.keyboard.press("Escape")
    expect(page.locator("input:focus")).to_have_value(re.compile(str(second.uid)))
    assert Study.objects.get(name_seen_by=admin) == second
    page.reload()
    expect(page.get_by_role("checkbox").nth(1)).to_be_checked()
    # A server that is away loses no tick either: it goes with the sheet.
    page.route("**/name/", lambda route: route.abort())
    page.get_by_role("checkbox").first.press("Space")
    expect(page.get_by_role("alert")).to_contain_text("The server can't be reached")
    page.get_by_role("button", name="no name on those not ticked").click()
    expect(page.get_by_role("status")).to_contain_text("no name on it; 2 studies put on hold.")
    assert set(Study.objects.filter(state=Study.State.HELD)) == {newest, second}
    away = ("ERR_FAILED", "htmx:sendError", "htmx:afterRequest")
    assert [problem for problem in problems if not any(word in problem for word in away)] == []


def test_a_film_on_which_print_is_found_says_so(
    live_server: Any, context: BrowserContext, tmp_path: Path
) -> None:
    film = film_with_print(tmp_path)
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    problems = watch(page)
    for address in (reverse("study-look"), reverse("study-detail", args=[film.study.uid])):
        page.goto(live_server.url + address)
        expect(page.get_by_text("2 lines of print found on it")).to_be_visible(timeout=30_000)
        check_barriers(page)
    assert problems == []
