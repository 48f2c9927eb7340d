"""Who may ask a model, and what they see of its answers."""

import html
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.audit.selectors import check_chain
from deepmedix_review.audit.services import record_events
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning import tasks
from deepmedix_review.reasoning.batches.services import end_through
from deepmedix_review.reasoning.models import Completion, InferenceBatch, InferenceJob, WaitingCancel
from deepmedix_review.reasoning.tasks import ask_batch, request_inference_of_all
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import ImportBatch, Study
from inference.prompts import template
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.jobs import InferenceJobFactory
from tests.factories.reasoning import CompletionFactory, say
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin() -> Client:
    return client_of(AdminFactory.create())


def addresses(job: InferenceJob) -> list[tuple[str, str]]:
    study = job.study.uid
    return [
        ("get", reverse("inference-list")),
        ("get", reverse("inference-fragment", args=[study])),
        ("get", reverse("inference-live", args=[study])),
        ("post", reverse("inference-request", args=[study])),
        ("post", reverse("inference-cancel", args=[job.uid])),
        ("post", reverse("inference-retry", args=[job.uid])),
        ("get", f"/api/inference-jobs/{job.uid}/"),
        ("post", f"/api/studies/{study}/inference/"),
        ("post", f"/api/inference-jobs/{job.uid}/cancel/"),
        ("post", f"/api/inference-jobs/{job.uid}/retry/"),
    ]


def test_admins_and_researchers_may_ask_experts_and_strangers_may_not() -> None:
    for person, allowed in ((AdminFactory, True), (ResearcherFactory, True), (ExpertFactory, False)):
        client = client_of(person.create())
        for method, address in addresses(InferenceJobFactory.create()):
            status = getattr(client, method)(address).status_code
            # 409: allowed, but this job has nothing to retry any more.
            assert status in ((200, 202, 302, 409) if allowed else (403,)), (person, address, status)
    for method, address in addresses(InferenceJobFactory.create()):
        assert getattr(Client(), method)(address).status_code in (302, 401), address


def test_what_is_absent_or_held_from_a_researcher_is_not_found() -> None:
    held = InstanceFactory.create(series__study__state=Study.State.HELD).study
    client = client_of(ResearcherFactory.create())
    for address in (f"/api/studies/{held.uid}/inference/", f"/api/inference-jobs/{uuid.uuid4()}/cancel/"):
        assert client.post(address).status_code == 404, address


def test_a_request_by_json_gives_two_jobs_that_can_be_watched_cancelled_and_retried(admin: Client) -> None:
    ServingModelFactory.create(number=7)
    study = InstanceFactory.create().study
    answer = admin.post(
        f"/api/studies/{study.uid}/inference/", {"query": "Is it large?"}, content_type="application/json"
    )
    assert answer.status_code == 202
    first, second = answer.json()
    assert (first["seed"], second["seed"], first["model"], first["query"]) == (1, 2, "v7", "Is it large?")
    address = f"/api/inference-jobs/{first['uid']}/"
    assert admin.get(address).json()["state"] == "queued"
    assert admin.post(f"{address}cancel/").json()["state"] == "cancelled"
    refused = admin.post(f"{address}cancel/")
    assert refused.status_code == 409
    assert "already" in refused.json()["detail"]
    assert admin.post(f"{address}retry/").json()["state"] == "queued"
    actions = list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True))
    assert actions[-3:] == ["request_inference", "cancel_inference", "retry_inference"]


def test_without_a_serving_model_the_way_out_is_said(admin: Client) -> None:
    study = InstanceFactory.create().study
    answer = admin.post(f"/api/studies/{study.uid}/inference/")
    assert answer.status_code == 409
    assert "register_shipped_model" in answer.json()["detail"]
    assert (
        "register_shipped_model"
        in admin.get(reverse("inference-fragment", args=[study.uid])).content.decode()
    )


def test_a_held_study_is_refused_with_a_sentence(admin: Client) -> None:
    ServingModelFactory.create()
    held = InstanceFactory.create(series__study__state=Study.State.HELD).study
    answer = admin.post(f"/api/studies/{held.uid}/inference/")
    assert answer.status_code == 409
    assert "An admin can accept it first" in answer.json()["detail"]


