"""A lost, doubled or late message does no harm: leases, heartbeats and fencing hold."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import InferenceJob
from tests.factories.jobs import InferenceJobFactory


def claimed() -> InferenceJob:
    job = jobs.claim(InferenceJob, job_id=InferenceJobFactory.create().pk)
    assert job is not None
    return job


def let_lease_expire(job: InferenceJob) -> None:
    InferenceJob.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_job_is_claimed_once() -> None:
    job = claimed()
    assert (job.state, job.attempt) == (JobState.RUNNING, 1)
    assert jobs.claim(InferenceJob, job_id=job.pk) is None


def claimed_at_once(claims: list[Callable[[], InferenceJob | None]]) -> list[InferenceJob]:
    """What as many workers got, each by one of these claims, all at the same moment."""
    got: list[InferenceJob | None] = []
    start = threading.Barrier(len(claims))

    def work(claim: Callable[[], InferenceJob | None]) -> None:
        try:
            start.wait()
            got.append(claim())
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(claim,)) for claim in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(claims)
    return [job for job in got if job]


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_claims_the_job() -> None:
    job = InferenceJobFactory.create()
    assert len(claimed_at_once([lambda: jobs.claim(InferenceJob, job_id=job.pk)] * 8)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_a_kind_that_takes_turns_one_job_is_claimed_at_a_time() -> None:
    waiting = {InferenceJobFactory.create().pk for _ in range(8)}
    while waiting:
        (job,) = claimed_at_once([partial(jobs.claim_in_turn, InferenceJob, job_id=pk) for pk in waiting])
        assert (job.state, job.attempt) == (JobState.RUNNING, 1)
        jobs.finish(job, state=JobState.DONE)
        waiting.remove(job.pk)
    assert jobs.claim_in_turn(InferenceJob, job_id=job.pk) is None


@pytest.mark.django_db(transaction=True)
def test_no_more_than_so_many_of_a_kind_are_claimed_and_the_oldest_first() -> None:
    made = [InferenceJobFactory.create().pk for _ in range(5)]
    InferenceJob.objects.filter(pk=made[0]).update(cancel_requested=True)
    claim = partial(jobs.claim_oldest, InferenceJob, at_most=2)
    first = claimed_at_once([claim] * 8)
    assert sorted(job.pk for job in first) == made[1:3]
    assert claim() is None
    jobs.finish(first[0], state=JobState.DONE)
    following = claim()
    assert following is not None
    assert following.pk == made[3]
    assert InferenceJob.objects.get(pk=made[0]).state == JobState.CANCELLED


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_can_write_nothing() -> None:
    stale = claimed()
    let_lease_expire(stale)
    assert jobs.requeue_expired(InferenceJob) == [stale.pk]
    fresh = jobs.claim(InferenceJob, job_id=stale.pk)
    assert fresh is not None
    assert fresh.attempt == 2
    for write in (
        lambda: jobs.heartbeat(stale, num_tokens=9),
        lambda: jobs.hold(stale),
        lambda: jobs.finish(stale, state=JobState.DONE),
    ):
        with pytest.raises(jobs.LeaseLost), transaction.atomic():
            write()
    jobs.finish(fresh, state=JobState.DONE, num_tokens=3)
    assert (fresh.state, fresh.num_tokens) == (JobState.DONE, 3)


@pytest.mark.django_db
def test_a_job_that_stops_its_worker_every_time_fails_with_a_sentence() -> None:
    job = claimed()
    for _ in range(settings.MAX_ATTEMPTS - 1):
        let_lease_expire(job)
        jobs.requeue_expired(InferenceJob)
        assert jobs.claim(InferenceJob, job_id=job.pk) is not None
    let_lease_expire(job)
    assert jobs.requeue_expired(InferenceJob) == []
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "stopped without an answer 3 times" in job.error
    jobs.retry(job)
    assert (job.state, job.attempt, job.error) == (JobState.QUEUED, 0, "")


@pytest.mark.django_db
def test_attempts_of_which_something_is_kept_are_not_for_nothing() -> None:
    job = claimed()

    def stop_the_worker() -> None:
        let_lease_expire(job)
        jobs.requeue_expired(InferenceJob)
        job.refresh_from_db()

    def begin_again() -> InferenceJob:
        again = jobs.claim(InferenceJob, job_id=job.pk)
        assert again is not None
        return again

    for _ in range(2 * settings.MAX_ATTEMPTS):
        stop_the_worker()
        jobs.heartbeat(begin_again(), is_kept=True, num_tokens=1)
    for _ in range(settings.MAX_ATTEMPTS):
        stop_the_worker()
        assert job.state == JobState.QUEUED
        jobs.heartbeat(begin_again(), num_tokens=1)
    stop_the_worker()
    assert job.state == JobState.FAILED
    jobs.retry(job)
    assert (job.attempt, job.kept_attempt) == (0, 0)


@pytest.mark.django_db
def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_beat() -> None:
    waiting = InferenceJobFactory.create()
    jobs.request_cancel(waiting)
    assert waiting.state == JobState.CANCELLED
    assert jobs.claim(InferenceJob, job_id=waiting.pk) is None
    running = claimed()
    jobs.request_cancel(running)
    assert running.state == JobState.RUNNING
    with pytest.raises(jobs.JobCancelled):
        jobs.heartbeat(running)


@pytest.mark.django_db
def test_a_cancelled_job_whose_worker_died_ends_cancelled() -> None:
    job = claimed()
    jobs.request_cancel(job)
    let_lease_expire(job)
    jobs.requeue_expired(InferenceJob)
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


@pytest.mark.django_db
def test_a_sweep_wakes_the_oldest_jobs_and_no_flood() -> None:
    waiting = [InferenceJobFactory.create().pk for _ in range(jobs.NUM_WOKEN_AT_ONCE + 5)]
    assert jobs.requeue_expired(InferenceJob) == waiting[: jobs.NUM_WOKEN_AT_ONCE]


@pytest.mark.django_db(transaction=True)
def test_work_that_hangs_loses_its_lease(settings: Settings) -> None:
    settings.LEASE_SECONDS = 0.2
    job = claimed()
    deadline = timezone.now() + timedelta(seconds=20)
    with jobs.kept_alive(job, at_most_seconds=0) as check:
        lost = False
        while not lost:
            assert timezone.now() < deadline
            try:
                check()
            except jobs.LeaseLost:
                lost = True
    job.refresh_from_db()
    assert job.lease_expires_at is not None
    assert job.lease_expires_at < timezone.now() + timedelta(seconds=1)


@pytest.mark.django_db(transaction=True)
def test_long_work_keeps_its_lease_and_hears_that_it_was_cancelled(settings: Settings) -> None:
    settings.LEASE_SECONDS = 0.4
    job = claimed()
    first_end = job.lease_expires_at
    deadline = timezone.now() + timedelta(seconds=20)
    with jobs.kept_alive(job) as check:
        while InferenceJob.objects.get(pk=job.pk).lease_expires_at == first_end:
            assert timezone.now() < deadline
            check()
        jobs.request_cancel(job)
        heard = False
        while not heard:
            assert timezone.now() < deadline
            try:
                check()
            except jobs.JobCancelled:
                heard = True
