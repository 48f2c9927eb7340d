"""Studies and patients that are taken out for good: why, how far it is, what went, what had used them; and
what is taken out together because it may be kept no longer."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import JobState, LeasedJob


class Erasure(LeasedJob):
    """One study, or all of one patient. Its rows go together in one transaction, their files after it; what
    was done stands here without a name.

    `found` is what was counted when it was asked for, `gone` what went: by the names in `rows.KINDS`.
    """

    class Kind(models.TextChoices):
        STUDY = "study", "one study"
        PATIENT = "patient", "all studies of a patient"

    class Why(models.TextChoices):
        WITHDRAWN = "withdrawn", "the patient asked, or withdrew consent"
        RETENTION = "retention", "it may be kept no longer"
        AGREEMENT = "agreement", "its agreement has ended"
        IDENTITY = "identity", "it tells who the patient is"
        MISTAKE = "mistake", "it came in by mistake"
        OTHER = "other", "another reason"

    kind = models.CharField(max_length=7, choices=Kind.choices)
    why = models.CharField(max_length=9, choices=Why.choices)
    note = models.CharField(max_length=300, blank=True, help_text="why, in words, without names")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    patient_pseudonym = models.CharField(
        max_length=16, blank=True, help_text="of whom all goes; empty once it is gone, and for one study"
    )
    found = models.JSONField(default=dict)
    gone = models.JSONField(default=dict)
    erased_at = models.DateTimeField(null=True, help_text="when its rows went, all of them together")
    num_files = models.PositiveIntegerField(default=0, help_text="files and folders to be deleted, in all")
    let_in_at = models.DateTimeField(null=True, help_text="since then it may come in again")
    let_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=JobState.DONE) | Q(erased_at__isnull=False, patient_pseudonym=""),
                name="a_done_erasure_names_no_patient",
            ),
            models.CheckConstraint(
                condition=~Q(state=JobState.CANCELLED) | Q(erased_at__isnull=True),
                name="no_erasure_is_cancelled_once_its_rows_are_gone",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)


class ErasedStudy(models.Model):
    """A study that goes, or is gone, by the platform's own random name of it."""

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="studies")
    study_uid = models.UUIDField(db_index=True)

    class Meta:
        verbose_name_plural = "erased studies"
        constraints = [
            models.UniqueConstraint(fields=["erasure", "study_uid"], name="a_study_is_erased_once"),
        ]

    @property
    def label(self) -> str:
        """As screens named it."""
        return f"S-{self.study_uid.hex[:8]}"


class FileToDelete(models.Model):
    """A file or folder that goes once the rows are gone. Its own row goes with it, so a worker that takes
    the erasure up again knows what is left."""

    class Folder(models.TextChoices):
        FILMS = "films", "films and their small pictures"
        ARCHIVES = "archives", "archives that were kept to be tried again"
        MESSAGES = "messages", "messages that programs left, and what these were told"
        RUNS = "runs", "what training runs learned from, as files"
        CLUSTER = "cluster", "the same on storage shared with a cluster"

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="files")
    folder = models.CharField(max_length=8, choices=Folder.choices)
    path = models.CharField(max_length=300, help_text="below the folder")

    class Meta:
        verbose_name_plural = "files to delete"


class NamedUse(models.Model):
    """What had used an erased study, by name: it stays, and a person decides what becomes of it."""

    class Kind(models.TextChoices):
        READER_STUDY = "reader_study", "reader study"
        COLLECTION = "collection", "collection"
        DATA_SET = "data_set", "frozen data set"
        TRAINING_RUN = "training_run", "training run"
        MODEL = "model", "model version"
        BUNDLE = "bundle", "bundle for a cluster"
        EXPORT = "export", "export"

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="uses")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    uid = models.UUIDField()
    name = models.CharField(max_length=200)
    said = models.CharField(max_length=300, help_text="how it used it, a sentence")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["erasure", "kind", "uid"], name="a_use_is_named_once"),
        ]


class RetentionBatch(LeasedJob):
    """Studies that were due when an admin said that they go: the longest due first. They are erased one by
    one, each as an erasure of its own."""

    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    as_of = models.DateTimeField(help_text="due by this moment")

    class Meta:
        verbose_name_plural = "retention batches"

    def __str__(self) -> str:
        return str(self.uid)


class BatchedStudy(models.Model):
    """A study of a batch, by the platform's own random name of it. `said`: why it was not erased."""

    batch = models.ForeignKey(RetentionBatch, on_delete=models.CASCADE, related_name="studies")
    study_uid = models.UUIDField()
    due_at = models.DateTimeField()
    because = models.CharField(max_length=300, help_text="as the rule said it")
    erasure = models.ForeignKey(Erasure, null=True, on_delete=models.PROTECT, related_name="+")
    said = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "batched studies"
        constraints = [
            models.UniqueConstraint(fields=["batch", "study_uid"], name="a_study_is_in_a_batch_once"),
            models.CheckConstraint(
                condition=Q(erasure__isnull=True) | Q(said=""), name="what_is_erased_has_no_hindrance"
            ),
        ]

    @property
    def label(self) -> str:
        """As screens named it."""
        return f"S-{self.study_uid.hex[:8]}"
