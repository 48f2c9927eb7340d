"""Logging in again in place: the page's own account alone, with its password, and recorded."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.accounts.services import create_account
from deepmedix_review.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
PASSWORD = "a long test password"


def account(name: str) -> User:
    return create_account(username=name, password=PASSWORD, role=Role.EXPERT)


def log_in(client: Client, whose: User, *, username: str, password: str = PASSWORD, **headers: Any) -> Any:
    data = {"account": str(whose.uid), "username": username, "password": password}
    return client.post(reverse("api-session"), data, content_type="application/json", headers=headers)


def test_whoever_was_logged_out_logs_in_again_and_the_record_says_so() -> None:
    reader, client = account("grace"), Client()
    nobody = client.get(reverse("api-session"))
    assert nobody.json() == {"account": None, "pseudonym": None}
    assert "csrftoken" in nobody.cookies
    known = {"account": str(reader.uid), "pseudonym": reader.pseudonym}
    assert log_in(client, reader, username="grace").json() == known
    assert client.get(reverse("api-session")).json() == known
    assert AuditEvent.objects.latest("sequence").action == "log_in"
    assert client.get(reverse("worklist")).status_code == 200


def test_another_account_and_a_mistyped_password_log_nobody_in() -> None:
    reader, client = account("grace"), Client()
    account("ada")
    other = log_in(client, reader, username="ada")
    mistyped = log_in(client, reader, username="grace", password="something else")
    assert (other.status_code, "another account" in other.json()["detail"]) == (409, True)
    assert (mistyped.status_code, "don't match" in mistyped.json()["detail"]) == (409, True)
    assert log_in(client, reader, username="", password="").status_code == 400
    assert client.get(reverse("api-session")).json()["account"] is None


def test_a_login_from_another_site_is_refused() -> None:
    reader, client = account("grace"), Client(enforce_csrf_checks=True)
    assert log_in(client, reader, username="grace").status_code == 403
    token = client.get(reverse("api-session")).cookies["csrftoken"].value
    assert log_in(client, reader, username="grace", **{"X-CSRFToken": token}).status_code == 200


@pytest.mark.parametrize("how", ["it ran out", "it was deleted", "the account was closed", "a new password"])
def test_a_session_that_ended_is_nobodys(how: str) -> None:
    reader, client = account("grace"), Client()
    log_in(client, reader, username="grace")
    assert client.get(reverse("api-session")).json()["account"] == str(reader.uid)
    match how:
        case "it ran out":
            Session.objects.update(expire_date=timezone.now())
        case "it was deleted":
            Session.objects.all().delete()
        case "the account was closed":
            User.objects.filter(pk=reader.pk).update(is_active=False)
        case _:
            reader.set_password("another long password")
            reader.save()
    assert client.get(reverse("api-session")).json()["account"] is None


def test_a_logged_in_request_finds_session_and_account_by_two_prepared_statements() -> None:
    reader, client = account("grace"), Client()
    log_in(client, reader, username="grace")
    for _ in range(3):
        client.get(reverse("api-session"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        prepared = " ".join(statement for (statement,) in cursor.fetchall())
    assert "FROM django_session" in prepared
    assert "FROM accounts_user" in prepared
