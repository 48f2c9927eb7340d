"""A batch is one row: asked in the background, paused, cancelled, tried again, counted once it is through."""

import html
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.batches import asking, services
from deepmedix_review.reasoning.batches.asking import WantedBatch, make_batch
from deepmedix_review.reasoning.batches.selectors import progress_of
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob, Purpose
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.services import queue_inference, requeue_inference, require_ready
from deepmedix_review.reasoning.tasks import ask_batch, end_batch
from deepmedix_review.studies.collecting.services import collect_picks
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.reasoning.some_batches import batch_with, client_of
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.jobs import BatchedJobFactory, InferenceBatchFactory, InferenceJobFactory
from tests.factories.reasoning import CompletionFactory
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.studies import InstanceFactory, StudyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    return client_of(AdminFactory.create())


def states(batch: InferenceBatch) -> dict[str, int]:
    (progress,) = progress_of([batch])
    found = vars(progress.counts)
    return {name.removeprefix("num_"): number for name, number in found.items() if number}


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True))


def test_who_may_ask_may_see_and_steer_batches_and_nobody_else() -> None:
    for person, allowed in ((AdminFactory, True), (ResearcherFactory, True), (ExpertFactory, False)):
        client, batch = client_of(person.create()), batch_with(queued=1)
        uid = batch.uid
        for method, address in (
            ("get", reverse("inference-batches")),
            ("get", reverse("inference-batch-new")),
            ("get", reverse("inference-batch", args=[uid])),
            ("get", reverse("inference-asked", args=[uid])),
            ("get", "/api/inference-batches/"),
            ("get", f"/api/inference-batches/{uid}/"),
            ("post", "/api/inference-batches/"),
            *[
                ("post", address.format(verb))
                for verb in ("pause", "resume", "retry", "cancel")
                for address in (f"/inference/batches/{uid}/{{}}/", f"/api/inference-batches/{uid}/{{}}/")
            ],
        ):
            status = getattr(client, method)(address).status_code
            assert status in ((200, 202, 302, 409) if allowed else (403,)), (person, address, status)
            assert getattr(Client(), method)(address).status_code in (302, 401, 403), address


def test_what_is_absent_is_not_found(admin: Client) -> None:
    ServingModelFactory.create()
    absent = "00000000-0000-0000-0000-000000000000"
    assert admin.get(reverse("inference-batch", args=[absent])).status_code == 404
    assert admin.post(f"/api/inference-batches/{absent}/pause/").status_code == 404
    for wanted in ({"model": 999}, {"collection": absent}):
        assert admin.post("/api/inference-batches/", wanted, "application/json").status_code == 404
    for wanted in ({"num_samples": 9}, {"num_samples": 0}, {"query": "a" * 2001}):
        assert admin.post("/api/inference-batches/", wanted, "application/json").status_code == 400
    assert not InferenceBatch.objects.exists()


def test_a_batch_is_paused_resumed_and_cancelled_on_its_page(admin: Client) -> None:
    batch = batch_with(queued=3, running=1, done=2)
    waited_for = BatchedJobFactory.create(batch=batch, purpose=Purpose.INTERACTIVE)
    page = reverse("inference-batch", args=[batch.uid])
    assert "2&nbsp;of&nbsp;7" in admin.get(page).content.decode()
    assert "Paused." in admin.post(f"{page}pause/", follow=True).content.decode()
    again = admin.post(f"{page}pause/")
    assert (again.status_code, "Resume it to go on" in again.content.decode()) == (409, True)
    assert "Resume" in admin.get(page).content.decode()
    assert "It goes on." in admin.post(f"{page}resume/", follow=True).content.decode()
    assert admin.post(f"{page}resume/").status_code == 409
    assert "What was answered stays." in admin.post(f"{page}cancel/", follow=True).content.decode()
    end_batch(batch.pk)
    assert states(batch) == {"queued": 1, "running": 1, "done": 2, "cancelled": 3}
    assert InferenceJob.objects.get(state=JobState.RUNNING).cancel_requested
    assert not InferenceJob.objects.get(pk=waited_for.pk).cancel_requested
    InferenceJob.objects.filter(state__in=(JobState.RUNNING, JobState.QUEUED)).update(
        state=JobState.CANCELLED
    )
    services.end_through()
    batch.refresh_from_db()
    assert (batch.num_done, batch.num_cancelled, bool(batch.ended_at)) == (2, 5, True)
    assert ">cancelled<" in admin.get(page).content.decode()
    part = admin.get(page, headers={"HX-Target": "batch-live"})
    assert ("HX-Refresh" in part, "<h1>" in part.content.decode()) == (True, False)
    steered = [action for action in actions() if not action.startswith(("view", "log"))]
    assert steered == [f"{verb}_inference_batch" for verb in ("pause", "resume", "cancel")]


