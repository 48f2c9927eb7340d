"""Ratings frozen into training data, the runs on them, and the gate that a candidate must pass."""

from django.conf import settings
from django.db import models

from deepmedix_review.common.models import LeasedJob, PublicModel
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.reasoning.models import Completion, ReasoningStep
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Reading


class PreferenceDataset(PublicModel):
    """Signed readings as of one moment, turned into pairs and labels. Frozen: a trigger refuses changes."""

    title = models.CharField(max_length=120)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    as_of = models.DateTimeField(help_text="readings signed up to this moment")
    num_readings = models.PositiveIntegerField()
    num_pairs = models.PositiveIntegerField()
    num_labels = models.PositiveIntegerField()
    left_out = models.JSONField(default=list, help_text="what gave no pair, and why")
    sha256 = models.CharField(max_length=64, help_text="of the canonical JSON lines of its pairs and labels")

    def __str__(self) -> str:
        return self.title


class PreferencePair(models.Model):
    class Origin(models.TextChoices):
        VOTE = "vote"
        RATING = "rating"
        REGION = "region"

    dataset = models.ForeignKey(PreferenceDataset, on_delete=models.PROTECT, related_name="pairs")
    position = models.PositiveIntegerField()
    origin = models.CharField(max_length=6, choices=Origin.choices)
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="+")
    completion = models.ForeignKey(
        Completion,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the chosen one, or the corrected one's original",
    )
    prompt = models.TextField()
    chosen = models.TextField()
    rejected = models.TextField()
    weight = models.FloatField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["dataset", "position"], name="one_pair_per_position")]


class PreferenceLabel(models.Model):
    """An unpaired judgement: of a whole answer (step is null) or of one step. `value` in [0, 1]."""

    dataset = models.ForeignKey(PreferenceDataset, on_delete=models.PROTECT, related_name="labels")
    position = models.PositiveIntegerField()
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="+")
    completion = models.ForeignKey(Completion, on_delete=models.PROTECT, related_name="+")
    step = models.ForeignKey(ReasoningStep, null=True, on_delete=models.PROTECT, related_name="+")
    criterion = models.CharField(max_length=20)
    value = models.FloatField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["dataset", "position"], name="one_label_per_position")]


class TrainingRun(LeasedJob):
    """One run of a recipe, a stage or several in a row, on one frozen data set. Its candidate is registered
    when it is done. Steps are counted through all stages."""

    dataset = models.ForeignKey(PreferenceDataset, on_delete=models.PROTECT, related_name="runs")
    parent_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    candidate = models.OneToOneField(
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="training_run"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recipe = models.JSONField(help_text="rl_feedback.training.recipe.Recipe as JSON")
    step = models.PositiveIntegerField(default=0)
    num_steps = models.PositiveIntegerField()


class TrainingMetric(models.Model):
    """What one step of a run told; see rl_feedback.training.figures.StepFigures."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="metrics")
    step = models.PositiveIntegerField()
    stage = models.PositiveSmallIntegerField(default=0, help_text="its place in the recipe, from 0")
    values = models.JSONField(help_text="figures by name: loss always, others by the stage")
    seconds = models.FloatField(default=0)
    memory_mb = models.FloatField(default=0, help_text="the process's peak so far")

    class Meta:
        ordering = ["step"]
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="one_metric_per_step")]


class GateDecision(PublicModel):
    """Candidate beside parent on held-out phantoms: passed or held, and the figure that decided."""

    class Outcome(models.TextChoices):
        PASSED = "passed"
        HELD = "held"

    candidate = models.OneToOneField(ModelVersion, on_delete=models.PROTECT, related_name="gate_decision")
    parent = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    evaluations = models.ManyToManyField(
        Evaluation, related_name="+", help_text="of both versions, on every benchmark of the gate"
    )
    outcome = models.CharField(max_length=6, choices=Outcome.choices)
    policy = models.JSONField(help_text="rl_feedback.gate.Policy as JSON: what is guarded, by which margin")
    comparisons = models.JSONField(help_text="per figure: parent, candidate, difference, interval, verdict")
    sentence = models.TextField(help_text="which figure decided, for a person")
