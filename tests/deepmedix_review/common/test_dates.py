"""Days and moments are written one way, on every page and in every sentence."""

import doctest
import re
from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.accounts.models import User
from deepmedix_review.common import dates
from deepmedix_review.common.templatetags import dates as filters
from tests.browser import open_as
from tests.factories.accounts import AdminFactory
from tests.home import ROOT

PLATFORM = ROOT / "platform" / "deepmedix_review"
MADE = datetime(2026, 12, 5, 23, 4, 9, tzinfo=UTC)


def test_the_examples_hold() -> None:
    assert doctest.testmod(dates).attempted == 4
    assert all(doctest.testmod(module).failed == 0 for module in (dates, filters))


def test_a_moment_carries_its_iso_form_and_nothing_becomes_nothing() -> None:
    template = Template(
        "{% load dates %}{{ at|moment }} {{ at|moment_to_the_second }} {{ at|clock }} "
        '{{ never|moment|default:"never" }} {{ never|day|default:"none" }} {{ never|in_days|default:"-" }}'
    )
    iso = "2026-12-05T23:04:09+00:00"
    assert template.render(Context({"at": MADE, "never": None})) == (
        f'<time datetime="{iso}" data-shows="minute">5 Dec 2026, 23:04 UTC</time> '
        f'<time datetime="{iso}" data-shows="second">5 Dec 2026, 23:04:09 UTC</time> '
        f'<time datetime="{iso}" data-shows="clock">23:04 UTC</time> never none -'
    )


def test_no_page_and_no_sentence_writes_a_date_in_another_way() -> None:
    ways = {"*.html": r"\|(date|time|timesince|timeuntil)\b", "*.py": r"%Y|%B|%b|%H:%M|naturaltime"}
    others = {
        str(path.relative_to(PLATFORM))
        for pattern, way in ways.items()
        for path in PLATFORM.rglob(pattern)
        if path.parent.name != "migrations" and re.search(way, path.read_text("utf-8"))
    }
    # DICOM has dates of its own, data sets write them so too, and a browser's date field takes ISO alone.
    of_dicom = {
        *("intake/deidentification", "dicomweb/matching", "dicomweb/searching", "dicomweb/storing"),
        *("known_sets/words", "known_sets/receiving", "pulling/client"),
    }
    of_studies = {f"studies/{name}.py" for name in of_dicom}
    assert others == {"common/dates.py", "common/forms.py", "exports/dicom/film.py", *of_studies}


@pytest.mark.django_db(transaction=True)
def test_a_browser_shows_moments_in_its_own_zone_with_utc_in_the_title(
    live_server: LiveServer, browser: Browser
) -> None:
    admin = AdminFactory.create()
    User.objects.filter(pk=admin.pk).update(date_joined=MADE)
    context = browser.new_context(timezone_id="Asia/Tokyo")
    page = open_as(admin, context=context, url=live_server.url)
    page.goto(live_server.url + reverse("account-detail", args=[admin.uid]))
    made = page.locator("dd").filter(has=page.locator("time")).first
    expect(made).to_have_text("6 Dec 2026, 08:04")
    expect(made.locator("time")).to_have_attribute("title", "5 Dec 2026, 23:04 UTC")
    context.close()
