"""What was decided on held studies, so that it can be taken back."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import PublicModel
from deepmedix_review.studies.models.films import Study


class HeldDecision(PublicModel):
    """One person accepted, or rejected, one or many held studies at once."""

    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    is_accepted = models.BooleanField()
    decided_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["decided_by", "-id"],
                condition=Q(undone_at__isnull=True),
                name="decisions_to_take_back",
            )
        ]


class DecidedStudy(models.Model):
    """One of its studies, with who had looked at it before."""

    decision = models.ForeignKey(HeldDecision, on_delete=models.CASCADE, related_name="studies")
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+")
    looked_at_before = models.DateTimeField(null=True)
    looked_by_before = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["decision", "study"], name="a_study_is_decided_on_once_at_a_time")
        ]
