"""Which inference workers there are, and what is said where none can take what waits."""

import html
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.batches import services
from deepmedix_review.reasoning.batches.selectors import progress_of
from deepmedix_review.reasoning.models import InferenceBatch, InferenceWorker
from tests.deepmedix_review.reasoning.some_batches import batch_with, client_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.jobs import InferenceJobFactory
from tests.factories.registry import ServingModelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    return client_of(AdminFactory.create())


def a_worker(**fields: Any) -> InferenceWorker:
    return InferenceWorker.objects.create(name="inference@here", seen_at=timezone.now(), **fields)


def test_a_batch_that_no_worker_took_up_waits_behind_another_at_once(admin: Client) -> None:
    a_worker()
    before, waiting = batch_with(queued=1, running=2), batch_with(queued=3)
    page = html.unescape(admin.get(reverse("inference-batch", args=[waiting.uid])).content.decode())
    assert '<span class="chip quiet">waiting</span>' in page
    assert "Workers are at another batch; its turn comes." in page
    assert reverse("inference-batch", args=[before.uid]) in page
    waiting.served_at = timezone.now()
    assert progress_of([waiting])[0].phase == "at work", "between two rounds"


def test_a_batch_that_waits_says_behind_what(admin: Client) -> None:
    waiting = batch_with(queued=3)
    address = reverse("inference-batch", args=[waiting.uid])
    assert progress_of([waiting])[0].phase == "at work", "a worker may be about to take it up"
    InferenceBatch.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    waiting.refresh_from_db()
    assert "No inference worker is at work." in admin.get(address).content.decode()
    worker = a_worker()
    assert "No worker has taken it up yet." in admin.get(address).content.decode()
    InferenceJobFactory.create(state=JobState.RUNNING)
    assert "that goes first" in html.unescape(admin.get(address).content.decode())
    before = batch_with(queued=1, running=2)
    page = admin.get(address).content.decode()
    assert '<span class="chip quiet">waiting</span>' in page
    assert reverse("inference-batch", args=[before.uid]) in page
    assert (
        reverse("inference-batch", args=[before.uid])
        in admin.get(reverse("inference-batches")).content.decode()
    )
    said = admin.get(f"/api/inference-batches/{waiting.uid}/").json()
    assert (said["phase"], said["waits_behind"]) == ("waiting", str(before.uid))
    assert admin.get(f"/api/inference-batches/{before.uid}/").json()["waits_for"] == ""
    InferenceWorker.objects.filter(pk=worker.pk).update(
        unfit={str(waiting.model_version_id): "Its weights are broken."}
    )
    assert (
        f"No inference worker can run {waiting.model_version}. Its weights are broken."
        in admin.get(address).content.decode()
    )
    services.pause_batch(waiting, actor=waiting.requested_by)
    assert progress_of([waiting])[0].phase == "paused"


def test_where_a_study_waits_for_a_version_that_no_worker_can_run_its_page_says_why(admin: Client) -> None:
    job = InferenceJobFactory.create()
    address = reverse("inference-live", args=[job.study.uid])
    assert "No inference worker is at work." in admin.get(address).content.decode()
    worker = InferenceWorker.objects.create(name="inference-1@here", seen_at=timezone.now())
    for page in (address, reverse("inference-list")):
        assert "No inference worker" not in admin.get(page).content.decode()
    worker.unfit = {str(job.model_version_id): "Its weights are broken."}
    worker.save()
    for page in (address, reverse("inference-list")):
        said = admin.get(page).content.decode()
        assert f"No inference worker can run {job.model_version}. Its weights are broken." in said


def test_workers_are_shown_to_who_may_ask_and_the_lost_are_told_from_the_gone(admin: Client) -> None:
    address, now = reverse("inference-workers"), timezone.now()
    assert client_of(ExpertFactory.create()).get(address).status_code == 403
    assert "No inference worker is at work" in admin.get(address).content.decode()
    a_worker(num_running=4)
    a_worker(drains_until=now + timedelta(minutes=1))
    a_worker(ended_at=now)
    lost = a_worker()
    InferenceWorker.objects.filter(pk=lost.pk).update(seen_at=now - timedelta(minutes=10))
    a_worker(ended_at=now - timedelta(hours=2))
    page = admin.get(address).content.decode()
    for state in ("at work", "draining", "gone", "lost"):
        assert page.count(f">{state}</span>") == 1


def test_programs_see_the_workers_as_the_page_does(admin: Client) -> None:
    address, now = "/api/inference-workers/", timezone.now()
    assert client_of(ExpertFactory.create()).get(address).status_code == 403
    assert admin.get(address).json() == []
    at_work = a_worker(
        num_running=4, num_answered=7, num_remembered=3, model_version=ServingModelFactory.create()
    )
    InferenceWorker.objects.filter(pk=at_work.pk).update(unfit={"1": "v9 writes nothing."})
    gone = a_worker(ended_at=now)
    first, last = admin.get(address).json()
    assert (first["uid"], first["state"], first["num_running"]) == (str(at_work.uid), "at work", 4)
    assert (first["model"], first["num_answered"]) == (str(at_work.model_version), 7)
    assert first["num_remembered"] == 3
    assert (first["problem"], first["ended_at"]) == ("v9 writes nothing.", None)
    assert (last["uid"], last["state"], last["model"]) == (str(gone.uid), "gone", None)
    assert admin.post(address).status_code == 405
