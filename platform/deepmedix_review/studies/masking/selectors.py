"""Finds what became of text that was to be overwritten."""

from collections.abc import Sequence

from django.db.models import QuerySet

from deepmedix_review.common.models import JobState
from deepmedix_review.studies.models import Instance, TextMasking

OPEN = (JobState.QUEUED, JobState.RUNNING)
# Such a one has replaced nothing.
ENDED_WITHOUT = (JobState.FAILED, JobState.CANCELLED)


def latest_masking(film: Instance) -> TextMasking | None:
    return film.maskings.select_related("requested_by").order_by("-pk").first()


def same_with_text(film: Instance) -> list[Instance]:
    """Films under other tags that still show what this one did before its text was overwritten."""
    before = film.masked_pictures.values("pixel_sha256")
    same = Instance.objects.filter(pixel_sha256__in=before).exclude(pk=film.pk)
    return list(same.select_related("series__study").order_by("pk"))


def open_maskings(studies: Sequence[int]) -> QuerySet[TextMasking]:
    """Of films of these studies, those that no worker has ended."""
    return TextMasking.objects.filter(film__series__study__in=studies, state__in=OPEN)
