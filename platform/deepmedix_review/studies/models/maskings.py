"""Text in the pixels of films that an admin has overwritten: where, by whom, and what the film was before."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from deepmedix_review.common.models import LeasedJob
from deepmedix_review.studies.models.films import Instance


class TextMasking(LeasedJob):
    """Boxes of one film that a worker overwrites. Once it is done the film has another file; the one before
    is deleted right after, and by the next sweep where that was interrupted."""

    film = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="maskings")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    boxes = models.JSONField(
        help_text="each x_min, y_min, x_max, y_max: whole pixels, the last two behind its last column and row"
    )
    is_to_accept = models.BooleanField(help_text="its study is accepted once it is done")
    newest_film = models.BigIntegerField(
        help_text="primary key of the study's newest film when it was asked for: what came later nobody has "
        "looked at"
    )
    written_path = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="of the file that it writes, below settings.FILM_FOLDER, told before it is there; empty "
        "where it ended without, and nothing of it is left",
    )
    original_path = models.CharField(
        max_length=200, blank=True, default="", help_text="of the file before it; empty once that is deleted"
    )
    outcome = models.TextField(
        blank=True, default="", help_text="why its study was not accepted, in a sentence for a person"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["film"],
                condition=Q(state__in=("queued", "running")),
                name="text_on_a_film_is_masked_once_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                condition=~Q(original_path="") | Q(state__in=("queued", "running")),
                name="maskings_not_done_with",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def num_boxes(self) -> int:
        return len(self.boxes)

    @property
    def is_original_deleted(self) -> bool:
        return self.state == "done" and not self.original_path


class MaskedPicture(models.Model):
    """The pixels of a film before text on it was overwritten, by their digest: the same picture is known when
    it comes in again, though nothing else of it is left."""

    film = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="masked_pictures")
    pixel_sha256 = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["film", "pixel_sha256"], name="a_masked_picture_is_known_once"),
        ]
