"""An admin erases a study by its page: what goes is shown, asked back, done by a worker, and told."""

import re

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.studies.models import Study
from deepmedix_review.studies.storage import film_path
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import AdminFactory
from tests.factories.studies import store_phantom
from tests.workers import Workers

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_admin_erases_a_study_and_lets_it_in_again(
    celery_workers: Workers, live_server: LiveServer, browser: Browser
) -> None:
    film, other = store_phantom(seed=1), store_phantom(seed=2)
    label = film.study.label
    page = open_as(AdminFactory.create(), context=browser.new_context(), url=live_server.url)
    heard = watch(page)
    page.goto(f"{live_server.url}/studies/{film.study.uid}/")
    page.get_by_role("link", name="Erase …").click()
    expect(page.get_by_role("heading", name=f"Erase {label}?")).to_be_visible()
    check_barriers(page)
    page.get_by_role("button", name=f"Erase {label} for good").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was erased.")
    expect(page.get_by_label("Why")).to_be_focused()
    page.get_by_label("Why").select_option("withdrawn")
    page.get_by_label("To confirm").fill(label)
    page.get_by_label("To confirm").press("Enter")
    expect(page).to_have_url(re.compile("/erasures/"))
    # The worker's end comes to the page by itself.
    expect(page.get_by_text("2 deleted")).to_be_visible()
    expect(page.get_by_text("it is refused")).to_be_visible()
    check_barriers(page)
    assert not film_path(film).exists()
    assert list(Study.objects.all()) == [other.study]
    page.get_by_text("Let it in again").click()
    page.get_by_role("button", name="Let it in from now on").click()
    expect(page.get_by_text("It may come in again from now on.")).to_be_visible()
    page.get_by_role("link", name="All erasures").click()
    expect(page.get_by_role("row").filter(has_text=label)).to_contain_text("done")
    assert heard == []
