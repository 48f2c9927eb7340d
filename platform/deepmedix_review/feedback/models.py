"""Ratings frozen into training data, the runs on them, and the gate that a candidate must pass."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from deepmedix_review.common.models import JobState, LeasedJob, PublicModel
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.reasoning.models import Completion, ReasoningStep
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Reading
from deepmedix_review.studies.models import Instance, Split
from rl_feedback.engines.placement import ENGINES, LOCAL, RAY, Placement


class PreferenceDataset(PublicModel):
    """Signed readings as of one moment, turned into pairs, labels and regions. Frozen: a trigger refuses
    changes.

    `readers` are the models of the readers behind it, with every parameter (rl_feedback.raters), and how far
    they agree; sets that were frozen before there were any have none.
    """

    title = models.CharField(max_length=120)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    as_of = models.DateTimeField(help_text="readings signed up to this moment")
    num_readings = models.PositiveIntegerField()
    num_pairs = models.PositiveIntegerField()
    num_labels = models.PositiveIntegerField()
    num_regions = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=list, help_text="what gave no pair, and why")
    disputes = models.JSONField(default=list, help_text="on what readers contradict each other")
    readers = models.JSONField(default=dict, help_text="rl_feedback.preferences.Readers as JSON")
    sha256 = models.CharField(max_length=64, help_text="of its canonical JSON lines")

    def __str__(self) -> str:
        return self.title


class ReadingsHere(models.Manager["DatasetReading"]):
    """Those that were not erased."""

    def get_queryset(self) -> models.QuerySet["DatasetReading"]:
        return super().get_queryset().filter(reading__isnull=False)


class DatasetReading(models.Model):
    """A reading that a data set was made of; rows name theirs by its primary key. Once it is erased its place
    stays, and names nothing: only `with_erased` finds it."""

    dataset = models.ForeignKey(PreferenceDataset, on_delete=models.PROTECT, related_name="readings")
    position = models.PositiveIntegerField()
    # Never null where `objects` found it.
    reading: "models.ForeignKey[Reading, Reading]" = models.ForeignKey(  # type: ignore[misc]
        Reading, null=True, on_delete=models.PROTECT, related_name="+", help_text="null once it is erased"
    )
    split = models.CharField(max_length=5, choices=Split.choices)

    objects = ReadingsHere()
    with_erased = models.Manager["DatasetReading"]()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "position"], name="one_reading_per_position"),
            models.UniqueConstraint(fields=["dataset", "reading"], name="a_reading_is_frozen_once"),
        ]


class RowsOfFilmsHere(models.Manager[Any]):
    """Those of studies that were not erased: nothing is learned from, shown or given away of the others."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(completion__isnull=False)


class FrozenRow(models.Model):
    """What every row of a data set has. `readings` are primary keys of the readings that it rests on.

    A frozen set keeps the words of a row whose study is erased, and no way to the study: only `with_erased`
    finds it.
    """

    position = models.PositiveIntegerField()
    # Never null where `objects` found it.
    completion: "models.ForeignKey[Completion, Completion]" = models.ForeignKey(  # type: ignore[misc]
        Completion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="null once its study is erased",
    )
    step = models.ForeignKey(ReasoningStep, null=True, on_delete=models.PROTECT, related_name="+")
    num_readers = models.PositiveSmallIntegerField(default=1)
    split = models.CharField(max_length=5, choices=Split.choices, default=Split.TRAIN)
    readings = ArrayField(models.BigIntegerField(), default=list)

    objects = RowsOfFilmsHere()
    with_erased = models.Manager[Any]()

    class Meta:
        abstract = True


class PreferencePair(FrozenRow):
    """The same film and prompt, two texts, and which is better: rl_feedback.preferences.Pair.

    `completion` is the chosen one, or the original of a text that readers changed.
    """

    class Origin(models.TextChoices):
        VOTE = "vote"
        RATING = "rating"
        REWRITE = "rewrite"
        REGION = "region"
        STEP = "step"

    dataset = models.ForeignKey(PreferenceDataset, on_delete=models.PROTECT, related_name="pairs")
    origin = models.CharField(max_length=7, choices=Origin.choices)
    rejected_completion = models.ForeignKey(
        Completion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="null where frozen before",
    )
    prompt = models.TextField()
    prefix = models.TextField(blank=True, help_text="what stands before both texts; empty for whole ones")
    chosen = models.TextField()
    rejected = models.TextField()
    weight = models.FloatField()
    probability = models.FloatField(help_text="that the chosen is the better one")
    variance = models.FloatField(null=True)
    num_effective_readers = models.FloatField(default=1.0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["dataset", "position"], name="one_pair_per_position")]


