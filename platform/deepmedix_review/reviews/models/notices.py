"""What a reader is told of the own worklist without having done anything: cases went or came, or time did."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import PublicModel
from deepmedix_review.reviews.models.designs import ReaderStudy


class WorklistNotice(PublicModel):
    """Unread cases that went to a reader who came, or came from one who left; told until dismissed.

    `is_grown` tells that they were added to the reader study, of a pool to what all its readers take from.
    `deadline` is by when this reader's cases are to be read from now on.
    `is_end` tells who was removed that the reader study is no longer on the worklist.
    """

    reader_study = models.ForeignKey(ReaderStudy, on_delete=models.CASCADE, related_name="notices")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices")
    num_gone = models.PositiveIntegerField(default=0)
    num_come = models.PositiveIntegerField(default=0)
    is_grown = models.BooleanField(default=False)
    deadline = models.DateField(null=True, help_text="the new one; None where it stays")
    is_end = models.BooleanField(default=False)
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_end=True) | Q(num_gone__gt=0) | Q(num_come__gt=0) | Q(deadline__isnull=False),
                name="a_notice_tells_something",
            ),
        ]
        indexes = [
            models.Index(
                fields=["reader", "id"],
                condition=Q(dismissed_at__isnull=True),
                name="notices_of_a_reader",
            )
        ]
