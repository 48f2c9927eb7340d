"""Bringing films in by the browser: one bad file stops no other, and each says what became of it."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from deepmedix_review.studies.models import ImportBatch, Study
from tests.browser import check_barriers, open_as
from tests.factories.accounts import AdminFactory
from tests.factories.studies import store_phantom, write_film


@pytest.fixture
def page_of_an_admin(live_server: Any, context: BrowserContext) -> Page:
    return open_as(AdminFactory.create(), context=context, url=live_server.url)


def test_every_file_is_sent_by_itself_and_a_refused_one_stops_none(
    page_of_an_admin: Page, live_server: Any, tmp_path: Path
) -> None:
    page = page_of_an_admin
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if request.method == "POST" else None)
    no_film = tmp_path / "letter.dcm"
    no_film.write_text("no film at all", "utf-8")
    films = [write_film(tmp_path / f"film-{seed}.dcm", seed=seed) for seed in (1, 2)]

    page.goto(f"{live_server.url}/studies/import/")
    page.get_by_label("DICOM, PNG or JPEG files").set_input_files([films[0], no_film, films[1]])
    page.get_by_role("button", name="Import").click()

    results = page.locator("[data-upload-results]")
    expect(results).to_contain_text("3 files · ", timeout=60_000)
    expect(results).to_contain_text("2 accepted")
    expect(results).to_contain_text("1 refused")
    refused = results.get_by_role("row").filter(has_text="letter.dcm")
    expect(refused).to_contain_text("neither a DICOM file nor a picture")
    assert len(requests) == 3
    # Of one drop, however many requests carry it.
    assert ImportBatch.objects.get().items.count() == 3
    assert Study.objects.count() == 2
    latest = page.get_by_role("table", name="Your latest files")
    expect(latest.get_by_role("row")).to_have_count(4)
    expect(latest).to_contain_text("letter.dcm")
    expect(results.get_by_role("row")).to_have_count(2)
    latest.get_by_role("link").first.click()
    expect(page.get_by_role("toolbar", name="Film tools")).to_be_visible()


def test_an_admin_puts_a_film_on_hold_from_its_page(page_of_an_admin: Page, live_server: Any) -> None:
    page, study = page_of_an_admin, store_phantom().study
    page.goto(f"{live_server.url}/studies/{study.uid}/")
    expect(page.get_by_role("toolbar", name="Film tools")).to_be_visible()
    page.get_by_label("Reason").fill("A name is burned into the film.")
    check_barriers(page)
    page.get_by_role("button", name="Put on hold").click()
    expect(page.get_by_text("This study waits for a decision.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="A name is burned")).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text(f"{study.label} was accepted.")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/login/", "/studies/", "/studies/import/", "/accounts/", "/audit/", "/nowhere/"]
)
def test_no_page_of_an_admin_has_a_serious_barrier(
    page_of_an_admin: Page, live_server: Any, path: str
) -> None:
    if path == "/login/":
        page_of_an_admin.context.clear_cookies()
    page_of_an_admin.goto(live_server.url + path)
    expect(page_of_an_admin.get_by_role("heading", level=1)).to_be_visible()
    check_barriers(page_of_an_admin)
