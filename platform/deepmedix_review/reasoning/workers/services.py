"""Forgets workers that left long ago."""

from datetime import timedelta

from django.utils import timezone

from deepmedix_review.reasoning.models import InferenceWorker

KEPT_AFTER = timedelta(days=1)


def forget_gone() -> None:
    """They are plumbing: what they did stands in jobs and completions."""
    InferenceWorker.objects.filter(seen_at__lt=timezone.now() - KEPT_AFTER).delete()
