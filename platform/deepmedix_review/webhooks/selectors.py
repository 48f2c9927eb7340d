"""Reads which addresses are told, and their messages."""

from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.webhooks.models import Delivery, Webhook


def webhooks(user: User) -> QuerySet[Webhook]:
    """With how many messages wait, were given up, and when the last one arrived."""
    require(user, Capability.MANAGE_WEBHOOKS)
    return Webhook.objects.select_related("made_by").annotate(
        num_waiting=Count("deliveries", Q(deliveries__state=Delivery.State.WAITING)),
        num_given_up=Count("deliveries", Q(deliveries__state=Delivery.State.GIVEN_UP)),
        delivered_at=Max("deliveries__tried_at", filter=Q(deliveries__state=Delivery.State.DELIVERED)),
    )


def webhook_for(user: User, uid: UUID) -> Webhook:
    """Raises Http404."""
    return get_object_or_404(webhooks(user), uid=uid)


def messages_of(webhook: Webhook) -> QuerySet[Delivery]:
    return webhook.deliveries.order_by("-pk")


def message_for(user: User, webhook_uid: UUID, uid: UUID) -> Delivery:
    """Raises Http404."""
    require(user, Capability.MANAGE_WEBHOOKS)
    found = Delivery.objects.select_related("webhook").filter(webhook__uid=webhook_uid)
    return get_object_or_404(found, uid=uid)
