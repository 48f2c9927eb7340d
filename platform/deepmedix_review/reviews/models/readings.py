"""What a reader said of one case: of each step, region and answer, between two, and before seeing any."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from deepmedix_review.common.models import PublicModel
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reviews.models.criteria import Criterion
from deepmedix_review.reviews.models.designs import Assignment

FIVE_POINTS = [MinValueValidator(1), MaxValueValidator(5)]


def _one_to_five(field: str) -> Q:
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__gte": 1, f"{field}__lte": 5})


class Reading(PublicModel):
    """One reader's pass over one case. Signed, it is locked; an amendment is a new reading.

    It is made with the assignment, when the sides A and B are drawn, and opened when the reader comes to it.
    """

    class Curve(models.TextChoices):
        """How values become grey: a window's function (PS3.3 C.11.2.1.2 and C.11.2.1.3), or a VOI table."""

        LINEAR = "linear"
        LINEAR_EXACT = "linear_exact"
        SIGMOID = "sigmoid"
        TABLE = "table"

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="readings")
    completion_a = models.ForeignKey(Completion, on_delete=models.PROTECT, related_name="+")
    completion_b = models.ForeignKey(Completion, null=True, on_delete=models.PROTECT, related_name="+")
    amends = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="amended_by")
    amendment_reason = models.TextField(blank=True)
    window_center = models.FloatField(null=True)
    window_width = models.FloatField(null=True)
    inverted = models.BooleanField(default=False)
    look_index = models.PositiveSmallIntegerField(
        null=True, help_text="which of the film's looks the window is for; null, the first"
    )
    look_name = models.CharField(max_length=40, blank=True, help_text="the film's own name for it")
    look_curve = models.CharField(max_length=12, choices=Curve.choices, blank=True)
    measured_lines = models.JSONField(
        default=list, blank=True, help_text="each from x, y to x, y in film pixels, in their order"
    )
    active_seconds = models.PositiveIntegerField(default=0, help_text="idle time over 60 s left out")
    asks_first_read = models.BooleanField(
        default=False, help_text="the reader answers and locks before the completions are shown"
    )
    opened_at = models.DateTimeField(null=True)
    revealed_at = models.DateTimeField(null=True, help_text="when the first read was locked")
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
            models.CheckConstraint(
                condition=(
                    Q(look_index__isnull=True, look_name="", look_curve="")
                    | Q(
                        ~Q(look_name=""),
                        look_index__isnull=False,
                        look_curve__in=["linear", "linear_exact", "sigmoid", "table"],
                        window_center__isnull=False,
                        window_width__isnull=False,
                    )
                ),
                name="a_look_has_a_name_a_curve_and_a_window",
            ),
        ]

    @property
    def is_revealed(self) -> bool:
        return self.revealed_at is not None or not self.asks_first_read

    def vote_on(self, kind: "Vote.Kind") -> "Vote | None":
        """Reads the prefetched votes where there are any."""
        return next((vote for vote in self.votes.all() if vote.kind == kind), None)


class FirstRead(PublicModel):
    """What the reader saw on the image alone, and, as a second row, the change of mind after the reveal.

    The first is locked by the reveal, the second by the signature.
    """

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="first_reads")
    is_after_reveal = models.BooleanField(default=False)
    choice = models.CharField(max_length=300, blank=True, help_text="one of the reader study's answers")
    findings = models.JSONField(default=list, help_text="names of the CheXpert findings that are present")
    impression = models.CharField(max_length=1000, blank=True)
    confidence = models.PositiveSmallIntegerField(null=True, validators=FIVE_POINTS)
    locked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reading", "is_after_reveal"], name="one_first_read_and_one_change_of_mind"
            ),
            models.CheckConstraint(condition=_one_to_five("confidence"), name="confidence_is_one_to_five"),
        ]


class StepRating(PublicModel):
    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="step_ratings")
    step = models.ForeignKey(ReasoningStep, on_delete=models.PROTECT, related_name="ratings")
    plausibility = models.PositiveSmallIntegerField(null=True, validators=FIVE_POINTS)
    cannot_judge = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    edited_text = models.TextField(
        blank=True, help_text="the step as the reader would write it; empty, as it is"
    )

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


class MissedFinding(PublicModel):
    """A finding that a completion should have named. Its `uid` is made by the reader's browser."""

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="missed_findings")
    completion = models.ForeignKey(Completion, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=1000)


class DrawnRegion(PublicModel):
    """A region that the reader drew and no model did: for a step, a missed finding or the first read.

    Film pixels, edges. Its `uid` is made by the reader's browser.
    """

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="drawn_regions")
    step = models.ForeignKey(ReasoningStep, null=True, on_delete=models.PROTECT, related_name="+")
    missed_finding = models.ForeignKey(
        MissedFinding, null=True, on_delete=models.CASCADE, related_name="regions"
    )
    first_read = models.ForeignKey(FirstRead, null=True, on_delete=models.CASCADE, related_name="regions")
    x_min = models.FloatField()
    y_min = models.FloatField()
    x_max = models.FloatField()
    y_max = models.FloatField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(x_min__lt=F("x_max"), y_min__lt=F("y_max")), name="a_drawn_region_has_an_area"
            ),
            models.CheckConstraint(
                condition=(
                    Q(step__isnull=False, missed_finding=None, first_read=None)
                    | Q(step=None, missed_finding__isnull=False, first_read=None)
                    | Q(step=None, missed_finding=None, first_read__isnull=False)
                ),
                name="a_drawn_region_belongs_to_one_thing",
            ),
        ]


class AnswerRating(PublicModel):
    class Harm(models.TextChoices):
        NONE = "none"
        MILD = "mild"
        SEVERE = "severe"

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="answer_ratings")
    completion = models.ForeignKey(Completion, on_delete=models.PROTECT, related_name="answer_ratings")
    relevance = models.PositiveSmallIntegerField(null=True, validators=FIVE_POINTS)
    correctness = models.PositiveSmallIntegerField(null=True, validators=FIVE_POINTS)
    completeness = models.PositiveSmallIntegerField(null=True, validators=FIVE_POINTS)
    harm = models.CharField(
        max_length=6, choices=Harm.choices, blank=True, help_text="what would follow if it were acted on"
    )
    rewrite = models.TextField(blank=True, help_text="the answer as the reader would write it")

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

    class Kind(models.TextChoices):
        GROUNDED = "grounded", "better grounded"
        OVERALL = "overall", "better overall"

    class Side(models.TextChoices):
        A = "a", "A"
        TIE = "tie", "tie"
        B = "b", "B"
        BOTH_BAD = "both_bad", "both bad"

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="votes")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.OVERALL)
    side = models.CharField(max_length=8, choices=Side.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reading", "kind"], name="one_vote_per_reading_and_kind")
        ]


class CriterionRating(PublicModel):
    """The answer to a criterion that has no column of its own: a value, a list of values, or a text."""

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="criterion_ratings")
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="ratings")
    completion = models.ForeignKey(Completion, null=True, on_delete=models.PROTECT, related_name="+")
    step = models.ForeignKey(ReasoningStep, null=True, on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey(Region, null=True, on_delete=models.PROTECT, related_name="+")
    value = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reading", "criterion", "completion", "step", "region"],
                nulls_distinct=False,
                name="one_answer_per_criterion_and_item",
            )
        ]


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


class ReaderClock(models.Model):
    """Up to when a reader's time is spoken for: nobody is at two cases at once, in however many windows."""

    reader = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    counted_until = models.DateTimeField()
