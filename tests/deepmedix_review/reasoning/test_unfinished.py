"""Who waits for a completion sees it while it is written, and nothing of it stays.

The engine is SIMULATED where no worker is: it says what a test tells it to.
"""

import uuid
from collections.abc import Callable, Generator, Iterable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning import answering, unfinished
from deepmedix_review.reasoning.answering import Answering
from deepmedix_review.reasoning.models import Completion, InferenceJob, UnfinishedText
from deepmedix_review.reasoning.tasks import reconcile_inference
from inference.engines import Done, Event, GenerationRequest, IsWanted, SoFar, Token, every_one
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.jobs import BatchedJobFactory, InferenceJobFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db

WHOLE = "<think> Large heart [10, 20, 30, 40]; A tube [50, 60, 70, 80] </think>\\boxed{large}"
SO_FAR = "<think> Large heart [10, 20, 30, 40]; A <b>tube</b> [50, 60, 7"


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin() -> Client:
    return client_of(AdminFactory.create())


def a_running_job(**fields: Any) -> InferenceJob:
    film = InstanceFactory.create(columns=1120, rows=1120)
    version = ServingModelFactory.create(box_frame="processed", image_preparation="square")
    running = {"state": JobState.RUNNING, "attempt": 1, "num_tokens": 41, **fields}
    return InferenceJobFactory.create(instance=film, model_version=version, seed=1, **running)


def kept(job: InferenceJob, text: str = SO_FAR) -> None:
    unfinished.keep([(job, SoFar(text, (112, 112)))])


def shown(client: Client, job: InferenceJob) -> str:
    return client.get(reverse("inference-live", args=[job.study.uid])).content.decode()


def test_the_page_shows_what_is_written_so_far_as_text_with_the_regions_that_are_whole(admin: Client) -> None:
    job = a_running_job()
    kept(job)
    page = shown(admin, job)
    assert '<span class="chip warn">unfinished</span>' in page
    assert "Large heart [10, 20, 30, 40]" in page
    assert "A &lt;b&gt;tube&lt;/b&gt; [50, 60, 7" in page
    # In pixels of the film, ten for each of the model's; the box that is not closed is none yet.
    assert page.count("data-unfinished-region") == 1
    assert 'data-region-box="100.0,200.0,300.0,400.0"' in page
    assert "unfinished: 2 steps so far." in page
    assert not Completion.objects.exists()


def test_what_belongs_to_another_attempt_or_to_nobody_is_not_shown(admin: Client) -> None:
    job = a_running_job()
    kept(job)
    InferenceJob.objects.update(attempt=2)
    assert "Large heart" not in shown(admin, job)
    # Who lost the lease changes nothing any more.
    InferenceJob.objects.update(attempt=1)
    stale = InferenceJob.objects.get()
    InferenceJob.objects.update(attempt=2)
    kept(stale, "<think> stale")
    assert UnfinishedText.objects.get().text == SO_FAR
    InferenceJob.objects.update(attempt=1, state=JobState.FAILED)
    assert "Large heart" not in shown(admin, job)
    kept(job, "<think> after its end")
    assert UnfinishedText.objects.get().text == SO_FAR


def test_what_ended_or_lost_its_worker_is_thrown_away_by_the_sweep() -> None:
    goes_on, ended, lost = (InferenceJobFactory.create(state="running", attempt=1) for _ in range(3))
    for job in (goes_on, ended, lost):
        kept(job)
    InferenceJob.objects.filter(pk=ended.pk).update(state=JobState.CANCELLED)
    InferenceJob.objects.filter(pk=lost.pk).update(lease_expires_at="2020-01-01T00:00Z")
    InferenceJob.objects.filter(pk=goes_on.pk).update(lease_expires_at="2100-01-01T00:00Z")
    reconcile_inference()
    assert list(UnfinishedText.objects.values_list("job", flat=True)) == [goes_on.pk]


class Writes:
    """A SIMULATED engine that tells its text so far where it is asked to, and lets a test look."""

    def __init__(self, look: Callable[[], None] = lambda: None) -> None:
        self.look = look

    def generate(
        self, requests: Iterable[GenerationRequest], *, is_wanted: IsWanted = every_one
    ) -> Generator[Event]:
        for request in list(requests):
            so_far = SoFar(SO_FAR, (112, 112)) if request.tells_text else None
            yield Token(request.key, 1, so_far)
            self.look()
            yield Done(request.key, WHOLE, "", 2, 0.1, (112, 112), "stop")


def answer(monkeypatch: pytest.MonkeyPatch, engine: Writes) -> None:
    monkeypatch.setattr(answering, "_film", lambda job: np.zeros((8, 8), np.uint8))
    monkeypatch.setattr(answering, "SECONDS_BETWEEN_BEATS", 0.0)
    assert Answering(lambda version: engine).answer_next()


