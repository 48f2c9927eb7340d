"""Every page of the product, as each person who may see it: no barrier, no sideways scrolling, no error."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.accounts.models import User
from deepmedix_review.evaluation.models import Battle
from deepmedix_review.reviews.models import ReaderStudy
from tests.browser import check_barriers, open_as, watch
from tests.deepmedix_review.studies.pulling.a_pacs import name_source
from tests.factories.accounts import AdminFactory
from tests.factories.house import House, furnish

NARROWEST_PX = 1280
# The same window at 400 % (WCAG 2.2, 1.4.10).
ENLARGED_PX = 320
# States in tables whose one or two words stand on more than one line.
BROKEN_STATES = """() => [...document.querySelectorAll('td .chip')]
    .filter((state) => state.offsetHeight > 30)
    .map((state) => state.textContent)"""
# A panel hides or cuts what is wider than it.
BUTTONS_PAST_THEIR_PANEL = """() => [...document.querySelectorAll('main .panel :is(.button, button, a)')]
    .filter((each) => {
        const end = (element) => element.getBoundingClientRect().right;
        return end(each) > end(each.closest('.panel'));
    })
    .map((each) => each.textContent.trim())"""
# Not pages: they are part of one, change something, or are for machines.
NO_PAGES = {
    "health",
    "home",
    "held-out-film",
    "reader-study-lists",
    "reader-study-results-csv",
    "reader-study-results-tex",
    "reader-study-results-all",
    "inference-fragment",
    "inference-asked",
    "inference-live",
    "inference-speeds",
    "model-speeds",
    "arena-run-live",
    "arena-run-file",
    "metric-run-live",
    "metric-run-file",
    "model-gate",
    "model-register-live",
    "model-checks",
    "model-shadow-study",
    "reader-study-plan",
    "reader-study-results-strip",
    "study-import-latest",
    "archive-import-live",
    "message-live",
    "pacs-pull-live",
    "film-print",
    "training-run-live",
    "training-run-samples",
    "training-run-config",
    "training-run-figures",
    "training-run-log",
    "training-run-cluster-log",
    "criterion-preview",
    "dataset-card",
    "dataset-card-json",
    "hand-over-live",
    "hand-over-bundle",
    "collection-preview",
    "export-live",
    "export-preview",
    "export-archive",
}
FOR_PROGRAMS = ("/api/", "/dicom-web/")
PAGES_OF = {
    "admin": {
        "token-list",
        "account-list",
        "account-detail",
        "audit-list",
        "learned-from",
        "learned-from-patient",
        "learned-from-reader",
        "learned-from-reading",
        "model-code-list",
        "model-code",
        "study-list",
        "study-import",
        "archive-import-list",
        "archive-import",
        "pacs-search",
        "pacs-pull",
        "study-held",
        "study-look",
        "study-detail",
        "film-mask",
        "study-erase",
        "patient-erase",
        "erasure-list",
        "erasure-detail",
        "retention",
        "retention-erase",
        "retention-batch",
        "study-keep",
        "collection-list",
        "collection-create",
        "collection-pick",
        "collection-detail",
        "inference-list",
        "inference-batches",
        "inference-batch-new",
        "inference-batch",
        "inference-workers",
        "reader-study-list",
        "reader-study-create",
        "reader-study-example",
        "reader-study-design",
        "reader-study-detail",
        "reader-study-results",
        "criterion-list",
        "criterion-create",
        "criterion-detail",
        "export-list",
        "export-new",
        "webhook-list",
        "webhook-detail",
    },
    "researcher": {
        "token-list",
        "study-list",
        "study-detail",
        "collection-list",
        "collection-detail",
        "inference-list",
        "reader-study-list",
        "reader-study-results",
        "dataset-list",
        "dataset-detail",
        "training-run",
        "training-run-list",
        "training-run-compare",
        "learned-from",
        "learned-from-patient",
        "learned-from-reader",
        "learned-from-reading",
        "model-list",
        "model-detail",
        "model-promote",
        "model-register",
        "model-import",
        "model-compare",
        "model-roll-back",
        "arena-list",
        "arena-run",
        "arena-battles",
        "arena-battle",
        "metric-run-list",
        "metric-run",
        "metric-run-cases",
        "gate-policy-list",
        "gate-policy-new",
        "gate-policy",
        "hand-over-list",
        "export-list",
        "export-new",
    },
    "expert": {"worklist", "reading", "amend-reading"},
    "nobody": {"login"},
}


def subject(house: House, name: str) -> list[Any]:
    """What the page of this name is about."""
    if name == "gate-policy":
        return [2]
    subjects: dict[str, Any] = {
        "account-detail": house.expert,
        "study-detail": house.study,
        "film-mask": house.study.series.earliest("pk").instances.earliest("pk"),
        "study-erase": house.study,
        "patient-erase": house.study,
        "erasure-detail": house.erasure,
        "retention-batch": house.due,
        "inference-batch": house.inference_batch,
        "arena-run": house.arena_run,
        "arena-battles": house.arena_run,
        "metric-run": house.metric_run,
        "metric-run-cases": house.metric_run,
        "study-keep": house.study,
        "collection-detail": house.collection,
        "archive-import": house.archive,
        "pacs-pull": house.pull,
        "webhook-detail": house.webhook,
        "reader-study-design": house.draft,
        "reader-study-detail": house.running,
        "reader-study-results": house.running,
        "criterion-detail": house.own_criterion,
        "reading": house.open_reading,
        "amend-reading": house.signed_reading,
        "dataset-detail": house.dataset,
        "training-run": house.run,
        "model-detail": house.candidate,
        "model-promote": house.passed,
        "model-code": house.with_code,
        "learned-from-patient": house.study,
        "learned-from-reader": house.expert,
        "learned-from-reading": house.signed_reading,
    }
    if name == "arena-battle":
        return [house.arena_run.uid, Battle.objects.earliest("pk").uid]
    return [subjects[name].uid] if name in subjects else []


def asked(house: House, name: str) -> str:
    """What the address asks beside its subject."""
    asked = {
        "collection-pick": f"?study={house.study.uid}",
        "training-run-compare": f"?run={house.run.uid}&run={house.other_run.uid}",
    }
    return asked.get(name, "")


@pytest.fixture
def house(transactional_db: None, settings: Settings, tmp_path: Path) -> House:
    # Named, so that the choice of an engine is on the page; nothing is asked of it.
    settings.RAY_ADDRESS = "http://127.0.0.1:8265"
    name_source(tmp_path, settings, 'url = "http://127.0.0.1:1/dicom-web"')
    return furnish()


def named_addresses(resolver: URLResolver) -> Iterator[str]:
    """The name of each address of the product."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from named_addresses(pattern)
        elif pattern.name:
            yield pattern.name