class PreferenceLabel(FrozenRow):
    """What a whole answer (step is null) or one step deserves by one criterion. `value` in [0, 1]."""

    dataset = models.ForeignKey(PreferenceDataset, on_delete=models.PROTECT, related_name="labels")
    criterion = models.CharField(max_length=20)
    value = models.FloatField()
    variance = models.FloatField(null=True)
    num_effective_readers = models.FloatField(default=1.0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["dataset", "position"], name="one_label_per_position")]


class ExpertRegion(FrozenRow):
    """Where readers together see what a step says, or (step is null) what the completion missed; film pixels.

    The four `tolerance` edges are the spread of their boxes, null of one reader.
    """

    dataset = models.ForeignKey(PreferenceDataset, on_delete=models.PROTECT, related_name="regions")
    text = models.TextField()
    x_min = models.FloatField()
    y_min = models.FloatField()
    x_max = models.FloatField()
    y_max = models.FloatField()
    tolerance = ArrayField(models.FloatField(), size=4, null=True)
    is_models_own = models.BooleanField(help_text="it stands as the model drew it")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "position"], name="one_expert_region_per_position"),
            models.CheckConstraint(
                condition=Q(x_min__lt=F("x_max"), y_min__lt=F("y_max")), name="an_expert_region_has_an_area"
            ),
        ]


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
    abouts = models.JSONField(
        default=list,
        help_text="of each attempt: sha256 of parent and examples, and the environment; see run_recipe",
    )
    step = models.PositiveIntegerField(default=0)
    num_steps = models.PositiveIntegerField()
    engine = models.CharField(max_length=5, choices=[(name, name) for name in ENGINES], default=LOCAL)
    placement = models.JSONField(
        default=dict, help_text="workers, GPUs and retries: rl_feedback.engines.placement.Placement as JSON"
    )
    cluster_job = models.CharField(
        max_length=36, blank=True, help_text="the run's name on the cluster while a job may run there for it"
    )
    retries = models.JSONField(default=list, help_text="why the engine began it again, in a sentence each")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(engine__in=ENGINES), name="a_run_names_its_engine"),
            models.CheckConstraint(
                condition=Q(engine=RAY) | Q(cluster_job=""), name="only_a_run_on_the_cluster_has_a_job_there"
            ),
        ]

    @property
    def place(self) -> Placement:
        """Where it learns and with how many workers; one process of the worker where nothing was said."""
        return Placement.from_json({"engine": self.engine, **self.placement})

    @property
    def about(self) -> dict[str, Any]:
        """Under what the latest attempt ran; nothing before the first."""
        return dict(self.abouts[-1]) if self.abouts else {}


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


class TrainingSample(models.Model):
    """What the model wrote of a film after a step; see rl_feedback.training.figures.TakenSample."""

    class Kind(models.TextChoices):
        HELD_OUT = "held_out", "of a film that nothing is learned from"
        BEST = "best", "the best attempt"
        WORST = "worst", "the worst attempt"

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="samples")
    step = models.PositiveIntegerField()
    stage = models.PositiveSmallIntegerField(default=0, help_text="its place in the recipe, from 0")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="+")
    prompt = models.TextField()
    text = models.TextField()
    model_width = models.PositiveIntegerField(help_text="of the image that the model saw")
    model_height = models.PositiveIntegerField()
    reward = models.FloatField(null=True, help_text="of an attempt")
    parts = models.JSONField(default=dict, help_text="of its reward, by name")

    class Meta:
        ordering = ["step", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step", "kind", "instance"], name="one_sample_per_film_and_step"
            )
        ]


