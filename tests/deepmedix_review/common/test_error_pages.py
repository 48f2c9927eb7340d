"""The pages of last resort: they show with nothing behind them, and tell a missing database from a fault."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse

from deepmedix_review.common.error_pages import show_error
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reviews import reader_study


def answer_to(error: Exception) -> tuple[int, str, str]:
    request = RequestFactory().get("/anything/")
    try:
        raise error
    except Exception:
        page = get_resolver().resolve_error_handler(500)(request)
    return page.status_code, page.content.decode(), page.headers.get("Retry-After", "")


def test_a_fault_and_a_missing_database_are_told_apart() -> None:
    status, page, retry_after = answer_to(ValueError("secret detail"))
    assert (status, retry_after) == (500, "")
    assert "Something broke on our side" in page
    assert "secret detail" not in page
    status, page, retry_after = answer_to(OperationalError("connection refused"))
    assert (status, retry_after) == (503, "30")
    assert "The database can't be reached at the moment" in page
    assert "connection refused" not in page


def test_they_show_where_the_frontend_was_not_built(settings: LazySettings, tmp_path: Path) -> None:
    settings.VITE_MANIFEST = tmp_path / "absent.json"
    request = RequestFactory().get("/")
    assert show_error(request).status_code == 500


@pytest.mark.django_db
def test_an_address_that_only_takes_leads_to_the_page_that_sends() -> None:
    client, study = Client(), reader_study()
    client.force_login(AdminFactory.create())
    answer = client.get(reverse("reader-study-invite", args=[study.uid]))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert 'class="button" href="../"' in answer.content.decode()
    client.force_login(ExpertFactory.create())
    page = client.get(reverse("take-case", args=[study.uid])).content.decode()
    assert 'class="button" href="../../../"' in page


@pytest.mark.django_db
def test_a_refusal_leads_back_to_the_page_it_came_from_and_to_no_other_site() -> None:
    client = Client()
    client.force_login(ExpertFactory.create())
    for came_from, leads_back in (("http://testserver/worklist/?show=signed", True), ("http://evil/", False)):
        page = client.get(reverse("account-list"), headers={"referer": came_from}).content.decode()
        assert ('href="/worklist/?show=signed">Back to the page before' in page) == leads_back
        assert "evil" not in page


@pytest.mark.django_db
def test_a_view_that_finds_no_database_answers_503(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    client = Client(raise_request_exception=False)
    monkeypatch.setattr("django.contrib.auth.views.LoginView.get_context_data", refuse)
    assert client.get("/login/").status_code == 503


@pytest.mark.parametrize(
    ("method", "headers", "leads_to"),
    [
        ("get", {}, '<a class="button primary" href="/studies/?state=held&amp;q=%3Cb%3E">Try again</a>'),
        ("get", {"Referer": "http://testserver/worklist/"}, ">Try again</a>"),
        (
            "post",
            {"Referer": "http://testserver/a/?b=1"},
            '<a class="button" href="/a/?b=1">Back to the page',
        ),
        ("post", {"Referer": "http://testserver/studies/"}, '<a class="button" href="/studies/">Back to the'),
        # A part of a page is no page.
        (
            "get",
            {"HX-Request": "true", "Referer": "http://testserver/a/"},
            '<a class="button" href="/a/">Back to',
        ),
        ("post", {"Referer": "http://evil/a/"}, ""),
        ("post", {}, ""),
    ],
)
def test_a_missing_database_leads_on_and_sends_nothing_twice(
    method: str, headers: dict[str, str], leads_to: str
) -> None:
    request = getattr(RequestFactory(headers=headers), method)("/studies/?state=held&q=%3Cb%3E")
    try:
        raise OperationalError("connection refused")
    except OperationalError:
        page = show_error(request).content.decode()
    assert leads_to in page
    assert ("Try again</a>" in page) == ("Try again" in leads_to)
    assert ("Back to the page before" in page) == ("Back to" in leads_to)
    assert "evil" not in page
    assert 'href="/">Back to the start</a>' in page
