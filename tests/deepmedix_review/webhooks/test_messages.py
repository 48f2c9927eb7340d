"""What happened is told once to each address that asked, tried again, and given up in the end."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from deepmedix_client.webhooks import NotSigned, verified
from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import JobState
from deepmedix_review.exports.models import Export
from deepmedix_review.webhooks import services
from deepmedix_review.webhooks.models import Delivery, EventKind, Webhook
from deepmedix_review.webhooks.services import WAITS, gather_messages, make_webhook
from deepmedix_review.webhooks.signing import secret_of
from deepmedix_review.webhooks.tasks import tend_webhooks
from tests.deepmedix_review.exports.an_export import a_read_study, written
from tests.deepmedix_review.webhooks.conftest import Receiver
from tests.factories.accounts import AdminFactory
from tests.factories.reviews import a_signed_reading
from tests.factories.webhooks import a_webhook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_connection(settings: Settings) -> None:
    """The thread that renews a lease sees nothing of a test's transaction: it shall not come to it."""
    settings.LEASE_SECONDS = 3600


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def webhook(receiver: Receiver, admin: User) -> Webhook:
    return a_webhook(admin, url=f"{receiver.url}/reviews")


def make_due(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(next_try_at=timezone.now() - timedelta(seconds=1))


def test_signatures_and_an_export_are_told_once_signed_and_without_a_name(
    receiver: Receiver, webhook: Webhook
) -> None:
    readings = [a_signed_reading(), a_signed_reading()]
    export = written(a_read_study())
    for _ in range(3):
        tend_webhooks()
    told = receiver.messages(secret_of(webhook.uid))
    signed = [one["data"] for one in told if one["type"] == "reading.signed"]
    assert signed == [
        {"reading": str(one.uid), "reader_study": str(one.assignment.case.reader_study.uid)}
        for one in readings
    ]
    ended = [one["data"] for one in told if one["type"] == "export.ended"]
    assert ended == [{"export": str(export.uid), "state": "done"}]
    assert len(told) == len({one["id"] for one in told}) == 3
    everything = b"".join(body for body, _ in receiver.got).decode()
    for reading in readings:
        assert reading.assignment.reader.pseudonym not in everything
        assert reading.assignment.case.study.patient_pseudonym not in everything
    assert not Delivery.objects.exclude(state=Delivery.State.DELIVERED).exists()


def test_what_happened_before_it_was_made_is_not_told(receiver: Receiver, admin: User) -> None:
    study = a_read_study()
    written(study)
    a_webhook(admin, url=receiver.url)
    tend_webhooks()
    assert not receiver.got


def test_only_what_was_asked_for_is_told(receiver: Receiver, admin: User) -> None:
    webhook, secret = make_webhook(
        name="Exports", url=receiver.url, kinds=[EventKind.EXPORT_ENDED], actor=admin
    )
    written(a_read_study())
    tend_webhooks()
    assert [one["type"] for one in receiver.messages(secret)] == ["export.ended"]
    assert secret == secret_of(webhook.uid)


def test_an_export_that_ends_again_is_told_again(receiver: Receiver, webhook: Webhook) -> None:
    export = written(a_read_study())
    gather_messages()
    Export.objects.filter(pk=export.pk).update(state=JobState.FAILED, finished_at=timezone.now())
    gather_messages()
    gather_messages()
    found = webhook.deliveries.filter(kind=EventKind.EXPORT_ENDED).order_by("pk")
    assert [one.data["state"] for one in found] == ["done", "failed"]


def test_one_that_does_not_arrive_is_tried_again_with_the_same_name_and_then_given_up(
    receiver: Receiver, webhook: Webhook, admin: User
) -> None:
    receiver.answers = [503]
    delivery = services.ask_for_test(webhook, actor=admin)
    waited = []
    for _ in range(len(WAITS)):
        tend_webhooks()
        delivery.refresh_from_db()
        assert (delivery.state, delivery.status_code) == (Delivery.State.WAITING, 503)
        waited.append(delivery.next_try_at - timezone.now())
        tend_webhooks()
        make_due(delivery)
    tend_webhooks()
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.GIVEN_UP
    assert delivery.error == "It answered 503, Service Unavailable."
    assert len(receiver.got) == delivery.num_tries == len(WAITS) + 1
    assert all(near <= wait for near, wait in zip(waited, WAITS, strict=True))
    assert waited == sorted(waited)
    assert len({headers["webhook-id"] for _, headers in receiver.got}) == 1
    assert len({body for body, _ in receiver.got}) == 1

    receiver.answers = [204]
    services.send_again(delivery, actor=admin)
    tend_webhooks()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.status_code, delivery.error) == (Delivery.State.DELIVERED, 204, "")


