"""Archives of films on their way in: how much was sent, how far a worker is, and what became of each."""

from django.db import models
from django.db.models import F, Q

from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import JobState, LeasedJob
from deepmedix_review.studies.models.films import ImportBatch


class ArchiveImport(LeasedJob):
    """A zip or tar archive that is sent in parts; once it is whole a worker brings its films in, one by one.

    Which of its files were judged stands in the items of its batch, by their `number`: one that is taken up
    again goes on behind the last of them. The numbers here are told now and then meanwhile.
    """

    class State(models.TextChoices):
        """Those of a job, and before them `receiving`: parts of it are still to come."""

        RECEIVING = "receiving"
        QUEUED = JobState.QUEUED
        RUNNING = JobState.RUNNING
        DONE = JobState.DONE
        FAILED = JobState.FAILED
        CANCELLED = JobState.CANCELLED

    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING)
    batch = models.OneToOneField(ImportBatch, on_delete=models.PROTECT, related_name="archive")
    file_name = models.CharField(
        max_length=255, help_text="shown to the person who brought it in, nowhere else"
    )
    num_bytes = models.PositiveBigIntegerField(help_text="of the whole archive")
    num_received = models.PositiveBigIntegerField(default=0, help_text="bytes of it that are here")
    modified_ms = models.BigIntegerField(
        null=True,
        help_text="when its sender says that the file was changed last, in milliseconds since 1970: the same "
        "file, begun again, goes on where it was cut off",
    )
    last_part_at = models.DateTimeField(auto_now_add=True)
    is_here = models.BooleanField(default=True, help_text="the archive, or what came of it, lies on the disk")
    num_files = models.PositiveIntegerField(null=True, help_text="in it; null until they are counted")
    num_accepted = models.PositiveIntegerField(default=0)
    num_to_look_at = models.PositiveIntegerField(
        default=0, help_text="of the accepted ones: a person had to look for names on them when they came"
    )
    num_held = models.PositiveIntegerField(default=0)
    num_duplicate = models.PositiveIntegerField(default=0)
    num_refused = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(num_received__lte=F("num_bytes")),
                name="no_more_of_an_archive_comes_than_was_announced",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("receiving", "failed", "cancelled")) | Q(num_received=F("num_bytes")),
                name="an_archive_is_unpacked_once_it_is_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                condition=~Q(state__in=("done", "failed", "cancelled")) | Q(is_here=True),
                name="archives_not_done_with",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def requested_by(self) -> User | None:
        return self.batch.requested_by

    @property
    def num_done(self) -> int:
        """Files that were judged so far."""
        return self.num_accepted + self.num_held + self.num_duplicate + self.num_refused

    @property
    def may_be_tried_again(self) -> bool:
        return self.state == self.State.FAILED and self.is_here
