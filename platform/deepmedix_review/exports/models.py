"""Data sets that leave the platform: what was asked for, how far it is, and what was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import JobState, LeasedJob
from deepmedix_review.feedback.models import PreferenceDataset

CSV, JSONL, PARQUET, COCO, PICTURES, SR, GSPS = "csv", "jsonl", "parquet", "coco", "pictures", "sr", "gsps"
# Those that every table is written in; the others have one file of a folder.
TABULAR = (CSV, JSONL, PARQUET)
# Those that have an object of DICOM for each reading and output.
DICOM = (SR, GSPS)
FORMATS = (*TABULAR, COCO, PICTURES, *DICOM)
# Of a frozen data set, and of nothing else.
HUGGING_FACE = "hugging_face"


@dataclass(frozen=True)
class WrittenFile:
    """A file of an export: its name in the archive, and what is known of it. Pictures are in the archive one
    by one, and in a file together while it is written.

    `left_out`: what only writing it showed to be not there, how often by the reason.
    """

    name: str
    sha256: str
    num_rows: int
    num_bytes: int
    attempt: int
    left_out: Mapping[str, int] = field(default_factory=dict)


class Export(LeasedJob):
    """Signed readings as of one moment in the formats asked, or a frozen data set as a folder for Hugging
    Face's libraries, in one archive; same request, same bytes.

    `files` are those that are whole, by name; a worker that takes the export up again keeps them where
    `basis` is still what they were written of.
    """

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reader_studies = ArrayField(
        models.UUIDField(), null=True, help_text="their uids in order; null, all of them"
    )
    data_set = models.ForeignKey(
        PreferenceDataset,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the frozen one that leaves; null, signed readings",
    )
    as_of = models.DateTimeField(help_text="readings signed up to this moment")
    formats = ArrayField(models.CharField(max_length=12))
    data_use = models.TextField(help_text="what the data may be used for, a sentence")
    num_total = models.PositiveBigIntegerField(
        default=0, help_text="readings and cases, once for each file, or films"
    )
    num_done = models.PositiveBigIntegerField(default=0, help_text="of them, so far")
    num_rows = models.PositiveBigIntegerField(default=0, help_text="rows written so far")
    basis = models.CharField(max_length=64, blank=True, help_text="sha256 of which readings are in it")
    files = models.JSONField(default=dict, help_text="name to sha256, num_rows, num_bytes, attempt, left_out")
    left_out = models.JSONField(default=list, help_text="what is not in it, and how often")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the archive, once written")
    archive_bytes = models.PositiveBigIntegerField(null=True, help_text="null where none lies here")
    expires_at = models.DateTimeField(null=True, help_text="when the archive is deleted")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=JobState.DONE) | ~Q(sha256=""), name="a_written_export_has_its_sha256"
            ),
            models.CheckConstraint(condition=~Q(data_use=""), name="an_export_says_what_it_may_be_used_for"),
            models.CheckConstraint(
                condition=Q(data_set__isnull=False, formats=[HUGGING_FACE])
                | Q(data_set__isnull=True) & ~Q(formats__contains=[HUGGING_FACE]),
                name="a_data_set_leaves_as_one_folder",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(archive_bytes__isnull=False),
                name="archives_by_their_end",
            )
        ]

    @property
    def as_of_iso(self) -> str:
        """To the microsecond: another moment is another request."""
        return self.as_of.isoformat()

    @property
    def file_name(self) -> str:
        return f"export-{self.sha256[:12]}.zip"

    @property
    def written(self) -> tuple[WrittenFile, ...]:
        return tuple(WrittenFile(name, **about) for name, about in sorted(self.files.items()))