def test_a_redirect_is_not_followed(receiver: Receiver, webhook: Webhook, admin: User) -> None:
    receiver.answers = [302]
    delivery = services.ask_for_test(webhook, actor=admin)
    tend_webhooks()
    delivery.refresh_from_db()
    assert "no redirect is followed" in delivery.error
    assert len(receiver.got) == 1


def test_nobody_listens(settings: Settings, admin: User) -> None:
    url = "http://127.0.0.1:9"
    settings.WEBHOOK_ORIGINS = [url]
    delivery = services.ask_for_test(a_webhook(admin, url=url), actor=admin)
    settings.WEBHOOK_ORIGINS = [url]
    tend_webhooks()
    delivery.refresh_from_db()
    assert (delivery.error, delivery.status_code) == ("It can't be reached.", None)


def test_an_address_that_the_operator_takes_back_is_told_nothing(
    receiver: Receiver, webhook: Webhook, admin: User, settings: Settings
) -> None:
    delivery = services.ask_for_test(webhook, actor=admin)
    settings.WEBHOOK_ORIGINS = []
    tend_webhooks()
    delivery.refresh_from_db()
    assert delivery.error.startswith("Messages may not go there.")
    assert not receiver.got


def test_a_paused_one_gathers_and_is_told_all_once_resumed(
    receiver: Receiver, webhook: Webhook, admin: User
) -> None:
    services.set_paused(webhook, is_paused=True, actor=admin)
    export = written(a_read_study())
    tend_webhooks()
    assert not receiver.got
    services.set_paused(webhook, is_paused=False, actor=admin)
    tend_webhooks()
    told = receiver.messages(secret_of(webhook.uid))
    assert {"export": str(export.uid), "state": "done"} in [one["data"] for one in told]


def test_a_sender_that_died_is_followed_by_another(receiver: Receiver, webhook: Webhook, admin: User) -> None:
    delivery = services.ask_for_test(webhook, actor=admin)
    assert services.next_due() == delivery
    assert services.next_due() is None
    make_due(delivery)
    tend_webhooks()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.num_tries) == (Delivery.State.DELIVERED, 2)


def test_messages_of_long_ago_are_forgotten_but_for_those_that_wait(webhook: Webhook, admin: User) -> None:
    old, waits = (services.ask_for_test(webhook, actor=admin) for _ in range(2))
    over = timezone.now() - services.KEPT - timedelta(days=1)
    Delivery.objects.update(tried_at=over)
    Delivery.objects.filter(pk=old.pk).update(state=Delivery.State.GIVEN_UP)
    services.forget_old_messages()
    assert list(Delivery.objects.all()) == [waits]


def test_a_message_that_was_changed_or_is_old_or_anothers_is_not_believed(
    receiver: Receiver, webhook: Webhook, admin: User
) -> None:
    services.ask_for_test(webhook, actor=admin)
    tend_webhooks()
    [(body, headers)] = receiver.got
    secret = secret_of(webhook.uid)
    assert verified(body, headers, secret)["data"] == {"webhook": str(webhook.uid)}
    now = int(headers["webhook-timestamp"])
    for changed, told, key, at in (
        (body + b" ", headers, secret, now),
        (body, {**headers, "webhook-id": "other"}, secret, now),
        (body, {**headers, "webhook-timestamp": str(now + 1)}, secret, now),
        (body, headers, secret_of(admin.uid), now),
        (body, headers, secret, now + 301),
        (body, headers, secret, now - 301),
        (body, {}, secret, now),
        (body, headers, "no secret", now),
    ):
        with pytest.raises(NotSigned):
            verified(changed, told, key, now=at)
