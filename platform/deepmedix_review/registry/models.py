"""Every model version: where it lies, how it is asked, what it came from, and which one serves."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from deepmedix_review.common.models import LeasedJob, PublicModel
from inference.dialects import Dialect


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
    CROP = "crop"
    PAD = "pad"


class ModelVersion(PublicModel):
    class State(models.TextChoices):
        CANDIDATE = "candidate"
        SERVING = "serving"
        RETIRED = "retired"

    class Source(models.TextChoices):
        """Where its model is."""

        FOLDER = "folder"
        ENDPOINT = "endpoint"
        RECORDED = "recorded"

    name = models.CharField(max_length=80)
    number = models.PositiveIntegerField(unique=True, help_text="v1, v2 … in order of registration")
    state = models.CharField(max_length=9, choices=State.choices, default=State.CANDIDATE)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.FOLDER)
    folder = models.CharField(max_length=500, blank=True, help_text="of the weights, absolute")
    sha256 = models.CharField(
        max_length=64,
        help_text="of the folder's files, see inference.engines.folder_sha256; else of what names the model",
    )
    endpoint_url = models.CharField(max_length=500, blank=True, help_text="where a model server's API begins")
    served_model = models.CharField(
        max_length=200, blank=True, help_text="its name at that server, or in the file"
    )
    key_name = models.CharField(
        max_length=340,
        blank=True,
        help_text="a file in ENDPOINT_KEY_FOLDER, below its server's host and port",
    )
    hub_id = models.CharField(
        max_length=200,
        blank=True,
        help_text="of its files at Hugging Face, owner/name, as whoever registered them says",
    )
    hub_revision = models.CharField(max_length=40, blank=True, help_text="the commit that was fetched there")
    licence = models.CharField(max_length=80)
    limits = models.TextField(blank=True, help_text="what the licence asks for or forbids, in a sentence")
    preset = models.CharField(max_length=40, help_text="a key of inference.presets.PRESETS")
    dialect = models.CharField(
        max_length=10,
        choices=[(dialect.value, dialect.value) for dialect in Dialect],
        help_text="how it writes boxes and answers, by which its completions are read",
    )
    box_frame = models.CharField(max_length=9, choices=BoxFrame.choices)
    prompt_template = models.CharField(max_length=40, help_text="a key of inference.prompts.TEMPLATES")
    prompt_version = models.PositiveSmallIntegerField(help_text="of that template")
    max_pixels = models.PositiveIntegerField(help_text="area budget of the image, in pixels")
    min_pixels = models.PositiveIntegerField()
    image_preparation = models.CharField(
        max_length=6, choices=ImagePreparation.choices, default=ImagePreparation.ASPECT
    )
    size_multiple = models.PositiveSmallIntegerField(help_text="divides the sides of the image")
    temperature = models.FloatField()
    max_new_tokens = models.PositiveIntegerField()
    card = models.JSONField(default=dict, help_text="the model card's measured figures")
    promoted_at = models.DateTimeField(null=True, help_text="when it last began to serve")
    returned_from_at = models.DateTimeField(
        null=True, help_text="when a roll-back last took its place; null again once it is promoted"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="serving"), name="one_model_serves"),
            # So no version descends from itself.
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | Q(parent__lt=F("id")),
                name="a_parent_was_registered_before",
            ),
            models.CheckConstraint(
                condition=(
                    Q(source="folder", endpoint_url="", served_model="") & ~Q(folder="")
                    | Q(source="endpoint", folder="") & ~Q(endpoint_url="") & ~Q(served_model="")
                    | Q(source="recorded", folder="", endpoint_url="") & ~Q(served_model="")
                ),
                name="a_version_says_where_its_model_is",
            ),
            models.CheckConstraint(
                condition=Q(hub_id="", hub_revision="") | ~Q(hub_id="") & ~Q(hub_revision=""),
                name="a_hugging_face_id_has_its_revision",
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"

    @property
    def sha256_of(self) -> str:
        """Of what its sha256 is."""
        match self.Source(self.source):
            case self.Source.ENDPOINT:
                return "model name and revision" if self.hub_id else "model name"
            case self.Source.RECORDED:
                return "file"
        return "weights"


class CodeAllowance(PublicModel):
    """An admin's word that the code which a version's folder brings may run here. One that was taken back
    stays as a record."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="code_allowances")
    sha256 = models.CharField(max_length=64, help_text="of the folder's files, code and weights")
    code_sha256 = models.CharField(max_length=64, help_text="of its code alone, as it was read")
    allowed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(revoked_at=None), name="one_allowance_of_a_version_stands"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="who_took_an_allowance_back_is_known",
            ),
        ]


class ModelJob(LeasedJob):
    """What a worker does for a version: it takes a folder in, or asks the version about drawn films.

    `wanted` is how a folder shall be registered, `result` what was answered.
    """

    class Kind(models.TextChoices):
        REGISTER = "register"
        ASK = "ask"
        CALIBRATE = "calibrate"

    kind = models.CharField(max_length=9, choices=Kind.choices)
    version = models.ForeignKey(
        ModelVersion, null=True, on_delete=models.PROTECT, related_name="jobs", help_text="once there is one"
    )
    folder = models.CharField(max_length=200, blank=True, help_text="its name in INCOMING_MODEL_FOLDER")
    wanted = models.JSONField(default=dict, help_text="see registry.wanted.WantedVersion")
    result = models.JSONField(default=dict, help_text="see registry.checking")
    num_done = models.PositiveBigIntegerField(default=0, help_text="bytes copied, or films answered")
    num_wanted = models.PositiveBigIntegerField(default=0)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["state", "lease_expires_at"])]
