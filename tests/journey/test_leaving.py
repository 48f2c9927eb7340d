"""Leaving a page while a part of it is on its way is no error to the browser's console."""

import re
from typing import Any

from django.urls import reverse
from playwright.sync_api import BrowserContext

from tests.browser import open_as, watch
from tests.factories.accounts import ResearcherFactory

CAUTIONS = re.compile(r"\?cautions$")
CALL_OFF = """() => {
    const elt = document.querySelector('#cautions');
    elt.dispatchEvent(new CustomEvent('htmx:abort', {bubbles: true, detail: {elt}}));
}"""


def test_a_request_that_is_called_off_with_its_page_is_no_error(
    live_server: Any, context: BrowserContext
) -> None:
    page = open_as(ResearcherFactory.create(), context=context, url=live_server.url)
    problems = watch(page)
    # Held back for good: it is under way whenever the page is left.
    page.route(CAUTIONS, lambda route: None)
    with page.expect_request(CAUTIONS):
        page.goto(f"{live_server.url}{reverse('dataset-list')}")
    # As the browser does when it leaves the page, and htmx where a newer request takes its place.
    page.evaluate(CALL_OFF)
    page.goto("about:blank")
    assert problems == []
