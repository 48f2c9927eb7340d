"""Who was sent which small picture a moment ago, until the audit record has it."""

from django.conf import settings
from django.db import models

from deepmedix_review.studies.models.films import Instance


class PictureView(models.Model):
    """A list shows fifty pictures at once: they go into the audit record together, within a minute or so."""

    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    film = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["viewer", "film"], name="a_picture_waits_once_for_the_record")
        ]
