"""Which programs are told of what, and each message that they were sent."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from deepmedix_review.common.models import PublicModel


class EventKind(models.TextChoices):
    """What may be told. The value is the event's `type` in a message."""

    READING_SIGNED = "reading.signed", "a reading was signed"
    EXPORT_ENDED = "export.ended", "an export ended"
    RUN_ENDED = "run.ended", "a training run ended"
    GATE_DECIDED = "gate.decided", "the gate decided on a candidate"
    TEST = "test", "a test that somebody asked for"


OFFERED = tuple(kind for kind in EventKind if kind != EventKind.TEST)


class Webhook(PublicModel):
    """An address that is told of events. Its secret is made of the installation's and never stored."""

    name = models.CharField(max_length=80)
    url = models.URLField(max_length=500)
    kinds = ArrayField(models.CharField(max_length=20, choices=EventKind.choices))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    is_paused = models.BooleanField(default=False)
    audited_up_to = models.BigIntegerField(help_text="the last event of the audit record that was looked at")
    ended_up_to = models.DateTimeField(help_text="the moment up to which ended jobs were looked at")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name


class Delivery(PublicModel):
    """One message. `uid` is its id, the same at each try, by which the receiver knows a repeat."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        GIVEN_UP = "given up"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=20, choices=EventKind.choices)
    subject_uid = models.UUIDField()
    happened_at = models.DateTimeField()
    data = models.JSONField(help_text="uids and states alone: no pseudonym, no rating, no text")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    num_tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True, help_text="that the receiver answered last")
    error = models.CharField(max_length=200, blank=True, help_text="why the last try failed")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "kind", "subject_uid", "happened_at"], name="an_event_is_told_once"
            )
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=models.Q(state="waiting"), name="messages_due")
        ]