def test_the_study_page_renews_itself_until_the_last_job_ended(admin: Client) -> None:
    job = InferenceJobFactory.create(state=JobState.RUNNING, num_tokens=41)
    address = reverse("inference-live", args=[job.study.uid])
    page = admin.get(address).content.decode()
    assert 'hx-trigger="every 1s"' in page
    assert "41 tokens" in page
    InferenceJob.objects.update(state=JobState.FAILED, error="Its memory is <too> small.")
    page = admin.get(address).content.decode()
    assert "hx-trigger" not in page
    assert "Its memory is &lt;too&gt; small." in page
    assert "Retry" in page


def test_completions_are_shown_with_their_steps_and_malformed_ones_as_what_they_are(admin: Client) -> None:
    instance = InstanceFactory.create()
    say(instance, steps=[("Large heart", [(10, 20, 30, 40)])])
    CompletionFactory.create(
        instance=instance, text="<think> <b>cut", answer="", problems=["think_not_closed"]
    )
    page = admin.get(reverse("inference-fragment", args=[instance.study.uid])).content.decode()
    assert "Large heart" in page
    assert "10 to 30 px across, 20 to 40 px down" in page
    assert "&lt;think&gt; &lt;b&gt;cut" in page
    assert "Its reasoning has no end; it may have been cut off." in page
    assert AuditEvent.objects.latest("sequence").action == "view_completions"


def test_the_list_says_of_a_malformed_output_what_is_wrong_with_it(admin: Client) -> None:
    job = InferenceJobFactory.create(state=JobState.DONE)
    CompletionFactory.create(job=job, instance=job.instance, problems=["think_not_closed", "no_answer"])
    page = admin.get(reverse("inference-list")).content.decode()
    assert "Its reasoning has no end; it may have been cut off. It gives no final answer." in page
    assert "What models were asked." in page
    Completion.objects.update(problems=[])
    page = admin.get(reverse("inference-list")).content.decode()
    assert "Its reasoning has no end" not in page


