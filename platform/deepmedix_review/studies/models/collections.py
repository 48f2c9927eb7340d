"""Named sets of studies, frozen in versions, and on which side of the split each patient is."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from deepmedix_review.common.models import PublicModel
from deepmedix_review.studies.models.films import Study


class Split(models.TextChoices):
    """A patient is on one side of it, in every version and every collection with the same shares."""

    TRAIN = "train"
    TUNE = "tune"
    TEST = "test"


class Collection(PublicModel):
    """A named set of studies: picked by hand, or all that fit a filter.

    Shares are per cent of patients, fixed when the collection is made.
    """

    class Kind(models.TextChoices):
        PICKS = "picks", "picked by hand"
        FILTER = "filter", "by a filter"

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    filter = models.JSONField(default=dict, blank=True, help_text="see collecting.filters; empty for picks")
    train_percent = models.PositiveSmallIntegerField(default=70)
    tune_percent = models.PositiveSmallIntegerField(default=10)
    test_percent = models.PositiveSmallIntegerField(default=20)
    last_number = models.PositiveIntegerField(
        default=0, help_text="of its versions; a deleted one's number is not given again"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="one_collection_per_name"),
            models.CheckConstraint(
                condition=Q(train_percent=100 - F("tune_percent") - F("test_percent")),
                name="shares_of_a_split_come_to_a_hundred",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CollectionVersion(PublicModel):
    """A frozen membership: once `frozen_at` is set, a trigger refuses every change of it and of its members.

    `contents` are the counts at the freeze, so that no page counts members: see collecting.contents.
    """

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    frozen_at = models.DateTimeField(null=True)
    num_studies = models.PositiveIntegerField(default=0)
    num_patients = models.PositiveIntegerField(default=0)
    studies_sha256 = models.CharField(
        max_length=64, blank=True, help_text="of the studies' uids in order, each on a line of its own"
    )
    contents = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "number"], name="one_version_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.collection.name}, version {self.number}"


class CollectionMember(models.Model):
    """A study in a version. Written by INSERT … SELECT alone, never row by row; an erasure takes it out."""

    pk = models.CompositePrimaryKey("version_id", "study_id")
    version = models.ForeignKey(
        CollectionVersion, on_delete=models.CASCADE, related_name="members", db_index=False
    )
    # Without an index of its own: no page asks in which collections a study is, an erasure alone does.
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    split = models.CharField(max_length=5, choices=Split.choices)
