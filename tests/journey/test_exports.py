"""An admin takes a data set out by the page: chosen, written by a worker, downloaded, deleted."""

import zipfile

from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.exports.models import Export
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import AdminFactory
from tests.factories.reviews import a_signed_reading
from tests.workers import Workers


def test_a_data_set_is_chosen_written_fetched_and_deleted(
    celery_workers: Workers, live_server: LiveServer, browser: Browser, tmp_path
) -> None:
    study = a_signed_reading().assignment.case.reader_study
    other = a_signed_reading().assignment.case.reader_study
    type(other).objects.filter(pk=other.pk).update(title="Another one")
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    heard = watch(page)
    page.goto(live_server.url)
    page.get_by_role("link", name="Exports").click()
    expect(page.get_by_text("Nothing was taken out yet")).to_be_visible()
    check_barriers(page)
    page.get_by_role("link", name="New export").first.click()
    expect(page.get_by_text("2 signed readings")).to_be_visible()
    page.get_by_label("those that are ticked below").check()
    expect(page.get_by_text("No reader study is ticked.")).to_be_visible()
    page.get_by_label(study.title).check()
    expect(page.get_by_text("1 signed reading", exact=True)).to_be_visible()
    page.get_by_label("Parquet").check()
    page.get_by_role("button", name="Write the export").click()
    expect(page.get_by_role("alert")).to_contain_text("Say in a sentence what the data may be used for.")
    check_barriers(page)
    page.get_by_label("What the data may be used for").fill("Agreement of readers, by our group alone.")
    page.get_by_role("button", name="Write the export").click()
    expect(page.get_by_text("done", exact=True)).to_be_visible(timeout=120_000)
    check_barriers(page)
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Download").click()
    path = tmp_path / "export.zip"
    fetched.value.save_as(path)
    assert fetched.value.suggested_filename == Export.objects.get().file_name
    with zipfile.ZipFile(path) as archive:
        assert {"data/ratings.csv", "data/ratings.parquet", "manifest.json"} <= set(archive.namelist())
        assert str(study.uid) in archive.read("manifest.json").decode()
        assert str(other.uid) not in archive.read("manifest.json").decode()
    page.get_by_role("button", name="Delete the archive").click()
    expect(page.get_by_text("The archive is deleted.")).to_be_visible()
    expect(page.get_by_text("none here")).to_be_visible()
    assert heard == []
    context.close()
