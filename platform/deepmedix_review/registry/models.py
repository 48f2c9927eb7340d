"""Every model version: where it lies, how it is asked, what it came from, and which one serves."""

from django.db import models
from django.db.models import F, Q

from deepmedix_review.common.models import PublicModel


class BoxFrame(models.TextChoices):
    """The frame in which a model writes its boxes; see `inference.regions`."""

    PROCESSED = "processed"
    INPUT = "input"
    NORM1000 = "norm1000"
    NORM100 = "norm100"
    NORM1 = "norm1"


class ImagePreparation(models.TextChoices):
    """How a film becomes the model's image; see `inference.regions.Preparation`."""

    ASPECT = "aspect"
    SQUARE = "square"


class ModelVersion(PublicModel):
    class State(models.TextChoices):
        CANDIDATE = "candidate"
        SERVING = "serving"
        RETIRED = "retired"

    name = models.CharField(max_length=80)
    number = models.PositiveIntegerField(unique=True, help_text="v1, v2 … in order of registration")
    state = models.CharField(max_length=9, choices=State.choices, default=State.CANDIDATE)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    folder = models.CharField(max_length=500, help_text="of the weights, absolute")
    sha256 = models.CharField(
        max_length=64, help_text="of the folder's files, see inference.engines.folder_sha256"
    )
    licence = models.CharField(max_length=80)
    box_frame = models.CharField(max_length=9, choices=BoxFrame.choices)
    prompt_template = models.CharField(max_length=40, help_text="a key of inference.prompts.TEMPLATES")
    max_pixels = models.PositiveIntegerField(help_text="area budget of the image, in pixels")
    min_pixels = models.PositiveIntegerField()
    image_preparation = models.CharField(
        max_length=6, choices=ImagePreparation.choices, default=ImagePreparation.ASPECT
    )
    temperature = models.FloatField()
    max_new_tokens = models.PositiveIntegerField()
    card = models.JSONField(default=dict, help_text="the model card's measured figures")
    promoted_at = models.DateTimeField(null=True, help_text="when it last began to serve")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="serving"), name="one_model_serves"),
            # So no version descends from itself.
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | Q(parent__lt=F("id")),
                name="a_parent_was_registered_before",
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"