def test_studies_that_no_model_may_see_fail_for_one_reason() -> None:
    reasons = set()
    for study in StudyFactory.create_batch(2, state=Study.State.HELD):
        with pytest.raises(RefusedByRule, match="The study is held") as refusal:
            require_ready(study)
        reasons.add(str(refusal.value))
    assert len(reasons) == 1


def test_failures_are_grouped_by_their_reason_and_those_alone_are_tried_again(admin: Client) -> None:
    batch = batch_with(done=1)
    BatchedJobFactory.create(batch=batch, state=JobState.FAILED, error="No <film>.", attempt=3)
    study = BatchedJobFactory.create(batch=batch, state=JobState.FAILED, error="No <film>.", attempt=3).study
    other = BatchedJobFactory.create(batch=batch, state=JobState.FAILED, error="Too late.")
    services.end_through()
    page = reverse("inference-batch", args=[batch.uid])
    shown = admin.get(page).content.decode()
    assert "No &lt;film&gt;." in shown
    assert shown.index("No &lt;film&gt;.") < shown.index("Too late.")
    first, second = (reverse("study-detail", args=[one.uid]) for one in (study, other.study))
    assert f'One of them: <a class="mono" id="failed-1" href="{first}">' in shown
    assert f'<span class="quiet"><a class="mono" id="failed-2" href="{second}">' in shown
    Study.objects.filter(pk=study.pk).update(state=Study.State.HELD)
    researchers = client_of(ResearcherFactory.create()).get(page).content.decode()
    assert f'One of them: <span class="mono">{study.label}</span>' in researchers, "they may not open it"
    assert "hx-trigger" not in shown
    said = admin.post(f"{page}retry/", {"reason": "No <film>."}, follow=True).content.decode()
    assert "2 are tried again." in said
    batch.refresh_from_db()
    assert batch.ended_at is None
    assert states(batch) == {"queued": 2, "done": 1, "failed": 1}
    assert set(InferenceJob.objects.filter(state="queued").values_list("attempt", "purpose")) == {
        (0, "batch")
    }
    other.refresh_from_db()
    assert other.error == "Too late."
    refused = admin.post(f"{page}retry/", {"reason": "No <film>."})
    assert (refused.status_code, "Nothing of this batch" in refused.content.decode()) == (409, True)
    assert AuditEvent.objects.filter(action="retry_inference_batch").get().details["inferences"] == 2


def test_what_was_cancelled_is_tried_again_too(admin: Client) -> None:
    batch = batch_with(cancelled=2)
    services.cancel_batch(batch, actor=batch.requested_by)
    services.end_through()
    told = admin.post(f"/api/inference-batches/{batch.uid}/retry/").json()
    assert (told["num_retried"], told["batch"]["num_queued"], told["batch"]["phase"]) == (2, 2, "at work")


