"""Messages of films that programs left to be brought in: how far a worker is with each."""

from django.db import models
from django.db.models import F, Q

from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import LeasedJob
from deepmedix_review.studies.models.films import ImportBatch


class SentMessage(LeasedJob):
    """A message over DICOMweb whose sender did not wait: its films lie on the disk until a worker has brought
    each of them in, and then its answer lies there until it was there for long enough.

    Which of its films were judged stands in the items of its batch, by their `number`.
    """

    batch = models.OneToOneField(ImportBatch, on_delete=models.PROTECT, related_name="message")
    num_films = models.PositiveIntegerField(help_text="its parts, whatever they hold")
    num_bytes = models.PositiveBigIntegerField(help_text="of all of its parts")
    num_done = models.PositiveIntegerField(default=0, help_text="films that were judged")
    token = models.UUIDField(null=True, help_text="by which its sender came, for the audit record")
    is_here = models.BooleanField(
        default=True, help_text="its films, or what its sender is told of them, lie on the disk"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(num_done__lte=F("num_films")), name="no_more_of_a_message_is_done_than_came"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="queued"), name="messages_that_wait"),
            models.Index(
                fields=["state"],
                condition=~Q(state__in=("done", "cancelled")) | Q(is_here=True),
                name="messages_not_done_with",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def label(self) -> str:
        """As the page of films on their way in calls it; its sender is told the whole uid."""
        return f"M-{self.uid.hex[:8]}"

    @property
    def requested_by(self) -> User | None:
        return self.batch.requested_by

    @property
    def may_be_tried_again(self) -> bool:
        return bool(self.state == "failed" and self.is_here)