class HandOver(LeasedJob):
    """A bundle that left for a cluster, and the run on it once a model came back: rl_feedback.bundle.

    A worker writes its archive; one that a command wrote to a folder of its own is done from the start.
    """

    dataset = models.ForeignKey(PreferenceDataset, on_delete=models.PROTECT, related_name="hand_overs")
    parent_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the bundle's manifest, once written")
    reward = models.CharField(max_length=8, help_text="one of rl_feedback.bundle.REWARDS")
    num_train = models.PositiveIntegerField()
    num_validation = models.PositiveIntegerField()
    num_kept_back = models.PositiveIntegerField(
        default=0, help_text="films whose licence lets nothing of them leave"
    )
    num_written = models.PositiveIntegerField(default=0, help_text="films so far, of both sides")
    archive_bytes = models.PositiveBigIntegerField(null=True, help_text="null where none lies here")
    run = models.OneToOneField(
        TrainingRun, null=True, on_delete=models.PROTECT, related_name="hand_over", help_text="once returned"
    )
    metrics = models.JSONField(default=dict, help_text="what came back with the model")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=JobState.DONE) | ~Q(sha256=""), name="a_written_bundle_has_its_sha256"
            ),
        ]

    @property
    def num_films(self) -> int:
        return self.num_train + self.num_validation


class ModelReturn(LeasedJob):
    """A folder in settings.RETURN_FOLDER that a worker takes back as a candidate."""

    folder = models.CharField(max_length=255, help_text="its name in the folder of what came back")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    candidate = models.OneToOneField(
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="+", help_text="once taken back"
    )


class GateDecision(PublicModel):
    """Candidate beside parent on held-out phantoms: passed or held, and the figure that decided. One that
    writes what its parent writes, word for word, got worse in nothing: it may serve, with a warning.

    `parent` is the version that it was compared with: the one that it was trained from, or the one that
    served when a person had it measured."""

    class Outcome(models.TextChoices):
        PASSED = "passed"
        UNCHANGED = "unchanged", "Nothing changed"
        HELD = "held"

    candidate = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="gate_decisions")
    parent = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    evaluations = models.ManyToManyField(
        Evaluation, related_name="+", help_text="of both versions, on every benchmark of the gate"
    )
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    policy = models.JSONField(help_text="rl_feedback.gate.Policy as JSON: what is guarded, by which margin")
    comparisons = models.JSONField(help_text="per figure: parent, candidate, difference, interval, verdict")
    sentence = models.TextField(help_text="which figure decided, for a person")
    absent = models.JSONField(
        default=dict, blank=True, help_text="of what could not be measured, by its suite: why not"
    )
    changed = models.JSONField(
        null=True,
        help_text="feedback.changed_cases.Changed as JSON; null where nothing was compared",
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["candidate", "parent"], name="the_gate_decides_once_on_two_versions"
            ),
        ]

    @property
    def may_serve(self) -> bool:
        return self.outcome != self.Outcome.HELD

    @property
    def mark(self) -> str:
        """The class of a chip or banner that shows it."""
        return {self.Outcome.PASSED: "good", self.Outcome.UNCHANGED: "warn"}.get(
            self.Outcome(self.outcome), "bad"
        )


class GateRequest(PublicModel):
    """A person has a version measured by the gate beside the one that served then. A trained version is
    measured beside its parent without one."""

    candidate = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="gate_requests")
    beside = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["candidate", "beside"], name="two_versions_are_measured_once"),
            models.CheckConstraint(
                condition=~Q(candidate=F("beside")), name="no_version_is_measured_beside_itself"
            ),
        ]


class GatePolicy(PublicModel):
    """One version of what the gate guards. The newest counts; none is changed or taken away, by a trigger."""

    number = models.PositiveIntegerField(unique=True)
    policy = models.JSONField(help_text="rl_feedback.gate.Policy as JSON")
    note = models.TextField(help_text="why it was made")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name_plural = "gate policies"
        constraints = [
            models.CheckConstraint(condition=~Q(note=""), name="a_policy_says_why_it_was_made"),
        ]

    def __str__(self) -> str:
        return f"policy {self.number}"


class Promotion(PublicModel):
    """Who let a version serve, when, in place of which one, and why."""

    class Kind(models.TextChoices):
        PROMOTED = "promoted"
        ROLLED_BACK = "rolled_back"

    kind = models.CharField(max_length=11, choices=Kind.choices)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    replaced = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, help_text="of a roll-back none is asked")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="rolled_back") | ~Q(reason=""), name="a_promotion_is_signed_with_a_reason"
            ),
        ]
