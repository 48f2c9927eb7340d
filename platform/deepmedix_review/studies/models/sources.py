"""Where studies come from that others collected, and what its licence lets become of them."""

from django.db import models
from django.db.models.functions import Lower

from deepmedix_review.common.models import PublicModel


class SourceDataset(PublicModel):
    """A data set that others made and published, or that an institution collected."""

    name = models.CharField(max_length=80)
    layout = models.CharField(max_length=20, help_text="a key of known_sets.layouts")
    licence = models.CharField(max_length=300)
    is_credentialed = models.BooleanField(
        help_text="given to named people under an agreement: what is said of its studies leaves in no export"
    )

    class Meta:
        constraints = [models.UniqueConstraint(Lower("name"), name="one_source_per_name")]

    def __str__(self) -> str:
        return self.name
