"""An admin keeps the accounts; logins stand in the audit record."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, AdminFactory, ExpertFactory, ResearcherFactory

pytestmark = pytest.mark.django_db
NEW = {"username": "newcomer", "role": "expert", "pseudonym": "", "password": "a password of some length"}


@pytest.fixture
def admin(client):
    account = AdminFactory.create()
    client.force_login(account)
    return account


def test_a_new_account_logs_in_and_a_taken_name_is_refused(client, admin):
    client.post(reverse("account-list"), NEW)
    again = client.post(reverse("account-list"), NEW)
    assert "The name newcomer is taken." in again.content.decode()
    assert client.login(username="newcomer", password=NEW["password"])


def test_a_weak_password_is_refused_with_its_reason(client, admin):
    answer = client.post(reverse("account-list"), NEW | {"password": "short"})
    assert "at least 12 characters" in answer.content.decode()
    assert not User.objects.filter(username="newcomer").exists()


def test_an_admin_changes_role_and_password_and_closes_the_account_but_not_their_own(client, admin):
    expert = ExpertFactory.create()
    client.post(reverse("account-role", args=[expert.uid]), {"role": "researcher"})
    client.post(reverse("account-password", args=[expert.uid]), {"password": "another long password"})
    client.post(reverse("account-active", args=[expert.uid]), {"active": "no"})
    expert.refresh_from_db()
    assert (expert.role, expert.is_active) == (Role.RESEARCHER, False)
    assert expert.check_password("another long password")
    assert client.post(reverse("account-active", args=[admin.uid]), {"active": "no"}).status_code == 409


def test_an_admin_says_how_to_be_reached_and_nobody_else_is_asked(client, admin):
    address, page = (reverse(name, args=[admin.uid]) for name in ("account-contact", "account-detail"))
    assert "How to reach" in client.get(page).content.decode()
    said = client.post(address, {"contact": " Reading room 3,\n tel. 4711 "}, follow=True).content.decode()
    assert f"Readers are told how to reach {admin}." in said
    assert 'value="Reading room 3, tel. 4711"' in said
    admin.refresh_from_db()
    assert admin.how_to_reach == f"{admin.pseudonym} (Reading room 3, tel. 4711)"
    event = AuditEvent.objects.filter(action="change_contact").latest("sequence")
    # The record stands for ever, so it holds no number of a person.
    assert (event.actor, event.subject_uid, event.details) == (admin, str(admin.uid), {"is_set": True})
    long = client.post(address, {"contact": "x" * 121}).content.decode()
    assert "at most 120 characters" in long
    client.post(address, {"contact": ""})
    admin.refresh_from_db()
    assert admin.how_to_reach == admin.pseudonym
    expert = ExpertFactory.create()
    refused = client.post(reverse("account-contact", args=[expert.uid]), {"contact": "tel. 1"})
    assert refused.status_code == 409
    assert "How to reach" not in client.get(reverse("account-detail", args=[expert.uid])).content.decode()


def test_nobody_says_for_another_admin_how_to_be_reached_and_anybody_takes_it_back(client, admin):
    other = AdminFactory.create(contact="tel. 4711")
    address, page = (reverse(name, args=[other.uid]) for name in ("account-contact", "account-detail"))
    shown = client.get(page).content.decode()
    assert "How to reach: tel. 4711" in shown
    assert "Tell readers" not in shown
    refused = client.post(address, {"contact": "tel. 666"})
    assert refused.status_code == 409
    assert "Nobody says for another how to be reached." in refused.content.decode()
    other.refresh_from_db()
    assert other.contact == "tel. 4711"
    taken_back = client.post(address, {"contact": ""}, follow=True).content.decode()
    assert f"Readers are no longer told how to reach {other}." in taken_back
    assert "How to reach" not in taken_back
    other.refresh_from_db()
    assert other.contact == ""


@pytest.mark.parametrize("factory", [ExpertFactory, ResearcherFactory])
@pytest.mark.parametrize(
    "name",
    [
        "account-list",
        "account-detail",
        "account-role",
        "account-contact",
        "account-password",
        "account-active",
    ],
)
def test_others_do_not_reach_the_accounts(client, factory, name):
    account = factory.create()
    client.force_login(account)
    address = reverse(name, args=[] if name == "account-list" else [account.uid])
    assert client.post(address, NEW).status_code in (403, 405)
    assert client.get(address).status_code in (403, 405)
    account.refresh_from_db()
    assert account.check_password(PASSWORD)


def test_logins_stand_in_the_record_and_mistyped_names_do_not(client):
    expert = ExpertFactory.create(username="known")
    address = reverse("login")
    client.post(address, {"username": "known", "password": "wrong"})
    client.post(address, {"username": "my secret typed here", "password": "wrong"})
    client.post(address, {"username": "known", "password": PASSWORD})
    client.post(reverse("logout"))
    acts = AuditEvent.objects.filter(subject_uid=str(expert.uid)).values_list("action", flat=True)
    assert list(acts) == ["fail_to_log_in", "log_in", "log_out"]
    assert AuditEvent.objects.count() == 3


def test_a_command_makes_the_first_admin(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a password of some length\n"))
    call_command("create_account", "first", "--role", "admin")
    assert User.objects.get(username="first").role == Role.ADMIN
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError, match="at least 12"):
        call_command("create_account", "second", "--role", "admin")