def test_pages_take_the_same_number_of_queries_however_long_they_are(
    admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    instance = InstanceFactory.create()
    ServingModelFactory.create()

    def grow(num: int) -> None:
        for _ in range(num):
            InferenceJobFactory.create()
            InferenceJobFactory.create(instance=instance)
            say(instance, steps=[("a", [(1, 2, 3, 4)]), ("b", [(1, 2, 3, 4)])])

    def count(address: str) -> int:
        with django_assert_max_num_queries(25) as captured:
            admin.get(address)
        return len(captured)

    pages = [reverse("inference-list"), reverse("inference-live", args=[instance.study.uid])]
    grow(1)
    before = [count(page) for page in pages]
    grow(6)
    assert [count(page) for page in pages] == before


def test_an_empty_list_renews_itself_while_the_demos_films_are_drawn(admin: Client) -> None:
    address = reverse("inference-list")
    assert "Nothing was asked of a model yet." in admin.get(address).content.decode()
    ImportBatch.objects.create(source=ImportBatch.Source.DEMO)
    page = admin.get(address).content.decode()
    assert "The demo's films are being drawn" in html.unescape(page)
    assert 'hx-trigger="every 1s"' in page
    InferenceJobFactory.create(state=JobState.DONE)
    assert "every 1s" not in admin.get(address).content.decode()


def test_the_list_goes_on_page_by_page(admin: Client) -> None:
    jobs = [InferenceJobFactory.create(state=JobState.DONE) for _ in range(53)]
    first = admin.get(reverse("inference-list"))
    assert len(first.context["jobs"]) == 50
    rest = admin.get(reverse("inference-list"), {"before": first.context["next_before"]})
    assert rest.context["jobs"] == [jobs[2], jobs[1], jobs[0]]
    assert rest.context["next_before"] is None
    assert admin.get(reverse("inference-list"), {"before": "x"}).status_code == 200


def test_asking_again_what_was_answered_says_so(admin: Client) -> None:
    ServingModelFactory.create()
    study = InstanceFactory.create().study
    address = reverse("inference-request", args=[study.uid])
    headers: dict[str, Any] = {"HX-Request": "true"}
    assert "answered this already" not in admin.post(address, headers=headers).content.decode()
    InferenceJob.objects.update(state=JobState.DONE)
    assert "answered this already" in admin.post(address, headers=headers).content.decode()
    assert ModelVersion.objects.count() == 1
    assert not Completion.objects.exists()


@pytest.fixture
def chunks_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepmedix_review.reasoning.batches.asking.NUM_STUDIES_AT_ONCE", 2)


@pytest.mark.usefixtures("chunks_of_two")
def test_all_ready_studies_without_a_completion_are_asked_about_at_once(admin: Client) -> None:
    version = ServingModelFactory.create()
    done = CompletionFactory.create(model_version=version, seed=1).study
    CompletionFactory.create(model_version=version, seed=2, instance__series__study=done)
    InstanceFactory.create(series__study__state=Study.State.HELD)
    unseen = [InstanceFactory.create().study for _ in range(3)]
    address = reverse("inference-request-all")
    assert f'action="{address}"' in admin.get(reverse("inference-list")).content.decode()
    said = "is asked for two completions of every ready study that lacks them."
    assert f"{version} {said}" in admin.post(address, follow=True).content.decode()
    (batch,) = InferenceBatch.objects.all()
    assert said in admin.post(address, follow=True).content.decode()
    assert not InferenceJob.objects.exists()
    ask_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.num_studies, batch.asked_down_to) == (JobState.DONE, 3, unseen[0].pk)
    assert InferenceBatch.objects.count() == 1
    assert "about every ready study already" in admin.post(address, follow=True).content.decode()
    progress = reverse("inference-asked", args=[batch.uid])
    assert progress in admin.get(reverse("inference-list")).content.decode()
    oldest = InferenceJob.objects.earliest("pk")
    InferenceJob.objects.exclude(pk=oldest.pk).update(state=JobState.DONE)
    answer = admin.get(progress)
    assert "5 of 6 completions are there" in answer.content.decode()
    assert "HX-Trigger" not in answer
    InferenceJob.objects.filter(pk=oldest.pk).update(state=JobState.FAILED)
    end_through()
    answer = admin.get(progress)
    assert f"{version} is through:</strong> 5 of 6 completions are there; 1 failed" in answer.content.decode()
    assert answer["HX-Trigger"] == "asked-through"
    assert progress not in admin.get(reverse("inference-list")).content.decode()
    asked = InferenceJob.objects.values_list("study", flat=True)
    assert sorted(asked) == sorted(2 * [study.pk for study in unseen])
    assert done.pk not in asked
    recorded = AuditEvent.objects.filter(action="request_inference").values_list("subject_uid", flat=True)
    assert sorted(recorded) == sorted(str(study.uid) for study in unseen)
    assert check_chain().broken_at is None


def test_asking_about_many_studies_takes_no_more_statements_than_about_one(admin: Client) -> None:
    ServingModelFactory.create()

    def ask(num_studies: int) -> int:
        InstanceFactory.create_batch(num_studies)
        with CaptureQueriesContext(connection) as captured:
            admin.post(reverse("inference-request-all"))
            ask_batch(InferenceBatch.objects.latest("pk").pk)
        return len(captured)

    # Of the chain's events each is a statement, sent together with the others.
    assert ask(1) == ask(7)


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_ask_about_each_study_once() -> None:
    version, actor = ServingModelFactory.create(), AdminFactory.create()
    InstanceFactory.create_batch(20)

    def press(_: int) -> str:
        try:
            return request_inference_of_all(actor=actor, version=version)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as people:
        assert len(set(people.map(press, range(2)))) == 1
    (batch,) = InferenceBatch.objects.all()
    ask_batch(batch.pk)
    ask_batch(batch.pk)
    assert InferenceJob.objects.count() == 40
    assert AuditEvent.objects.filter(action="request_inference").count() == 20