def test_a_worker_tells_what_a_person_waits_for_and_the_completion_takes_its_place(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = a_running_job(state=JobState.QUEUED, attempt=0)
    seen = []
    answer(monkeypatch, Writes(lambda: seen.append(shown(admin, job))))
    assert "&lt;b&gt;tube" in seen[0]
    assert "chip warn" in seen[0]
    page = shown(admin, job)
    assert "unfinished" not in page
    assert "&lt;b&gt;tube" not in page
    assert "A tube [50, 60, 70, 80]" in page
    assert "1 completion is there." in page


def test_a_retry_begins_its_text_anew(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    job = a_running_job()
    kept(job)
    # Set aside and tried again by a person: its attempts are counted from 1 again.
    InferenceJob.objects.update(state=JobState.QUEUED, attempt=0)
    monkeypatch.setattr(unfinished, "keep", lambda told: None)
    seen = []
    answer(monkeypatch, Writes(lambda: seen.append(shown(admin, job))))
    assert "running" in seen[0]
    assert "Large heart" not in seen[0]


def test_nobody_looks_on_at_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    BatchedJobFactory.create()
    told = []
    answer(monkeypatch, Writes(lambda: told.append(UnfinishedText.objects.exists())))
    assert told == [False]
    assert Completion.objects.count() == 1


def test_readers_and_strangers_never_see_it() -> None:
    job = a_running_job()
    kept(job)
    reader = client_of(ExpertFactory.create())
    for address in (
        reverse("inference-live", args=[job.study.uid]),
        reverse("inference-fragment", args=[job.study.uid]),
        reverse("study-detail", args=[job.study.uid]),
        f"/api/inference-jobs/{job.uid}/",
        f"/api/studies/{job.study.uid}/inference/",
    ):
        answered = reader.get(address)
        assert answered.status_code == 403, address
        assert b"Large heart" not in answered.content
        assert Client().get(address).status_code in (302, 401), address
    absent = reverse("inference-live", args=[uuid.uuid4()])
    assert client_of(AdminFactory.create()).get(absent).status_code == 404


@pytest.mark.parametrize(
    "text",
    ["", "<thi", "\0\0", "[1, 2, 3, 1e99", "<think> " + "[1,2,3,4] " * 3000, '<script>alert("x")</script>'],
)
def test_odd_beginnings_are_shown_as_they_are(text: str, admin: Client) -> None:
    job = a_running_job()
    kept(job, text)
    page = shown(admin, job)
    assert "unfinished" in page
    assert "data-unfinished-region" not in page
    assert "<script>alert" not in page


def test_it_is_said_that_only_the_beginning_of_a_long_text_is_shown(admin: Client) -> None:
    job = a_running_job()
    kept(job)
    assert "Only the beginning is shown." not in shown(admin, job)
    InferenceJob.objects.update(num_tokens=5000)
    assert "Only the beginning is shown." in shown(admin, job)


def test_its_table_keeps_no_journal() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'reasoning_unfinishedtext'")
        assert cursor.fetchone()[0] in ("u", b"u")


def test_programs_are_told_what_the_page_shows(admin: Client) -> None:
    job = a_running_job()
    waiting = InferenceJobFactory.create(instance=job.instance, model_version=job.model_version, seed=2)
    address = f"/api/inference-jobs/{job.uid}/"
    assert admin.get(address).json()["unfinished"] is None
    assert not AuditEvent.objects.filter(action="view_completions").exists()
    kept(job)
    told = admin.get(address).json()["unfinished"]
    assert (told["text"], told["rest"], told["is_cut"]) == (SO_FAR, "", False)
    heart, tube = told["steps"]
    assert heart["text"].startswith("Large heart")
    assert heart["regions"] == [{"label": "1", "box": [100.0, 200.0, 300.0, 400.0], "problem": ""}]
    assert (tube["text"], tube["regions"]) == ("A <b>tube</b> [50, 60, 7", [])
    # The same of the study, and who was shown it is on record.
    of_study = admin.get(f"/api/studies/{job.study.uid}/inference/").json()
    assert [(one["uid"], one["unfinished"]) for one in of_study["jobs"]] == [
        (str(waiting.uid), None),
        (str(job.uid), told),
    ]
    assert of_study["completions"] == []
    seen = AuditEvent.objects.filter(action="view_completions").values_list("subject_uid", flat=True)
    assert list(seen) == [str(job.study.uid)] * 2
    # Nothing of a try before this one, and nothing once it has ended.
    InferenceJob.objects.filter(pk=job.pk).update(attempt=2)
    assert admin.get(address).json()["unfinished"] is None


def test_regions_of_two_samples_are_told_apart_on_the_film_and_in_the_text(admin: Client) -> None:
    first = a_running_job(state=JobState.DONE)
    says: dict[str, Any] = {"steps": [("Large heart", [(1, 2, 3, 4)])], "model_version": first.model_version}
    say(first.instance, job=first, seed=1, **says)
    page = shown(admin, first)
    assert 'data-label="1"' in page
    assert "Region 1" in page
    second = InferenceJobFactory.create(
        instance=first.instance,
        model_version=first.model_version,
        seed=2,
        state=JobState.RUNNING,
        attempt=1,
    )
    kept(second)
    page = shown(admin, first)
    for label in ("A1", "B1"):
        assert page.count(f'data-label="{label}"') == 1
        assert page.count(f"Region {label}<") == 1
    assert page.count('title="Its regions are named A1, A2 …">A</span>') == 1
    # A letter stays when its text is through.
    InferenceJob.objects.filter(pk=second.pk).update(state=JobState.DONE)
    say(first.instance, job=second, seed=2, **says)
    page = shown(admin, first)
    assert page.count('data-label="B1"') == page.count('data-label="A1"') == 1
    assert page.index('data-label="B1"') < page.index('data-label="A1"'), "the newest stands first"
