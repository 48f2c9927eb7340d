"""What a reader saw on a film that nobody should see there: a name, or what else tells who the patient is."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import PublicModel
from deepmedix_review.studies.models.films import Instance


class Sighting(PublicModel):
    """A reader reported that a film shows a name. It stands until a person has looked at the study."""

    film = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="sightings")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    change_id = models.UUIDField(help_text="made by the client: the same again is the same sighting")
    looked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "change_id"], name="a_sighting_is_kept_once")
        ]
        indexes = [
            models.Index(fields=["film"], condition=Q(looked_at__isnull=True), name="sightings_to_look_at")
        ]
