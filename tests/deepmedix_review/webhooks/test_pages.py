"""Admins say which programs are told of what, where the operator lets messages go."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.webhooks import services
from deepmedix_review.webhooks.models import Delivery, Webhook
from deepmedix_review.webhooks.signing import secret_of
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.webhooks import ORIGIN, a_webhook, told_webhook

pytestmark = pytest.mark.django_db
FORM = {"name": "Training queue", "url": f"{ORIGIN}/reviews", "kinds": ["run.ended", "reading.signed"]}


@pytest.fixture(autouse=True)
def _allowed(settings: Settings) -> None:
    settings.WEBHOOK_ORIGINS = [ORIGIN]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_admin_makes_one_and_sees_its_secret_once(settings: Settings) -> None:
    client = client_of(AdminFactory.create())
    page = client.post(reverse("webhook-list"), FORM).content.decode()
    webhook = Webhook.objects.get()
    assert secret_of(webhook.uid) in page
    assert webhook.kinds == ["reading.signed", "run.ended"]
    later = client.get(reverse("webhook-list")).content.decode()
    assert "whsec_" not in later
    assert "a reading was signed, a training run ended" in later
    assert "whsec_" not in client.get(reverse("webhook-detail", args=[webhook.uid])).content.decode()
    event = AuditEvent.objects.get(action="make_webhook")
    assert event.subject_uid == str(webhook.uid)
    assert "hooks.example.org" not in str(event.details)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/reviews",
        "https://hooks.example.org:8443/",
        "https://hooks.example.org.evil.example/",
        "https://evil.example/?https://hooks.example.org",
        "https://169.254.169.254/latest/meta-data",
        "https://hooks.example.org@evil.example/",
        "https://user:secret@hooks.example.org/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "https://hooks.example.org:port/",
    ],
)
def test_an_address_beside_those_of_the_operator_is_refused(url: str) -> None:
    with pytest.raises(RefusedByRule):
        services.make_webhook(name="x", url=url, kinds=["run.ended"], actor=AdminFactory.create())
    page = client_of(AdminFactory.create()).post(reverse("webhook-list"), {**FORM, "url": url})
    assert page.status_code == 200
    assert 'class="errorlist"' in page.content.decode()
    assert not Webhook.objects.exists()


def test_the_operators_address_is_one_in_any_case_and_with_its_usual_port() -> None:
    services.make_webhook(
        name="x", url="https://Hooks.Example.ORG:443/a", kinds=["run.ended"], actor=AdminFactory.create()
    )


def test_without_a_place_where_messages_may_go_the_page_says_who_names_one(settings: Settings) -> None:
    settings.WEBHOOK_ORIGINS = []
    page = client_of(AdminFactory.create()).get(reverse("webhook-list")).content.decode()
    assert "WEBHOOK_ORIGINS" in page
    assert 'name="url"' not in page


def test_its_page_shows_each_message_and_what_can_be_done() -> None:
    admin = AdminFactory.create()
    webhook = told_webhook(admin)
    client, here = client_of(admin), reverse("webhook-detail", args=[webhook.uid])
    page = client.get(here).content.decode()
    assert [word in page for word in ("arrived", "waiting", "given up")] == [True] * 3
    assert page.count(">Send again<") == 2
    given_up = webhook.deliveries.get(state=Delivery.State.GIVEN_UP)
    again = reverse("webhook-send-again", args=[webhook.uid, given_up.uid])
    assert client.post(again, follow=True).content.decode().count(">Send again<") == 1
    said = re.sub(r"\s+", " ", client.post(again, follow=True).content.decode())
    assert "waits to be sent already" in said
    client.post(reverse("webhook-test", args=[webhook.uid]))
    assert webhook.deliveries.filter(kind="test").count() == 1
    client.post(reverse("webhook-pause", args=[webhook.uid]), {"paused": ""})
    assert "paused</span>" in client.get(here).content.decode()
    client.post(reverse("webhook-pause", args=[webhook.uid]))
    assert not Webhook.objects.get().is_paused
    client.post(reverse("webhook-delete", args=[webhook.uid]))
    assert not Webhook.objects.exists()
    done = AuditEvent.objects.filter(action__endswith="webhook").order_by("sequence")
    assert list(done.values_list("action", flat=True)) == [
        "make_webhook",
        "test_webhook",
        "pause_webhook",
        "resume_webhook",
        "delete_webhook",
    ]


def test_nobody_but_admins_sees_or_does_any_of_it() -> None:
    webhook = told_webhook(AdminFactory.create())
    message = webhook.deliveries.first()
    assert message is not None
    for user in (ExpertFactory.create(), ResearcherFactory.create()):
        client = client_of(user)
        assert client.get(reverse("webhook-list")).status_code == 403
        assert client.get(reverse("webhook-detail", args=[webhook.uid])).status_code == 403
        for name in ("test", "pause", "delete"):
            assert client.post(reverse(f"webhook-{name}", args=[webhook.uid])).status_code == 403
        again = reverse("webhook-send-again", args=[webhook.uid, message.uid])
        assert client.post(again).status_code == 403
    other = a_webhook(AdminFactory.create())
    stranger = reverse("webhook-send-again", args=[other.uid, message.uid])
    assert client_of(AdminFactory.create()).post(stranger).status_code == 404


def test_a_crowd_is_refused() -> None:
    admin = AdminFactory.create()
    for _ in range(services.MOST_WEBHOOKS):
        a_webhook(admin)
    page = client_of(admin).post(reverse("webhook-list"), FORM).content.decode()
    assert "Delete one that no longer listens" in page
