"""Addresses that are told of events."""

from django.test import override_settings
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.webhooks.models import OFFERED, Delivery, EventKind, Webhook
from deepmedix_review.webhooks.services import make_webhook

ORIGIN = "https://hooks.example.org"


def a_webhook(actor: User, *, url: str = f"{ORIGIN}/reviews") -> Webhook:
    """Of every kind; where messages may go is for the test to say."""
    with override_settings(WEBHOOK_ORIGINS=[url]):
        return make_webhook(name="Training queue", url=url, kinds=list(OFFERED), actor=actor)[0]


def told_webhook(actor: User) -> Webhook:
    """One with a message of each state."""
    webhook, now = a_webhook(actor), timezone.now()
    for number, (state, error) in enumerate(
        (
            (Delivery.State.DELIVERED, ""),
            (Delivery.State.WAITING, "It answered 503, Service Unavailable."),
            (Delivery.State.GIVEN_UP, "It can't be reached."),
        )
    ):
        Delivery.objects.create(
            webhook=webhook,
            kind=EventKind.READING_SIGNED,
            subject_uid=webhook.uid,
            happened_at=now.replace(microsecond=number),
            data={"reading": str(webhook.uid), "reader_study": str(webhook.uid)},
            state=state,
            num_tries=number + 1,
            next_try_at=now,
            tried_at=now,
            status_code=None if number == 2 else 200 + 303 * number,
            error=error,
        )
    return webhook
