"""What a model said of a study, and where on the image it points."""

from django.conf import settings
from django.db import models

from deepmedix_review.common.models import LeasedJob, PublicModel
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import CollectionVersion, Instance, Study


class Purpose(models.TextChoices):
    """Who waits for a completion: the first of these is answered first."""

    INTERACTIVE = "interactive", "a person waits for it"
    BATCH = "batch", "of a batch"
    EVALUATION = "evaluation", "for a measurement"


class InferenceBatch(LeasedJob):
    """A version asked about many studies at once, as one row.

    State, lease and attempts are those of the asking: a worker makes the jobs in chunks, from the newest
    study down to `asked_down_to`. `paused_at` and `cancelled_at` are a person's; `ended_at` is set once
    everything was asked and has ended, and `num_done` to `num_cancelled` are counted then, so that no list
    counts jobs of what is through.
    """

    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    collection = models.ForeignKey(
        CollectionVersion,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="null: every study",
    )
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=11, choices=Purpose.choices, default=Purpose.BATCH)
    query = models.TextField()
    num_samples = models.PositiveSmallIntegerField(help_text="of each study, by seeds one after another")
    temperature = models.FloatField()
    first_seed = models.PositiveIntegerField(default=1)
    asked_down_to = models.BigIntegerField(null=True, help_text="key of the last study that was asked about")
    num_studies = models.PositiveIntegerField(default=0, help_text="asked about so far")
    served_at = models.DateTimeField(null=True, help_text="when a worker last took jobs of it")
    paused_at = models.DateTimeField(null=True)
    resumed_at = models.DateTimeField(
        null=True, help_text="after the last pause, or tried again when through; its speed counts from here"
    )
    cancelled_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    num_done = models.PositiveIntegerField(default=0)
    num_failed = models.PositiveIntegerField(default=0)
    num_cancelled = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            # Of few rows, and asked at each claim.
            models.Index(
                fields=["requested_by"], condition=models.Q(ended_at=None), name="inference_batches_under_way"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(purpose="interactive"), name="nobody_waits_for_a_batch_at_a_page"
            )
        ]

    @property
    def last_seed(self) -> int:
        return self.first_seed + self.num_samples - 1


