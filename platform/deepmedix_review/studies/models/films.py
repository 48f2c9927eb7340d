"""The de-identified DICOM tree, where its pixels lie, and what became of every file that came in."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import PublicModel
from deepmedix_review.studies.intake.odd import KIND_NAMES
from deepmedix_review.studies.intake.profiles import PROFILES
from deepmedix_review.studies.models.sources import SourceDataset


class Study(PublicModel):
    """One imaging study of one patient, under keyed UIDs and a pseudonym.

    `held`: an odd file waits for an admin's decision and reaches no reader, worker or export until then.
    `unseen`: a name may be written on a film of it, or a reader saw one, so it reaches none of them until a
    person has looked.
    """

    class State(models.TextChoices):
        READY = "ready"
        UNSEEN = "unseen"
        HELD = "held"
        REJECTED = "rejected"

    study_instance_uid = models.CharField(max_length=64, unique=True)
    patient_pseudonym = models.CharField(max_length=16, db_index=True)
    study_date = models.DateField(
        null=True,
        help_text="shifted by the patient's own amount: days between studies of one patient alone are true. "
        "Null where the profile of its first film removes dates",
    )
    order_date = models.DateField(
        null=True,
        help_text="shifted likewise, whatever the profile: it puts the studies of one patient in order, and "
        "is told to nobody",
    )
    patient_sex = models.CharField(max_length=16, blank=True, default="", help_text="as its first film says")
    state = models.CharField(max_length=8, choices=State.choices, default=State.READY)
    held_reasons = models.JSONField(default=list, help_text="sentences for the admin who decides")
    held_for = models.CharField(
        max_length=10,
        blank=True,
        default="",
        choices=[(kind.value, name) for kind, name in KIND_NAMES.items()],
        help_text="the gravest kind of its reasons",
    )
    is_phantom = models.BooleanField(default=False, help_text="drawn by the platform, of nobody")
    source = models.ForeignKey(
        SourceDataset,
        null=True,
        on_delete=models.PROTECT,
        related_name="studies",
        help_text="the data set that it came with; null for what was brought in as single films",
    )
    name_seen_at = models.DateTimeField(
        null=True, help_text="ticked on the sheet: a name is written on it; until unticked nothing lets it in"
    )
    name_seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    looked_at = models.DateTimeField(null=True, help_text="when a person last looked for names on its films")
    looked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                condition=Q(name_seen_at__isnull=True) | Q(state="unseen"),
                name="no_study_with_a_name_ticked_on_it_is_let_in",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"]),
            models.Index(fields=["patient_pseudonym", "order_date"], name="studies_of_a_patient_in_order"),
            models.Index(fields=["study_date"], name="studies_by_date"),
            models.Index(fields=["created_at"], name="studies_by_arrival"),
            models.Index(fields=["held_for", "-id"], condition=Q(state="held"), name="held_studies_by_kind"),
            models.Index(fields=["patient_sex", "-id"], name="studies_by_sex"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The blinded name that screens show."""
        return f"S-{self.uid.hex[:8]}"


class Series(PublicModel):
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="series")
    series_instance_uid = models.CharField(max_length=64, unique=True)
    modality = models.CharField(max_length=16)

    class Meta:
        verbose_name_plural = "series"
        indexes = [models.Index(fields=["modality"])]

    @property
    def shown_modality(self) -> str:
        """A PNG or JPEG names none: its display file says OT, other."""
        return "picture" if self.modality == "OT" else self.modality