def test_what_waits_is_cancelled_in_the_background_and_what_runs_goes_on(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepmedix_review.reasoning.services.NUM_CANCELLED_AT_ONCE", 2)
    address = reverse("inference-cancel-waiting")
    running = InferenceJobFactory.create(state=JobState.RUNNING)
    assert address not in admin.get(reverse("inference-list")).content.decode()
    waiting = InferenceJobFactory.create_batch(3)
    page = admin.get(reverse("inference-list")).content.decode()
    assert address in page
    assert "3 inferences wait for a worker" in page
    assert client_of(ExpertFactory.create()).post(address).status_code == 403
    page = admin.post(address, follow=True).content.decode()
    # The press answers at once, and a second one asks for nothing more.
    assert "0 of 3" in page
    assert address not in page
    admin.post(address)
    assert InferenceJob.objects.filter(state=JobState.QUEUED).count() == 3
    (wanted,) = WaitingCancel.objects.all()
    later = InferenceJobFactory.create()
    shown: list[str] = []

    def look(**kwargs: Any) -> None:
        shown.append(admin.get(reverse("inference-list")).content.decode())
        record_events(**kwargs)

    monkeypatch.setattr("deepmedix_review.reasoning.services.record_events", look)
    tasks.cancel_waiting(wanted.pk)
    assert "0 of 3" in shown[0]
    assert "2 of 3" in shown[1]
    wanted.refresh_from_db()
    assert (wanted.state, wanted.num_done) == (JobState.DONE, 3)
    assert InferenceJob.objects.get(pk=later.pk).state == JobState.QUEUED
    InferenceJob.objects.filter(pk=later.pk).update(state=JobState.DONE)
    states = dict(InferenceJob.objects.values_list("pk", "state"))
    assert states == {running.pk: JobState.RUNNING, later.pk: JobState.DONE} | {
        job.pk: JobState.CANCELLED for job in waiting
    }
    recorded = AuditEvent.objects.filter(action="cancel_inference").values_list("subject_uid", flat=True)
    assert sorted(recorded) == sorted(str(job.uid) for job in waiting)
    assert "Nothing waited any more." in admin.post(address, follow=True).content.decode()


def test_asking_about_all_takes_a_serving_model_and_the_right_to_ask(admin: Client) -> None:
    refused = admin.post(reverse("inference-request-all"))
    assert refused.status_code == 409
    assert "register_shipped_model" in refused.content.decode()
    assert client_of(ExpertFactory.create()).post(reverse("inference-request-all")).status_code == 403


def test_another_version_than_the_serving_one_is_asked_on_the_studys_page(admin: Client) -> None:
    film, serving = InstanceFactory.create(), ServingModelFactory.create()
    address = reverse("inference-fragment", args=[film.study.uid])
    assert "inference-version" not in admin.get(address).content.decode()
    other = ModelVersionFactory.create(prompt_template="deepmedix-r1", preset="deepmedix-r1")
    recorded = ModelVersionFactory.create(source="recorded", folder="", served_model="m")
    page = admin.get(address).content.decode()
    assert f'value="{serving.uid}" selected' in page
    assert f'value="{other.uid}"' in page
    assert f'value="{recorded.uid}"' not in page
    usual = template(serving.prompt_template).default_query
    chosen = admin.get(address, {"version": str(other.uid), "query": usual}).content.decode()
    assert f"Ask {other}<" in chosen
    assert template("deepmedix-r1").default_query in chosen
    assert usual not in chosen
    own = admin.get(address, {"version": str(other.uid), "query": "Is a tube there?"}).content.decode()
    assert "Is a tube there?</textarea>" in own
    said = {"version": str(other.uid), "query": "Is a tube there?"}
    admin.post(reverse("inference-request", args=[film.study.uid]), said)
    jobs = InferenceJob.objects.values_list("model_version", "query")
    assert set(jobs) == {(other.pk, "Is a tube there?")}
    for odd in ("x", str(recorded.uid), str(film.uid)):
        refused = admin.post(
            reverse("inference-request", args=[film.study.uid]),
            {"version": odd},
            headers={"HX-Request": "true"},
        )
        assert "There is no such version to be asked." in refused.content.decode()
    assert InferenceJob.objects.count() == 2
