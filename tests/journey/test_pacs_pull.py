"""An admin searches a PACS, ticks by keyboard and mouse, and sees the films come in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.studies.models import PacsPull
from deepmedix_review.studies.tasks import run_pacs_pull
from tests.browser import check_barriers, open_as, watch
from tests.deepmedix_review.studies.pulling.a_pacs import PATIENT, TOKEN, films_in, name_source, running
from tests.factories.accounts import AdminFactory
from tests.home import HOME

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(live_server: LiveServer, browser: Browser, tmp_path: Path, settings: Settings) -> Iterator[Page]:
    settings.LEASE_SECONDS = 3600
    with running(films_in(tmp_path)) as pacs:
        name_source(HOME, settings, f'url = "{pacs.url}"\ntoken = "{TOKEN}"')
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = open_as(AdminFactory.create(), context=context, url=live_server.url)
        heard = watch(page)
        page.goto(live_server.url + reverse("study-import"))
        page.get_by_role("link", name="From a PACS").click()
        yield page
        assert heard == []
        context.close()


def bring_in(page: Page, *, done: str) -> None:
    """Here, or by a worker, where one is up; the page renews itself."""
    expect(page.locator("#pull")).to_be_visible()
    run_pacs_pull(PacsPull.objects.get().pk)
    expect(page.get_by_text(done)).to_be_visible(timeout=60_000)


def test_studies_are_searched_ticked_and_come_in(page: Page) -> None:
    page.get_by_label("Patient ID").fill(PATIENT)
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="2 studies found in main")
    expect(heading).to_be_focused()
    assert PATIENT not in page.url
    # It comes back, so that it can be narrowed.
    expect(page.get_by_label("Patient ID")).to_have_value(PATIENT)
    check_barriers(page)

    told = page.get_by_role("status")
    first, second = (page.get_by_role("checkbox", name=f"Study {number}") for number in (1, 2))
    every = page.get_by_role("checkbox", name="Tick all")
    expect(told).to_contain_text("None is ticked")
    page.get_by_role("button", name="Bring the ticked ones in").focus()
    for ticked in (every, first, second):
        page.keyboard.press("Tab")
        expect(ticked).to_be_focused()
    page.keyboard.press("Space")
    expect(told).to_have_text("1 ticked")
    assert every.evaluate("box => box.indeterminate")
    every.click()
    expect(told).to_have_text("2 ticked")
    every.click()
    expect(first).not_to_be_checked()
    first.click()
    second.click(modifiers=["Shift"])
    expect(told).to_have_text("2 ticked")
    expect(every).to_be_checked()
    second.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Films from main")).to_be_visible()
    check_barriers(page)
    bring_in(page, done="2 of 2 studies done")
    expect(page.get_by_text("2 accepted", exact=True)).to_be_visible()

    page.get_by_role("link", name="Search a PACS").click()
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("2 films", exact=True)).to_be_visible()
    # All are here: there is nothing else to tick.
    expect(told).to_contain_text("None is ticked")
    expect(page.get_by_role("button", name="Tick those that are not here")).to_be_hidden()


def test_those_that_are_not_here_are_ticked_by_a_button(page: Page) -> None:
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("checkbox", name="Study 2").check()
    page.get_by_role("button", name="Bring the ticked ones in").click()
    bring_in(page, done="1 of 1 study done")
    page.get_by_role("link", name="Search a PACS").click()
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("button", name="Tick those that are not here").click()
    expect(page.get_by_role("checkbox", name="Study 1")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Study 2")).not_to_be_checked()
