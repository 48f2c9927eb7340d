"""The record of who saw or changed what: append-only, each event bound to the one before by its hash."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class AuditEvent(models.Model):
    """One act. A trigger refuses UPDATE, DELETE and TRUNCATE; `hash` covers every other column."""

    sequence = models.BigIntegerField(primary_key=True, help_text="1, 2, 3 … without gaps")
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=60, help_text="a verb and a noun: view_study, rate_step")
    subject_type = models.CharField(max_length=60)
    subject_uid = models.CharField(max_length=80)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["sequence"]
        indexes = [
            models.Index(fields=["subject_type", "subject_uid"]),
            models.Index(fields=["actor", "sequence"]),
            GinIndex(
                fields=["details"],
                opclasses=["jsonb_path_ops"],
                condition=models.Q(action="view_pictures"),
                name="films_of_picture_views",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.subject_type} {self.subject_uid}"