class InferenceJob(LeasedJob):
    """A wish for one completion; `content_key` is the same for the same pixels, model, prompt, sampling."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="inference_jobs")
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="+")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    purpose = models.CharField(max_length=11, choices=Purpose.choices, default=Purpose.INTERACTIVE)
    batch = models.ForeignKey(
        InferenceBatch, null=True, on_delete=models.PROTECT, related_name="jobs", db_index=False
    )
    query = models.TextField()
    temperature = models.FloatField()
    seed = models.BigIntegerField()
    content_key = models.CharField(max_length=64, unique=True)
    num_tokens = models.PositiveIntegerField(default=0, help_text="so far")
    max_new_tokens = models.PositiveIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["state", "lease_expires_at"]),
            # Who is next of those that a person waits for, and of each batch.
            models.Index(
                fields=["id"],
                condition=models.Q(state="queued", purpose="interactive"),
                name="inference_a_person_waits_for",
            ),
            models.Index(
                fields=["batch", "created_at", "id"],
                condition=models.Q(state="queued"),
                name="inference_queued_of_a_batch",
            ),
            # How far a batch is, and how fast.
            models.Index(fields=["batch", "state", "finished_at"], name="inference_of_a_batch"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose="interactive") | models.Q(batch__isnull=False),
                name="what_nobody_waits_for_is_of_a_batch",
            )
        ]

    @property
    def sample(self) -> str:
        return _sample(self)


class InferenceWorker(PublicModel):
    """A process that answers, as it says of itself every few seconds: see `reasoning.workers`.

    `drains_until`: it takes nothing more, and what it has begun ends by then. No constraint binds the
    version: a beat must wait for nobody.
    """

    name = models.CharField(max_length=200, help_text="INFERENCE-WORKER@MACHINE, as Celery calls it")
    model_version = models.ForeignKey(
        ModelVersion,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        help_text="which it answered with last",
    )
    num_running = models.PositiveIntegerField(default=0)
    num_answered = models.PositiveIntegerField(default=0, help_text="since it started")
    num_remembered = models.PositiveIntegerField(
        default=0, help_text="of these, without looking at the film again"
    )
    unfit = models.JSONField(default=dict, help_text="by a version's key why it can't run it, in a sentence")
    seen_at = models.DateTimeField()
    drains_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "pk"]

    @property
    def problem(self) -> str:
        return " ".join(self.unfit.values())


class WaitingCancel(LeasedJob):
    """A person ended all that waited when they asked, whoever had asked for it: a worker does so in chunks,
    the newest first. `up_to`: the key of the newest that waited then."""

    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    up_to = models.BigIntegerField()
    num_wanted = models.PositiveIntegerField(help_text="that waited when it was asked")
    num_done = models.PositiveIntegerField(default=0, help_text="ended so far")

    class Meta:
        indexes = [models.Index(fields=["state", "lease_expires_at"])]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(state__in=("queued", "running")),
                name="one_cancel_of_what_waits_at_a_time",
            )
        ]


class UnfinishedText(models.Model):
    """What an attempt at a running job has written so far, for who looks on: see `reasoning.unfinished`.

    The table is UNLOGGED: written a few times a second, and empty after a crash of the database.
    """

    job = models.OneToOneField(InferenceJob, primary_key=True, on_delete=models.CASCADE, related_name="+")
    attempt = models.PositiveSmallIntegerField()
    text = models.TextField()
    model_width = models.PositiveIntegerField()
    model_height = models.PositiveIntegerField()
    written_at = models.DateTimeField()


class CompletionsAsWritten(models.Manager["Completion"]):
    """What models really said. Every list, export and data set starts here, so that none takes a control."""

    def get_queryset(self) -> models.QuerySet["Completion"]:
        return super().get_queryset().filter(alteration="")


class Completion(PublicModel):
    """A model's raw text and what the parser read in it. Never changed after it was recorded.

    An altered copy is a control case's: it tests readers, and only `with_altered` finds it.
    """

    class Alteration(models.TextChoices):
        WRONG_REGION = "wrong_region", "a region moved to a wrong place"
        FOREIGN_SENTENCE = "foreign_sentence", "a sentence of another case"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="completions")
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="+")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="completions")
    job = models.OneToOneField(InferenceJob, null=True, on_delete=models.SET_NULL, related_name="completion")
    content_key = models.CharField(max_length=64, unique=True)
    query = models.TextField()
    prompt = models.TextField(help_text="the whole text that the model was given")
    text = models.TextField()
    answer = models.TextField(blank=True)
    problems = models.JSONField(default=list, help_text="what the parser could not read, by name")
    temperature = models.FloatField()
    seed = models.BigIntegerField()
    num_tokens = models.PositiveIntegerField()
    seconds = models.FloatField()
    image_width = models.PositiveIntegerField(help_text="of the film, pixels")
    image_height = models.PositiveIntegerField()
    model_width = models.PositiveIntegerField(help_text="of the image as the model saw it, pixels")
    model_height = models.PositiveIntegerField()
    alteration = models.CharField(max_length=16, choices=Alteration.choices, blank=True)
    altered_from = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="altered_copies"
    )

    objects = CompletionsAsWritten()
    with_altered = models.Manager["Completion"]()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    models.Q(alteration="", altered_from=None)
                    | (~models.Q(alteration="") & models.Q(altered_from__isnull=False))
                ),
                name="an_altered_completion_names_its_original",
            )
        ]

    @property
    def is_malformed(self) -> bool:
        return bool(self.problems)

    @property
    def sample(self) -> str:
        return _sample(self)


def _sample(one: InferenceJob | Completion) -> str:
    """Its seed, and its temperature where that is not its version's own."""
    is_own = one.temperature == one.model_version.temperature
    return str(one.seed) if is_own else f"{one.seed} at temperature {one.temperature:g}"


class ReasoningStep(PublicModel):
    completion = models.ForeignKey(Completion, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(help_text="1, 2, 3 …")
    text = models.TextField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["completion", "position"], name="one_step_per_position")
        ]


class Region(PublicModel):
    """A pixel box that a step cites: film pixels, edges not centres, and the box as the model wrote it."""

    step = models.ForeignKey(ReasoningStep, on_delete=models.CASCADE, related_name="regions")
    position = models.PositiveSmallIntegerField(help_text="1, 2, 3 … within the step")
    x_min = models.FloatField()
    y_min = models.FloatField()
    x_max = models.FloatField()
    y_max = models.FloatField()
    model_box = models.JSONField(help_text="[x_min, y_min, x_max, y_max] as written by the model")
    problem = models.CharField(
        max_length=40, blank=True, help_text="outside_image, no_area, inverted, whole_image; else empty"
    )

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["step", "position"], name="one_region_per_position")]