def test_by_json_a_batch_is_asked_watched_and_steered(admin: Client) -> None:
    version = ServingModelFactory.create(number=7)
    InstanceFactory.create_batch(2)
    asked = {"model": 7, "query": "Is it large?", "num_samples": 3}
    answer = admin.post("/api/inference-batches/", asked, "application/json")
    assert answer.status_code == 202
    told = answer.json()
    assert (told["model"], told["phase"], told["is_asking"], told["num_asked"]) == (
        "v7",
        "beginning",
        True,
        0,
    )
    ask_batch(InferenceBatch.objects.get().pk)
    address = f"/api/inference-batches/{told['uid']}/"
    assert admin.post(f"{address}pause/").json()["phase"] == "paused"
    assert admin.post(f"{address}resume/").json()["phase"] == "at work"
    InferenceJob.objects.filter(seed=1).update(state=JobState.FAILED, error="Why.")
    told = admin.get(address).json()
    assert (told["num_studies"], told["num_asked"], told["num_queued"]) == (2, 6, 4)
    assert told["failures"] == [{"error": "Why.", "number": 2}]
    listed = admin.get("/api/inference-batches/").json()
    assert [row["uid"] for row in listed["results"]] == [told["uid"]]
    assert admin.post(f"{address}cancel/").json()["phase"] == "ending"
    refused = admin.post(f"{address}cancel/")
    assert (refused.status_code, refused.json()["detail"]) == (409, "This batch was cancelled already.")
    same, other = ({"model": version.number, "query": query} for query in ("Is it large?", "Is it small?"))
    # Of seeds 2 and 3 nothing failed.
    again = admin.post("/api/inference-batches/", same | {"first_seed": 2}, "application/json")
    assert (again.status_code, "asked this already" in again.json()["detail"]) == (409, True)
    assert admin.post("/api/inference-batches/", other, "application/json").status_code == 202
    ask_batch(InferenceBatch.objects.latest("pk").pk)
    assert InferenceJob.objects.filter(query="Is it small?").count() == 4


def test_a_collection_is_asked_about_by_a_form_and_of_it_what_has_no_such_answer(admin: Client) -> None:
    version = ServingModelFactory.create()
    answered, held, asked, _outside = InstanceFactory.create_batch(4)
    collection = collect_picks(
        name="Winter", picks=[one.study.uid for one in (answered, held, asked)], actor=AdminFactory.create()
    )
    Study.objects.filter(pk=held.study.pk).update(state=Study.State.HELD)
    for one, query in ((answered, "Is it large?"), (asked, "Is it small?")):
        CompletionFactory.create(instance=one, model_version=version, query=query, seed=1)
    address = reverse("inference-batch-new")
    page = html.unescape(admin.get(address).content.decode())
    assert f"{collection} · 3 studies" in page
    wanted: dict[str, Any] = {
        "version": str(version.uid),
        "collection": str(collection.uid),
        "query": "Is it large?",
        "num_samples": "1",
    }
    for wrong, sentence in (
        ({"num_samples": "9"}, "less than or equal to 8"),
        ({"version": "x"}, "Select a valid choice"),
        ({"query": "a" * 2001}, "at most 2000"),
    ):
        assert sentence in admin.post(address, wanted | wrong).content.decode()
    assert not InferenceBatch.objects.exists()
    admin.post(address, wanted)
    batch = InferenceBatch.objects.get()
    ask_batch(batch.pk)
    assert [job.study for job in InferenceJob.objects.all()] == [asked.study]
    assert "asked this already" in admin.post(address, wanted).content.decode()


def test_an_asking_that_lost_its_worker_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "NUM_STUDIES_AT_ONCE", 2)
    InstanceFactory.create_batch(5)
    batch = make_batch(WantedBatch(version=ServingModelFactory.create()), actor=AdminFactory.create())
    assert batch is not None

    class Killed(BaseException):
        pass

    def die(number: int) -> None:
        if InferenceJob.objects.count() == 8:
            raise Killed

    with pytest.raises(Killed):
        jobs.carry_out(InferenceBatch, job_id=batch.pk, work=asking.ask_in_chunks(die))
    assert InferenceJob.objects.count() == 4
    InferenceBatch.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert jobs.requeue_expired(InferenceBatch) == [batch.pk]
    ask_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.num_studies, InferenceJob.objects.count()) == (JobState.DONE, 5, 10)


def test_an_asking_that_is_cancelled_keeps_what_it_asked_and_asks_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "NUM_STUDIES_AT_ONCE", 2)
    InstanceFactory.create_batch(5)
    batch = make_batch(WantedBatch(version=ServingModelFactory.create()), actor=AdminFactory.create())
    assert batch is not None

    claimed = jobs.claim(InferenceBatch, job_id=batch.pk)
    assert claimed is not None

    def cancel() -> None:
        services.cancel_batch(InferenceBatch.objects.get(), actor=batch.requested_by)

    with pytest.raises(jobs.JobCancelled):
        asking.ask_in_chunks(lambda number: None)(claimed, check=cancel)
    jobs.end_by(claimed, jobs.JobCancelled())
    assert InferenceJob.objects.count() == 4
    end_batch(batch.pk)
    batch.refresh_from_db()
    assert set(InferenceJob.objects.values_list("state", flat=True)) == {JobState.CANCELLED}
    assert (batch.num_cancelled, bool(batch.ended_at)) == (4, True)


