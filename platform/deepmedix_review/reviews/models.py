"""Readers' work on completions: who reads what, and what a reader said of each step, region and answer."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from deepmedix_review.common.models import PublicModel
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.studies.models import Study

FIVE_POINTS = [MinValueValidator(1), MaxValueValidator(5)]


def _one_to_five(field: str) -> Q:
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__gte": 1, f"{field}__lte": 5})


class ReaderStudy(PublicModel):
    """A set of cases and the readers who read them, blinded to the model."""

    title = models.CharField(max_length=120)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    seed = models.PositiveIntegerField(default=1, help_text="draws which completion stands on side A")

    class Meta:
        verbose_name_plural = "reader studies"

    def __str__(self) -> str:
        return self.title


class Case(PublicModel):
    """One study with one or two completions to be read."""

    reader_study = models.ForeignKey(ReaderStudy, on_delete=models.CASCADE, related_name="cases")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="cases")
    completions = models.ManyToManyField(Completion, related_name="cases")
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["reader_study", "position"], name="one_case_per_position")
        ]


class Assignment(PublicModel):
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="assignments")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "reader"], name="one_assignment_per_reader_and_case")
        ]
        indexes = [models.Index(fields=["reader", "id"])]


class Reading(PublicModel):
    """One reader's pass over one case. Signed, it is locked; an amendment is a new reading.

    It is made with the assignment, when the sides A and B are drawn, and opened when the reader comes to it.
    """

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="readings")
    completion_a = models.ForeignKey(Completion, on_delete=models.PROTECT, related_name="+")
    completion_b = models.ForeignKey(Completion, null=True, on_delete=models.PROTECT, related_name="+")
    amends = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="amended_by")
    amendment_reason = models.TextField(blank=True)
    window_center = models.FloatField(null=True)
    window_width = models.FloatField(null=True)
    inverted = models.BooleanField(default=False)
    active_seconds = models.PositiveIntegerField(default=0, help_text="idle time over 60 s left out")
    opened_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"],
                condition=Q(signed_at__isnull=True),
                name="one_open_reading_per_assignment",
            ),
            models.CheckConstraint(
                condition=Q(completion_b__isnull=True) | ~Q(completion_b=F("completion_a")),
                name="two_sides_show_two_completions",
            ),
        ]


class StepRating(PublicModel):
    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="step_ratings")
    step = models.ForeignKey(ReasoningStep, on_delete=models.PROTECT, related_name="ratings")
    plausibility = models.PositiveSmallIntegerField(null=True, validators=FIVE_POINTS)
    cannot_judge = models.BooleanField(default=False)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reading", "step"], name="one_rating_per_reading_and_step"),
            models.CheckConstraint(
                condition=_one_to_five("plausibility"), name="plausibility_is_one_to_five"
            ),
            models.CheckConstraint(
                condition=Q(cannot_judge=False) | Q(plausibility__isnull=True),
                name="a_step_that_cannot_be_judged_has_no_plausibility",
            ),
        ]


class RegionAnnotation(PublicModel):
    """A reader's word on a region: it fits, here is where it should be, or it is wrong. Film pixels."""

    class Verdict(models.TextChoices):
        FITS = "fits"
        ADJUSTED = "adjusted"
        WRONG = "wrong"

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="region_annotations")
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="annotations")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    x_min = models.FloatField(null=True)
    y_min = models.FloatField(null=True)
    x_max = models.FloatField(null=True)
    y_max = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reading", "region"], name="one_verdict_per_reading_and_region"),
            models.CheckConstraint(
                condition=(
                    Q(verdict="adjusted", x_min__lt=F("x_max"), y_min__lt=F("y_max"))
                    | (
                        ~Q(verdict="adjusted")
                        & Q(x_min__isnull=True, y_min__isnull=True, x_max__isnull=True, y_max__isnull=True)
                    )
                ),
                name="an_adjusted_region_has_an_area_and_no_other_has_a_box",
            ),
        ]


class AnswerRating(PublicModel):
    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="answer_ratings")
    completion = models.ForeignKey(Completion, on_delete=models.PROTECT, related_name="answer_ratings")
    relevance = models.PositiveSmallIntegerField(null=True, validators=FIVE_POINTS)
    correctness = models.PositiveSmallIntegerField(null=True, validators=FIVE_POINTS)
    completeness = models.PositiveSmallIntegerField(null=True, validators=FIVE_POINTS)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reading", "completion"], name="one_answer_rating_per_completion"
            ),
            models.CheckConstraint(condition=_one_to_five("relevance"), name="relevance_is_one_to_five"),
            models.CheckConstraint(condition=_one_to_five("correctness"), name="correctness_is_one_to_five"),
            models.CheckConstraint(
                condition=_one_to_five("completeness"), name="completeness_is_one_to_five"
            ),
        ]


class Vote(PublicModel):
    """Which of two completions is better. `side` is what the reader pressed; A and B are the reading's."""

    class Side(models.TextChoices):
        A = "a", "A"
        TIE = "tie", "tie"
        B = "b", "B"

    reading = models.OneToOneField(Reading, on_delete=models.CASCADE, related_name="vote")
    side = models.CharField(max_length=3, choices=Side.choices)


class ReadingChange(models.Model):
    """Each change a reader made, as sent. Its client-made id makes a repeated request harmless."""

    change_id = models.UUIDField(default=uuid.uuid4)
    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=20)
    payload = models.JSONField(encoder=DjangoJSONEncoder)
    answer = models.JSONField(help_text="the server's first answer, given again to a repeat")
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reading", "change_id"], name="one_answer_per_reading_and_change"
            ),
        ]
