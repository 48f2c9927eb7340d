"""Names of what was erased, under a key: enough to know it when it comes again, and nothing else of it."""

from django.db import models


class ErasedName(models.Model):
    """A study, a patient or a picture that no way in takes until an admin lets it in again.

    `key` is the keyed hash of its name here, from which nobody can tell the name back.
    """

    class Kind(models.TextChoices):
        STUDY = "study"
        PATIENT = "patient"
        PICTURE = "picture"

    kind = models.CharField(max_length=7, choices=Kind.choices)
    key = models.CharField(max_length=64)
    erasure = models.UUIDField(db_index=True, help_text="uid of the erasure that it is kept out by")
    erased_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="what_was_erased_is_kept_out_once"),
        ]
