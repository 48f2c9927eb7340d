"""On the study's page a person asks the model and watches it write, without a reload."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.registry.services import promote, register_model, register_shipped_model
from inference.presets import PRESETS
from tests.browser import watch
from tests.factories.accounts import AdminFactory
from tests.factories.models import write_untrained_model
from tests.factories.studies import store_phantom
from tests.workers import Workers

MILLISECONDS = 120_000


@pytest.fixture
def admin_page(page: Page, live_server: LiveServer) -> Page:
    client = Client()
    client.force_login(AdminFactory.create())
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    return page


def test_a_question_is_asked_watched_and_cancelled_without_a_reload(
    admin_page: Page, live_server: LiveServer, celery_workers: Workers, tmp_path: Path
) -> None:
    endless = register_model(
        folder=write_untrained_model(tmp_path / "model", is_endless=True),
        preset=PRESETS["phantom"],
        card={},
        actor=None,
    )
    promote(endless, actor=None)
    study = store_phantom(size=224).study
    page = admin_page
    errors = watch(page)
    page.goto(live_server.url + reverse("study-detail", args=[study.uid]))
    live = page.locator("#inference-live")
    waiting: list[Route] = []

    # The first answer ends on no machine before it is cancelled, the second is short.
    celery_workers.kill("inference")
    asks = re.compile("/inference/request/")
    with page.expect_request(asks):
        page.route(asks, lambda route: waiting.append(route))
        page.get_by_role("button", name="Ask v1").click()
    expect(page.get_by_text("Asking …")).to_be_visible()
    waiting.pop().continue_()
    page.unroute(asks)
    expect(live.get_by_text("queued")).to_have_count(2)
    InferenceJob.objects.filter(seed=1).update(max_new_tokens=900_000)
    InferenceJob.objects.filter(seed=2).update(max_new_tokens=100)
    celery_workers.start("inference")
    expect(live.get_by_text(" tokens").first).to_be_visible(timeout=MILLISECONDS)
    written = live.get_by_role("article", name="v1, sample 1 unfinished")
    expect(written).to_be_visible(timeout=MILLISECONDS)
    expect(page.locator("#inference-said")).to_contain_text("v1, sample 1, unfinished:")
    live.get_by_role("button", name="Cancel").last.click()
    expect(live.get_by_text("cancelled")).to_be_visible(timeout=MILLISECONDS)
    expect(live.get_by_role("heading", name="v1, sample 2")).to_be_visible(timeout=MILLISECONDS)
    expect(live.get_by_text("It is kept and shown as the model wrote it.")).to_be_visible()
    expect(written).to_have_count(0)
    expect(page.locator("#inference-said")).to_have_text("Nothing is under way. 1 completion is there.")

    promote(register_shipped_model(), actor=None)
    page.reload()
    page.get_by_role("button", name="Ask v2").click()
    for sample in (1, 2):
        told = live.locator("article", has=page.get_by_role("heading", name=f"v2, sample {sample}"))
        expect(told).to_be_visible(timeout=MILLISECONDS)
        expect(told.get_by_text("The heart").first).to_be_visible()
        expect(told.get_by_text("112 × 112 px of 224 × 224")).to_be_visible()
    assert errors == []
