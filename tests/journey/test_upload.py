"""Bringing films in by the browser: one bad file stops no other, and each says what became of it."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from deepmedix_review.studies.models import ArchiveImport, ImportBatch, Study
from deepmedix_review.studies.tasks import run_archive_import
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


IMPORT_REQUEST = "**/api/studies/"


def a_folder_of_films(tmp_path: Path) -> Path:
    """Two films in folders, and beside them what a system leaves there."""
    folder = tmp_path / "brought"
    for seed in (1, 2):
        (folder / f"patient-{seed}").mkdir(parents=True)
        write_film(folder / f"patient-{seed}" / "film.dcm", seed=seed)
    (folder / ".thumbnails").mkdir()
    (folder / ".thumbnails" / "1.png").write_bytes(b"no film")
    (folder / "patient-1" / ".index").write_bytes(b"no film")
    return folder


def drop(page: Page, path: Path) -> None:
    """As a person does from a window of files, which no script of a page can."""
    area = page.locator("form.drop").bounding_box()
    assert area is not None
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": area["x"] + 20, "y": area["y"] + 20, "data": data}
        session.send("Input.dispatchDragEvent", event)


@pytest.mark.parametrize("way", ["chosen", "dropped"])
def test_every_film_of_a_folder_is_brought_in(
    page_of_an_admin: Page, live_server: Any, tmp_path: Path, way: str
) -> None:
    page, folder = page_of_an_admin, a_folder_of_films(tmp_path)
    page.goto(f"{live_server.url}/studies/import/")
    if way == "chosen":
        page.get_by_label("or every file of a folder").set_input_files(folder)
    else:
        drop(page, folder)
    results = page.locator("[data-upload-results]")
    expect(results).to_contain_text("2 files · 2 accepted", timeout=60_000)
    expect(results.get_by_role("status")).to_have_text("Done.")
    check_barriers(page)
    assert Study.objects.count() == 2
    assert ImportBatch.objects.get().items.count() == 2

    # What is stored already is known again.
    drop(page, folder)
    expect(results).to_contain_text("4 files · 2 accepted · 2 duplicate", timeout=60_000)
    assert Study.objects.count() == 2


CONTENT_REQUEST = "**/content"


def an_archive(tmp_path: Path, *, num_more_bytes: int = 0) -> Path:
    """Two films, a letter, and what no film is, as large as is said."""
    path = tmp_path / "films.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for seed in (1, 2):
            archive.write(
                write_film(tmp_path / "film.dcm", seed=seed, BurnedInAnnotation="NO"), f"{seed}.dcm"
            )
        archive.writestr("letter.pdf", b"%PDF-1.4" + bytes(num_more_bytes))
    return path


def unpack_what_waits() -> None:
    for archive in ArchiveImport.objects.filter(state="queued"):
        run_archive_import(archive.pk)


def test_an_archive_is_sent_in_parts_and_its_row_says_what_became_of_it(
    page_of_an_admin: Page, live_server: Any, tmp_path: Path
) -> None:
    page = page_of_an_admin
    parts: list[str] = []
    page.on(
        "request",
        lambda request: parts.append(request.headers["content-range"]) if request.method == "PUT" else None,
    )
    page.goto(f"{live_server.url}/studies/import/")
    drop(page, an_archive(tmp_path, num_more_bytes=20 * 1024**2))
    results = page.locator("[data-upload-results]")
    expect(results).to_contain_text("1 file · 1 sent, to be unpacked", timeout=60_000)
    expect(results.get_by_role("status")).to_have_text("Sent.")
    assert parts[0].startswith(f"bytes 0-{16 * 1024**2 - 1}/")
    assert len(parts) == 2
    row = page.get_by_role("table", name="Your archives").get_by_role("row").filter(has_text="films.zip")
    expect(row).to_contain_text("films.zip")
    check_barriers(page)
    unpack_what_waits()
    expect(row).to_contain_text("3 of 3")
    expect(row).to_contain_text("done")
    assert Study.objects.count() == 2
    row.get_by_role("link", name="films.zip").click()
    page.get_by_role("link", name="1 refused").click()
    refused = page.get_by_role("row").filter(has_text="letter.pdf")
    expect(refused).to_contain_text("This is a PDF document")
    expect(page.get_by_role("row")).to_have_count(2)
    check_barriers(page)


def test_an_archive_goes_on_behind_what_was_sent_once_the_server_is_back_also_in_another_window(
    page_of_an_admin: Page, live_server: Any, tmp_path: Path
) -> None:
    page, path = page_of_an_admin, an_archive(tmp_path, num_more_bytes=20 * 1024**2)
    page.goto(f"{live_server.url}/studies/import/")
    num_tries: list[int] = []

    def after_the_first(route: Route) -> None:
        num_tries.append(1)
        if len(num_tries) > 1:
            route.abort()
        else:
            route.continue_()

    page.route(CONTENT_REQUEST, after_the_first)
    drop(page, path)
    status = page.locator("[data-upload-results]").get_by_role("status")
    expect(status).to_contain_text("The server cannot be reached. Tried again by itself", timeout=60_000)
    assert ArchiveImport.objects.get().num_received == 16 * 1024**2
    row = page.get_by_role("table", name="Your archives").get_by_role("row").filter(has_text="films.zip")
    expect(row).to_contain_text("being sent")
    check_barriers(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.unroute(CONTENT_REQUEST)
    parts: list[str] = []
    page.on(
        "request",
        lambda request: parts.append(request.headers["content-range"]) if request.method == "PUT" else None,
    )
    page.get_by_label("DICOM, PNG or JPEG files").set_input_files(path)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("[data-upload-results]")).to_contain_text("1 sent, to be unpacked", timeout=60_000)
    assert len(parts) == 1
    assert parts[0].startswith(f"bytes {16 * 1024**2}-")
    assert ArchiveImport.objects.count() == 1


def test_an_archive_that_is_cancelled_while_it_is_sent_is_not_begun_anew(
    page_of_an_admin: Page, live_server: Any, tmp_path: Path
) -> None:
    page = page_of_an_admin
    page.goto(f"{live_server.url}/studies/import/")
    page.route(CONTENT_REQUEST, lambda route: route.abort())
    drop(page, an_archive(tmp_path))
    row = page.get_by_role("table", name="Your archives").get_by_role("row").filter(has_text="films.zip")
    row.get_by_role("button", name="Cancel films.zip").click()
    expect(row).to_contain_text("cancelled", timeout=60_000)
    page.unroute(CONTENT_REQUEST)
    results = page.locator("[data-upload-results]")
    unsent = results.get_by_role("row").filter(has_text="films.zip")
    expect(unsent).to_contain_text("It was cancelled.", timeout=60_000)
    assert ArchiveImport.objects.count() == 1
    page.get_by_role("button", name="Send 1 file again").click()
    expect(results).to_contain_text("1 sent, to be unpacked", timeout=60_000)
    assert ArchiveImport.objects.count() == 2


def test_an_empty_folder_says_so(page_of_an_admin: Page, live_server: Any, tmp_path: Path) -> None:
    page = page_of_an_admin
    (tmp_path / "empty").mkdir()
    page.goto(f"{live_server.url}/studies/import/")
    drop(page, tmp_path / "empty")
    expect(page.locator("[data-upload-results]").get_by_role("status")).to_contain_text("There is no file")


def test_an_import_goes_on_by_itself_once_the_server_is_back(
    page_of_an_admin: Page, live_server: Any, tmp_path: Path
) -> None:
    page, folder = page_of_an_admin, a_folder_of_films(tmp_path)
    page.goto(f"{live_server.url}/studies/import/")
    page.route(IMPORT_REQUEST, lambda route: route.abort())
    page.get_by_label("or every file of a folder").set_input_files(folder)
    status = page.locator("[data-upload-results]").get_by_role("status")
    expect(status).to_contain_text("The server cannot be reached. Tried again by itself")
    expect(page.get_by_role("button", name="Try now")).to_be_visible()
    check_barriers(page)
    assert not Study.objects.exists()
    page.unroute(IMPORT_REQUEST)
    expect(status).to_have_text("Done.", timeout=60_000)
    assert Study.objects.count() == 2


def test_who_was_logged_out_goes_on_after_logging_in_again(
    page_of_an_admin: Page, live_server: Any, tmp_path: Path
) -> None:
    page, folder = page_of_an_admin, a_folder_of_films(tmp_path)
    page.goto(f"{live_server.url}/studies/import/")
    (session,) = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid"]
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("or every file of a folder").set_input_files(folder)
    results = page.locator("[data-upload-results]")
    expect(results.get_by_role("status")).to_contain_text("Log in again in another tab, then go on here.")
    assert not Study.objects.exists()
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.get_by_role("button", name="Go on").click()
    expect(results).to_contain_text("2 files · 2 accepted", timeout=60_000)


def test_an_import_is_paused_and_what_waits_is_left_out(
    page_of_an_admin: Page, live_server: Any, tmp_path: Path
) -> None:
    page, folder = page_of_an_admin, a_folder_of_films(tmp_path)
    held: list[Route] = []
    page.route(IMPORT_REQUEST, lambda route: held.append(route))
    page.goto(f"{live_server.url}/studies/import/")
    with page.expect_request(IMPORT_REQUEST):
        page.get_by_label("or every file of a folder").set_input_files(folder)
    page.get_by_role("button", name="Pause").click()
    results = page.locator("[data-upload-results]")
    status = results.get_by_role("status")
    expect(status).to_have_text("Pauses after what is on its way.")
    check_barriers(page)
    held[0].continue_()
    expect(status).to_have_text("Paused.", timeout=60_000)
    page.get_by_role("button", name="Leave out 1 file").click()
    expect(results).to_contain_text("1 file · 1 accepted · 1 left out")
    expect(status).to_have_text("Done.")
    assert len(held) == 1
    assert Study.objects.count() == 1


def test_an_admin_puts_a_film_on_hold_from_its_page(page_of_an_admin: Page, live_server: Any) -> None:
    page, study = page_of_an_admin, store_phantom().study
    page.goto(f"{live_server.url}/studies/{study.uid}/")
    expect(page.get_by_role("toolbar", name="Film tools")).to_be_visible()
    page.get_by_label("Reason").fill("A name is burned into the film.")
    check_barriers(page)
    page.get_by_role("button", name="Put on hold").click()
    expect(page.get_by_text("This study waits for a decision.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="A name is burned")).to_be_visible()
    page.locator("summary", has_text="Accept").click()
    accept = page.get_by_role("button", name=f"Accept {study.label}")
    accept.click()
    expect(page.get_by_text("This study waits for a decision.")).to_be_visible()
    page.get_by_label(f"I looked at every film of {study.label}").check()
    check_barriers(page)
    accept.click()
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
