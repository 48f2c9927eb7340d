"""What a data set that others made says of a study: its report, its labels and its boxes."""

from django.db import models
from django.db.models import F, Q

from deepmedix_review.common.models import PublicModel
from deepmedix_review.studies.models.collections import Split
from deepmedix_review.studies.models.films import Instance, Study


class Label(models.TextChoices):
    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"


class Reference(PublicModel):
    """What the source of a study says of it, taken for the truth. No reader sees it.

    `labels`: the source's own name of a finding to a `Label`; what the source does not speak of is not there.
    """

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="reference")
    published_split = models.CharField(
        max_length=5,
        choices=Split.choices,
        blank=True,
        help_text="as the source drew it; collections draw their own, by patient",
    )
    indication = models.TextField(blank=True)
    findings = models.TextField(blank=True)
    impression = models.TextField(blank=True)
    report = models.TextField(blank=True, help_text="the whole text, where it names neither of the two")
    labels = models.JSONField(default=dict, blank=True)


class ReferenceRegion(PublicModel):
    """A box that the source drew around a finding: pixels of the stored film, edges not centres."""

    reference = models.ForeignKey(Reference, on_delete=models.CASCADE, related_name="regions")
    film = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="+")
    label = models.CharField(max_length=80)
    x_min = models.FloatField()
    y_min = models.FloatField()
    x_max = models.FloatField()
    y_max = models.FloatField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(x_min__gte=0, y_min__gte=0, x_max__gt=F("x_min"), y_max__gt=F("y_min")),
                name="a_reference_region_has_an_area",
            ),
        ]
