"""How fast a batch is answered, and how long the rest of it takes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.batches import services
from deepmedix_review.reasoning.batches.selectors import progress_of
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob
from tests.deepmedix_review.reasoning.some_batches import batch_with
from tests.factories.jobs import BatchedJobFactory

pytestmark = pytest.mark.django_db


def test_the_pace_of_the_last_minutes_says_how_long_the_rest_takes() -> None:
    batch = batch_with(queued=30)
    now = timezone.now()
    for seconds in range(0, 61, 6):
        BatchedJobFactory.create(
            batch=batch, state=JobState.DONE, finished_at=now - timedelta(seconds=seconds)
        )
    BatchedJobFactory.create(batch=batch, state=JobState.DONE, finished_at=now - timedelta(hours=1))
    (progress,) = progress_of([batch])
    assert progress.per_minute == pytest.approx(10, rel=0.05)
    assert progress.minutes_left == 3
    services.pause_batch(batch, actor=batch.requested_by)
    (progress,) = progress_of([batch])
    assert (progress.phase, progress.minutes_left) == ("paused", None)


def test_what_is_tried_again_later_is_no_slower() -> None:
    batch, now = batch_with(failed=5), timezone.now()
    for seconds in range(0, 61, 6):
        finished_at = now - timedelta(minutes=2, seconds=seconds)
        BatchedJobFactory.create(batch=batch, state=JobState.DONE, finished_at=finished_at)
    services.end_through()
    batch.refresh_from_db()
    assert batch.ended_at
    InferenceJob.objects.filter(batch=batch, state=JobState.FAILED).update(error="It ended.")
    services.retry_failures(batch, reason="It ended.", actor=batch.requested_by)
    batch.refresh_from_db()
    assert progress_of([batch])[0].per_minute is None


def test_a_pause_is_no_slower_pace() -> None:
    """One of 20 minutes, after 11 completions within the minute before it."""
    batch, now = batch_with(queued=30), timezone.now()
    paused_at = now - timedelta(minutes=20)
    for seconds in range(0, 61, 6):
        finished_at = paused_at - timedelta(seconds=seconds)
        BatchedJobFactory.create(batch=batch, state=JobState.DONE, finished_at=finished_at)
    InferenceBatch.objects.filter(pk=batch.pk).update(paused_at=paused_at)
    batch.refresh_from_db()
    (progress,) = progress_of([batch])
    assert progress.per_minute == pytest.approx(10, rel=0.05)
    services.resume_batch(batch, actor=batch.requested_by)
    assert progress_of([batch])[0].per_minute is None
    # Three minutes on: what came before the pause, and the pause, count for nothing.
    InferenceBatch.objects.filter(pk=batch.pk).update(resumed_at=now - timedelta(minutes=3))
    InferenceJob.objects.filter(batch=batch, state=JobState.DONE).update(finished_at=paused_at)
    for seconds in range(0, 61, 6):
        finished_at = now - timedelta(seconds=seconds)
        BatchedJobFactory.create(batch=batch, state=JobState.DONE, finished_at=finished_at)
    batch.refresh_from_db()
    (progress,) = progress_of([batch])
    assert progress.per_minute == pytest.approx(10, rel=0.05)