def test_where_the_asking_fails_the_page_says_why_and_asks_the_rest(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    InstanceFactory.create()
    batch = make_batch(WantedBatch(version=ServingModelFactory.create()), actor=AdminFactory.create())
    assert batch is not None

    def refuse(*_: object, **__: object) -> None:
        raise RefusedByRule("The version can't be asked.")

    with monkeypatch.context() as patch:
        patch.setattr(asking, "queue_inference_of_films", refuse)
        ask_batch(batch.pk)
    services.end_through()
    page = reverse("inference-batch", args=[batch.uid])
    shown = html.unescape(admin.get(page).content.decode())
    assert "Not all of it was asked. The version can't be asked." in shown
    assert "Ask the rest" in shown
    admin.post(f"{page}resume/")
    ask_batch(batch.pk)
    assert InferenceJob.objects.count() == 2


def test_what_is_tried_again_by_itself_opens_its_batch_which_is_counted_anew() -> None:
    batch = batch_with(failed=2)
    services.end_through()
    batch.refresh_from_db()
    assert (batch.num_failed, bool(batch.ended_at)) == (2, True)
    first = InferenceJob.objects.earliest("pk")
    requeue_inference(first, actor=batch.requested_by)
    first.refresh_from_db()
    assert first.purpose == Purpose.INTERACTIVE
    services.end_through()
    batch.refresh_from_db()
    assert batch.ended_at is None
    InferenceJob.objects.filter(pk=first.pk).update(state=JobState.DONE)
    services.end_through()
    batch.refresh_from_db()
    assert (batch.num_done, batch.num_failed, bool(batch.ended_at)) == (1, 1, True)


def test_a_failed_wish_of_a_batch_that_a_person_asks_anew_stays_in_its_batch() -> None:
    version, study = ServingModelFactory.create(), InstanceFactory.create().study
    batch = make_batch(WantedBatch(version=version, sampling=Sampling(1)), actor=AdminFactory.create())
    assert batch is not None
    ask_batch(batch.pk)
    InferenceJob.objects.update(state=JobState.FAILED)
    services.end_through()
    (job,) = queue_inference(study=study, version=version, query=None, sampling=Sampling(1), actor=None)
    assert (job.batch, job.purpose, job.state) == (batch, Purpose.INTERACTIVE, JobState.QUEUED)
    batch.refresh_from_db()
    assert batch.ended_at is None


def test_a_batch_leads_to_what_was_answered_last_and_says_what_of_it_is_malformed(admin: Client) -> None:
    batch = InferenceBatchFactory.create()
    for problems in ([], ["no_answer"]):
        job = InferenceJobFactory.create(
            batch=batch, purpose="batch", state=JobState.DONE, finished_at=timezone.now()
        )
        CompletionFactory.create(job=job, study=job.study, instance=job.instance, problems=problems)
    page = admin.get(reverse("inference-batch", args=[batch.uid])).content.decode()
    section = page.split("Answered last")[1]
    for job in InferenceJob.objects.filter(batch=batch):
        assert reverse("study-detail", args=[job.study.uid]) in section
    assert section.count(">malformed<") == section.count(">whole<") == 1


def test_the_list_goes_on_page_by_page_and_counts_nothing_of_what_is_through(admin: Client) -> None:
    address = reverse("inference-batches")

    def count() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            admin.get(address)
        return len(captured), sum("inferencejob" in (query["sql"] or "") for query in captured)

    batch_with(done=1)
    services.end_through()
    (num, of_jobs) = count()
    assert of_jobs == 0
    for _ in range(3):
        batch_with(done=2, queued=1)
    assert count() == (num + 3, 3)
    InferenceBatchFactory.create_batch(
        25, model_version=ModelVersionFactory.create(), ended_at=timezone.now()
    )
    assert count() == (num, 0)
    first = admin.get(address)
    assert len(first.context["rows"]) == 25
    rest = admin.get(address, {"before": first.context["next_before"]})
    assert len(rest.context["rows"]) == 4