def address_of_nothing(name: str) -> str:
    uid = uuid.UUID(int=0)
    dicom = [["1.2"] * num for num in (1, 2, 3)]
    frames = [["1.2", "1.2", "1.2", frames] for frames in ("1", 1)]
    every: list[list[Any]] = [[], [uid], [uid, uid], [uid, 1], [uid, "x"], *dicom, *frames]
    for arguments in every:
        try:
            return reverse(name, args=arguments)
        except NoReverseMatch:
            continue
    raise LookupError(name)


@pytest.mark.django_db
def test_no_page_is_left_out() -> None:
    client = Client()
    client.force_login(AdminFactory.create())
    listed = NO_PAGES.union(*PAGES_OF.values())
    others = {
        name: address_of_nothing(name) for name in named_addresses(get_resolver()) if name not in listed
    }
    left_out = {
        name
        for name, address in others.items()
        if not address.startswith(FOR_PROGRAMS) and client.get(address).status_code != 405
    }
    assert left_out == set()


def person(house: House, role: str) -> User | None:
    people = {"admin": house.admin, "researcher": house.researcher, "expert": house.expert}
    return people.get(role)


def test_every_page_can_be_read_by_everybody_and_fits_its_window(
    house: House, live_server: LiveServer, browser: Browser
) -> None:
    problems: list[str] = []
    for role, names in PAGES_OF.items():
        user = person(house, role)
        context = browser.new_context(viewport={"width": NARROWEST_PX, "height": 800})
        page = open_as(user, context=context, url=live_server.url) if user else context.new_page()
        heard = watch(page)
        for name in sorted(names):
            answer = page.goto(
                live_server.url + reverse(name, args=subject(house, name)) + asked(house, name)
            )
            assert answer is not None
            assert answer.status == 200, name
            look_at(page, name)
        problems += heard
        context.close()
    assert problems == []


def test_a_long_title_leaves_the_buttons_of_its_row_in_the_window(
    house: House, live_server: LiveServer, browser: Browser
) -> None:
    # As long as a title may be.
    words = "Agreement of six thoracic radiologists on the reasoning of version 7 against version 6, at B "
    length = ReaderStudy._meta.get_field("title").max_length
    title = (2 * words)[:length].strip()
    ReaderStudy.objects.update(title=title)
    for user, name in ((house.expert, "worklist"), (house.admin, "reader-study-list")):
        context = browser.new_context(viewport={"width": NARROWEST_PX, "height": 800})
        page = open_as(user, context=context, url=live_server.url)
        page.goto(live_server.url + reverse(name))
        expect(page.get_by_text(title).first).to_be_visible()
        require_no_sideways_scrolling(page, name)
        assert page.evaluate(BUTTONS_PAST_THEIR_PANEL) == [], name
        context.close()


def look_at(page: Page, name: str) -> None:
    if name == "reading":
        page.get_by_role("toolbar").first.wait_for()
    if name == "dataset-detail":
        page.get_by_role("group", name="Engine").wait_for()
    require_no_sideways_scrolling(page, name)
    check_barriers(page)
    page.set_viewport_size({"width": ENLARGED_PX, "height": 800})
    require_no_sideways_scrolling(page, f"{name} at 400 %")
    assert page.evaluate(BROKEN_STATES) == [], f"{name} at 400 %"
    page.set_viewport_size({"width": NARROWEST_PX, "height": 800})


def require_no_sideways_scrolling(page: Page, name: str) -> None:
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{name} is {overflow} px too wide"
