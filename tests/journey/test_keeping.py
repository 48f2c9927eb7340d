"""An admin says how long studies are kept, keeps one longer, and has the rest erased by a worker."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Study
from tests.browser import check_barriers, open_as, watch
from tests.deepmedix_review.erasure.a_due_study import came_at, days_ago
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.workers import Workers

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_a_rule_makes_due_is_shown_kept_longer_and_erased(
    celery_workers: Workers, live_server: LiveServer, browser: Browser
) -> None:
    kept, read, goes, soon = (
        came_at(store_phantom(seed=seed).study, days_ago(days))
        for seed, days in ((1, 400), (2, 390), (3, 380), (4, 350))
    )
    model = ServingModelFactory.create()
    say(read.series.get().instances.get(), steps=[("Clear", [])], model_version=model)
    reader = ExpertFactory.create()
    reader_study: ReaderStudy = create_reader_study(
        title="Heart size", studies=[read], readers=[reader], actor=None, seed=1
    )
    admin = AdminFactory.create()
    page = open_as(admin, context=browser.new_context(), url=live_server.url)
    heard = watch(page)
    page.goto(f"{live_server.url}/studies/")
    page.get_by_role("link", name="Retention").click()
    expect(page.get_by_text("Nothing is due: there is no rule.")).to_be_visible()
    check_barriers(page)
    page.get_by_label("Which studies").select_option("Every study")
    page.get_by_label("Kept for so many days").fill("365")
    page.get_by_label("Why").fill("The ethics vote of 2025 lets us keep films for a year")
    page.get_by_role("button", name="Make the rule").click()
    expect(page.get_by_role("heading", name="Due now: 3")).to_be_visible()
    expect(page.get_by_role("heading", name="Falls due in the next 30 days: 1")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=read.label)).to_contain_text("It is read in “Heart size”")
    expect(page.get_by_role("row").filter(has_text=soon.label)).to_contain_text("in ")
    check_barriers(page)

    page.get_by_role("link", name=f"Keep longer … {kept.label}").click()
    check_barriers(page)
    last_day = timezone.now().date() + timedelta(days=90)
    page.get_by_label("Keep it up to the end of").fill(last_day.isoformat())
    page.get_by_label("Why").fill("The second reading of the trial is under way")
    page.get_by_role("button", name="Keep it", exact=True).click()
    expect(page.get_by_text(f"{kept.label} is kept longer.")).to_be_visible()
    expect(page.get_by_text("The second reading of the trial is under way")).to_be_visible()

    page.goto(f"{live_server.url}/reader-studies/{reader_study.uid}/")
    expect(page.get_by_role("note").filter(has_text="may not be kept much longer")).to_be_visible()
    check_barriers(page)
    page.get_by_role("note").get_by_role("link", name="Retention").click()
    page.get_by_role("link", name="Erase what is due …").click()
    expect(page.get_by_text("1 due study stays: read in reader studies")).to_be_visible()
    check_barriers(page)
    page.get_by_label("To confirm, type 1").fill("2")
    page.get_by_label("To confirm, type 1").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Look at them again, and type 1.")
    page.get_by_label("To confirm, type 1").fill("1")
    page.get_by_role("button", name="Erase 1 study for good").click()
    expect(page).to_have_url(re.compile("/retention/batches/"))
    # The worker's end comes to the page by itself.
    expect(page.get_by_label("How far it is").get_by_text("done")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=goes.label)).to_contain_text("done")
    check_barriers(page)
    assert set(Study.objects.all()) == {kept, read, soon}
    assert heard == []

    desk = open_as(reader, context=browser.new_context(), url=live_server.url)
    desk.goto(f"{live_server.url}/worklist/")
    expect(desk.get_by_text("Films of Heart size may be kept no longer since")).to_be_visible()
    check_barriers(desk)