class Instance(PublicModel):
    """One film: its display file is a de-identified DICOM object in a fast lossless syntax.

    Sizes in pixels; spacing in mm per pixel, row then column, null where unknown.
    """

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="instances")
    sop_instance_uid = models.CharField(max_length=64, unique=True)
    sop_class_uid = models.CharField(max_length=64, blank=True, default="", help_text="of the display file")
    view_position = models.CharField(max_length=16, blank=True)
    body_part = models.CharField(max_length=16, blank=True)
    num_frames = models.PositiveIntegerField(default=1)
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    bits_allocated = models.PositiveSmallIntegerField(default=16)
    bits_stored = models.PositiveSmallIntegerField()
    photometric_interpretation = models.CharField(max_length=16)
    row_spacing_mm = models.FloatField(null=True)
    column_spacing_mm = models.FloatField(null=True)
    pixel_sha256 = models.CharField(
        max_length=64, db_index=True, help_text="of the decoded pixels and their geometry"
    )
    copy_of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="copies",
        help_text="the film that came first with the same pixels and other tags",
    )
    near_to = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="the film of another study that looked nearly the same when this one came",
    )
    picture_bands = ArrayField(
        models.IntegerField(),
        null=True,
        help_text="of its small picture (`intake.fingerprint`); empty for a blank film, null until a sweep "
        "has come to it",
    )
    profile = models.CharField(
        max_length=20,
        choices=[(name, name) for name in PROFILES],
        help_text="of de-identification, by which the display file was written",
    )
    masked_at = models.DateTimeField(
        null=True, help_text="when text in its pixels was last overwritten; null where none was"
    )
    file_path = models.CharField(max_length=200, help_text="of the display file, below settings.FILM_FOLDER")
    file_bytes = models.BigIntegerField()
    file_sha256 = models.CharField(max_length=64)
    file_missed_at = models.DateTimeField(
        null=True,
        help_text="when the display file was first not found or readable; null while it is there",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pixel_sha256"], condition=Q(copy_of__isnull=True), name="a_picture_is_stored_once"
            ),
        ]
        indexes = [
            models.Index(fields=["view_position"]),
            models.Index(fields=["sop_class_uid"], name="films_by_class"),
            GinIndex(fields=["picture_bands"], name="films_by_what_they_look_like"),
            models.Index(fields=["id"], condition=Q(picture_bands__isnull=True), name="films_without_bands"),
            models.Index(
                fields=["series"],
                condition=Q(file_missed_at__isnull=False),
                name="films_whose_file_is_missed",
            ),
        ]

    @property
    def study(self) -> Study:
        return self.series.study


class ImportBatch(PublicModel):
    """One upload, folder, archive, message over DICOMweb, association over the DICOM network or pull from a
    PACS, file by file."""

    class Source(models.TextChoices):
        UPLOAD = "upload", "upload"
        COMMAND = "command", "command"
        DEMO = "demo", "demo"
        STOW = "stow", "DICOMweb"
        LISTENER = "listener", "DICOM network"
        ARCHIVE = "archive", "archive"
        PACS = "pacs", "PACS"

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    source = models.CharField(max_length=8, choices=Source.choices)
    profile = models.CharField(
        max_length=20,
        choices=[(name, name) for name in PROFILES],
        help_text="of de-identification, by which its films come in",
    )

    @property
    def label(self) -> str:
        """Of a message that was waited for: it has no other name."""
        return f"M-{self.uid.hex[:8]}"


# Of what an import says of a film.
TO_LOOK_AT = "A name may be written on it: no reader and no model gets it until a person has looked."


class ImportItem(PublicModel):
    """What became of one file."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        HELD = "held"
        DUPLICATE = "duplicate"
        REFUSED = "refused"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="items", db_index=False)
    number = models.PositiveIntegerField(
        null=True,
        help_text="its place in the archive, or the pull, that a worker brings in; null elsewhere",
    )
    file_name = models.CharField(
        max_length=255, help_text="shown to the person who brought it in, nowhere else"
    )
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    reason = models.TextField(blank=True)
    instance = models.ForeignKey(Instance, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "number"],
                condition=Q(number__isnull=False),
                name="a_file_of_an_archive_is_judged_once",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "-id"], name="items_of_an_import"),
            models.Index(fields=["batch", "outcome", "-id"], name="items_of_an_outcome"),
        ]

    @property
    def reason_now(self) -> str:
        """Without what was said of a film that was still to be looked at, once a person has looked."""
        is_seen = self.instance is not None and self.instance.study.state != Study.State.UNSEEN
        return self.reason.removesuffix(TO_LOOK_AT).rstrip() if is_seen else self.reason

    @property
    def is_to_look_at(self) -> bool:
        """Accepted, and it reaches nobody before a person has looked for names on it."""
        if self.instance is None or self.outcome != self.Outcome.ACCEPTED:
            return False
        return self.instance.study.state == Study.State.UNSEEN
