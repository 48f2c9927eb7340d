"""Makes addresses that are told, and keeps what they are to be told and how that went."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.webhooks.addresses import require_allowed
from deepmedix_review.webhooks.events import happened_since
from deepmedix_review.webhooks.models import OFFERED, Delivery, EventKind, Webhook
from deepmedix_review.webhooks.signing import secret_of

# How long after each try the next one comes: for a day and a half, then it is given up.
WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 2 * 60, 15 * 60, 3600, 3 * 3600, 8 * 3600, 24 * 3600)
)
# A sender that died in the middle of a try: the next one after so long.
TRY_TAKES_AT_MOST = timedelta(seconds=60)
MOST_WEBHOOKS = 20
KEPT = timedelta(days=30)


@transaction.atomic
def make_webhook(*, name: str, url: str, kinds: Collection[str], actor: User) -> tuple[Webhook, str]:
    """The address, told from now on, and its secret. Raises RefusedByRule, with the way out."""
    require(actor, Capability.MANAGE_WEBHOOKS)
    require_allowed(url)
    unknown = set(kinds) - set(OFFERED)
    if not kinds or unknown:
        raise RefusedByRule("Choose what it shall be told of.")
    if Webhook.objects.count() >= MOST_WEBHOOKS:
        raise RefusedByRule(f"{MOST_WEBHOOKS} addresses are told already. Delete one that no longer listens.")
    webhook = Webhook.objects.create(
        name=name,
        url=url,
        kinds=sorted(kinds),
        made_by=actor,
        audited_up_to=AuditEvent.objects.aggregate(last=Max("sequence"))["last"] or 0,
        ended_up_to=timezone.now(),
    )
    record_event(actor=actor, action="make_webhook", subject=webhook, details={"kinds": webhook.kinds})
    return webhook, secret_of(webhook.uid)


@transaction.atomic
def set_paused(webhook: Webhook, *, is_paused: bool, actor: User) -> None:
    """While it is paused messages gather, and go out once it is not: nothing is missed."""
    require(actor, Capability.MANAGE_WEBHOOKS)
    if Webhook.objects.filter(pk=webhook.pk).exclude(is_paused=is_paused).update(is_paused=is_paused):
        action = "pause_webhook" if is_paused else "resume_webhook"
        record_event(actor=actor, action=action, subject=webhook)


@transaction.atomic
def delete_webhook(webhook: Webhook, *, actor: User) -> None:
    require(actor, Capability.MANAGE_WEBHOOKS)
    record_event(
        actor=actor, action="delete_webhook", subject=webhook, details={"kinds": list(webhook.kinds)}
    )
    webhook.delete()


@transaction.atomic
def ask_for_test(webhook: Webhook, *, actor: User) -> Delivery:
    """A message that says nothing, sent as every other is."""
    require(actor, Capability.MANAGE_WEBHOOKS)
    now = timezone.now()
    delivery = Delivery.objects.create(
        webhook=webhook,
        kind=EventKind.TEST,
        subject_uid=webhook.uid,
        happened_at=now,
        data={"webhook": str(webhook.uid)},
        next_try_at=now,
    )
    record_event(actor=actor, action="test_webhook", subject=webhook)
    return delivery


@transaction.atomic
def send_again(delivery: Delivery, *, actor: User) -> None:
    """With all tries anew. Raises RefusedByRule where it waits already."""
    require(actor, Capability.MANAGE_WEBHOOKS)
    if (
        not Delivery.objects.filter(pk=delivery.pk)
        .exclude(state=Delivery.State.WAITING)
        .update(state=Delivery.State.WAITING, num_tries=0, next_try_at=timezone.now())
    ):
        raise RefusedByRule("This message waits to be sent already.")
    record_event(
        actor=actor,
        action="send_message_again",
        subject=delivery.webhook,
        details={"message": str(delivery.uid)},
    )


def gather_messages() -> None:
    """Of all that happened since each address was last looked after."""
    for pk in list(Webhook.objects.values_list("pk", flat=True)):
        _gather(pk)


@transaction.atomic
def _gather(pk: int) -> None:
    webhook = Webhook.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if webhook is None:
        return
    found, now = happened_since(webhook), timezone.now()
    Delivery.objects.bulk_create(
        [
            Delivery(
                webhook=webhook,
                kind=one.kind,
                subject_uid=one.subject,
                happened_at=one.at,
                data=one.data,
                next_try_at=now,
            )
            for one in found.happened
        ],
        ignore_conflicts=True,
    )
    webhook.audited_up_to, webhook.ended_up_to = found.audited_up_to, found.ended_up_to
    webhook.save(update_fields=["audited_up_to", "ended_up_to"])


@transaction.atomic
def next_due() -> Delivery | None:
    """A message whose time has come, taken by the caller for as long as a try may take."""
    now = timezone.now()
    delivery = (
        Delivery.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("webhook")
        .filter(state=Delivery.State.WAITING, next_try_at__lte=now, webhook__is_paused=False)
        .order_by("next_try_at")
        .first()
    )
    if delivery is not None:
        delivery.num_tries += 1
        delivery.tried_at, delivery.next_try_at = now, now + TRY_TAKES_AT_MOST
        delivery.save(update_fields=["num_tries", "tried_at", "next_try_at"])
    return delivery


@dataclass(frozen=True)
class Answered:
    """`status_code` None where nothing answered; `error` is empty where the receiver has it."""

    status_code: int | None
    error: str = ""


def note_answer(delivery: Delivery, answered: Answered) -> None:
    """Keep how a try went; after the last one it is given up."""
    now, state = timezone.now(), Delivery.State.DELIVERED
    next_try_at = now
    if answered.error:
        is_last = delivery.num_tries > len(WAITS)
        state = Delivery.State.GIVEN_UP if is_last else Delivery.State.WAITING
        next_try_at = now if is_last else now + WAITS[delivery.num_tries - 1]
    Delivery.objects.filter(pk=delivery.pk, num_tries=delivery.num_tries).update(
        state=state, next_try_at=next_try_at, status_code=answered.status_code, error=answered.error[:200]
    )


def forget_old_messages() -> None:
    """What was delivered or given up so long ago that nobody asks for it."""
    over = timezone.now() - KEPT
    Delivery.objects.filter(tried_at__lt=over).exclude(state=Delivery.State.WAITING).delete()
