"""What readers are asked: each question in versions, of a step, a region, an answer, the vote or the case."""

from django.conf import settings
from django.db import models

from deepmedix_review.common.models import PublicModel


class Criterion(PublicModel):
    """One question that readers answer, in one version: a version that has ratings never changes.

    `options` are the values in order, each `{"value": …, "label": …, "anchor": …}`; a text has none. `field`
    names the column that keeps the answer (`StepRating.plausibility`, say); empty, a `CriterionRating` does.
    `asked_if` leaves steps out of which there is nothing to answer (`reading.asked_if`).
    """

    class Target(models.TextChoices):
        STEP = "step", "each step"
        REGION = "region", "each region"
        ANSWER = "answer", "each answer"
        VOTE = "vote", "the two outputs"
        CASE = "case", "the case"

    class Kind(models.TextChoices):
        SCALE = "scale"
        CHOICE = "choice"
        CHOICES = "choices", "several choices"
        TEXT = "text"

    class AskedIf(models.TextChoices):
        FLAWED = "flawed", "where it is not right as it stands"
        THERE = "there", "where it is not right as it stands and its finding is there"

    key = models.SlugField(max_length=60)
    version = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=60)
    question = models.CharField(max_length=300, blank=True)
    target = models.CharField(max_length=6, choices=Target.choices)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    options = models.JSONField(default=list, blank=True)
    field = models.CharField(max_length=20, blank=True)
    asked_if = models.CharField(
        max_length=6, choices=AskedIf.choices, blank=True, help_text="of which steps; empty, of all"
    )
    finding = models.CharField(
        max_length=60,
        blank=True,
        help_text="asked of judges alone, of this kind of finding that a reader struck out: is it there?",
    )
    is_library = models.BooleanField(default=False, help_text="came with the product")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    retired_at = models.DateTimeField(null=True, help_text="offered for no new reader study from then on")

    class Meta:
        verbose_name_plural = "criteria"
        ordering = ["key", "version"]
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="one_criterion_per_key_and_version")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
