"""Many leases are kept by one statement, and each is lost or cancelled by itself."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from deepmedix_review.common import jobs
from deepmedix_review.common.held_jobs import HeldJobs
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import InferenceJob
from tests.factories.jobs import InferenceJobFactory
from tests.workers import wait_until


def claimed(number: int) -> list[InferenceJob]:
    found = [jobs.claim(InferenceJob, job_id=job.pk) for job in InferenceJobFactory.create_batch(number)]
    return [job for job in found if job is not None]


def holding(held_jobs: list[InferenceJob], *, at_most_silent_seconds: float = 60) -> HeldJobs[InferenceJob]:
    held = HeldJobs(InferenceJob, progress="num_tokens", at_most_silent_seconds=at_most_silent_seconds)
    held.add(held_jobs)
    return held


@pytest.mark.django_db
def test_one_statement_renews_all_and_tells_how_far_each_is() -> None:
    three = claimed(3)
    held = holding(three)
    for number, job in enumerate(three, start=1):
        held.heard(job, number)
    long_ago = timezone.now() - timedelta(seconds=1)
    InferenceJob.objects.update(lease_expires_at=long_ago)
    with CaptureQueriesContext(connection) as captured:
        held.beat()
    assert len(captured) == 1
    assert list(InferenceJob.objects.order_by("pk").values_list("num_tokens", flat=True)) == [1, 2, 3]
    assert not InferenceJob.objects.filter(lease_expires_at__lte=timezone.now()).exists()


@pytest.mark.django_db
def test_a_lost_lease_and_a_cancelled_job_stop_and_their_neighbour_goes_on() -> None:
    lost, cancelled, well = claimed(3)
    held = holding([lost, cancelled, well])
    InferenceJob.objects.filter(pk=lost.pk).update(attempt=2)
    jobs.request_cancel(cancelled)
    held.beat()
    assert isinstance(held.why_to_stop(lost), jobs.LeaseLost)
    assert isinstance(held.why_to_stop(cancelled), jobs.JobCancelled)
    assert held.why_to_stop(well) is None
    jobs.finish(well, state=JobState.DONE)
    held.drop(well)
    held.beat()
    assert held.why_to_stop(well) is None


@pytest.mark.django_db(transaction=True)
def test_leases_are_renewed_while_nothing_is_said_and_no_more_once_the_work_hangs(settings: Settings) -> None:
    settings.LEASE_SECONDS = 0.4
    (job,) = claimed(1)

    def expiry() -> object:
        return InferenceJob.objects.get(pk=job.pk).lease_expires_at

    first = expiry()
    with holding([job]):
        wait_until(lambda: expiry() != first, what="a renewed lease")
    with holding([job], at_most_silent_seconds=0) as hanging:
        reason = wait_until(lambda: hanging.why_to_stop(job), what="a lost lease")
    assert isinstance(reason, jobs.LeaseLost)
