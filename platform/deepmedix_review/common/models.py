"""Abstract bases: a public identifier for URLs, and a job that survives its worker."""

import uuid

from django.db import models


class PublicModel(models.Model):
    """A row that URLs and the API name by `uid`, never by its primary key."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class LeasedJob(PublicModel):
    """The database row is the job; a Celery message only wakes a worker that claims it.

    A worker holds a lease and renews it by heartbeats. When a lease runs out the job is queued again,
    at most `settings.MAX_ATTEMPTS` times after the last attempt of which something was kept: a job of days
    outlives any number of restarts, one that stops its worker at the same place does not. Writes of a worker
    are fenced by `attempt`: one that lost its lease can no longer change the row. See `common.jobs`.
    """

    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    kept_attempt = models.PositiveSmallIntegerField(
        default=0, help_text="the last attempt of which something is kept that the next need not do again"
    )
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    error = models.TextField(blank=True, help_text="why it failed, in a sentence for a person")

    class Meta:
        abstract = True

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES
