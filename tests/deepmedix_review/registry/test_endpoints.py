"""A model on another server is a version as any: named, asked, checked; its key is never kept nor shown.

The server is SIMULATED: a process of its own that speaks the protocol and runs no model.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.core.serializers import serialize
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import Completion, InferenceJob
from deepmedix_review.reasoning.sampling import Sampling
from deepmedix_review.reasoning.tasks import request_inference
from deepmedix_review.registry.endpoints import register_endpoint
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.selectors import engine_settings, training_refusal
from deepmedix_review.registry.services import promote
from deepmedix_review.registry.tasks import check_model, request_check
from deepmedix_review.registry.wanted import WantedVersion
from tests.factories.accounts import AdminFactory, ResearcherFactory
from tests.factories.learning import film
from tests.factories.simulated_model_server import MODEL, SimulatedServer
from tests.workers import Workers, wait_until

SECRET = "sk-very-secret"
OTHERS_KEY = "models.example.org/hall"
R1 = WantedVersion("deepmedix-r1")


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    server = SimulatedServer()
    yield server
    server.kill()


@pytest.fixture
def allowed(server: SimulatedServer, settings: Settings, tmp_path: Path) -> SimulatedServer:
    settings.INFERENCE_ENDPOINTS = [server.origin]
    settings.ENDPOINT_KEY_FOLDER = tmp_path / "keys"
    for name in (key_of(server), OTHERS_KEY):
        (settings.ENDPOINT_KEY_FOLDER / name).parent.mkdir(parents=True)
        (settings.ENDPOINT_KEY_FOLDER / name).write_text(f"{SECRET}\n")
    return server


def key_of(server: SimulatedServer) -> str:
    return f"{urlsplit(server.origin).netloc}/hall"


def registered(server: SimulatedServer, **said: str) -> ModelVersion:
    named = {"url": f"{server.origin}/v1/", "served_model": MODEL, "key_name": key_of(server), **said}
    return register_endpoint(**named, wanted=R1, actor=ResearcherFactory.create()).version


@pytest.mark.django_db
def test_a_server_is_a_version_once_and_its_key_is_nowhere_but_in_the_file(allowed: SimulatedServer) -> None:
    version = registered(allowed)
    assert registered(allowed, key_name="") == version
    version.refresh_from_db()
    assert (version.source, version.key_name, version.preset) == ("endpoint", "", "deepmedix-r1")
    assert registered(allowed) == version
    version.refresh_from_db()
    assert engine_settings(version).key == SECRET  # type: ignore[union-attr]
    assert registered(allowed, served_model="other") != version
    kept = serialize("json", [*ModelVersion.objects.all(), *AuditEvent.objects.all()])
    assert SECRET not in kept + repr(engine_settings(version))
    assert AuditEvent.objects.filter(action="change_model_key").count() == 2


@pytest.mark.django_db
def test_a_server_that_is_registered_again_is_told_by_the_version_that_there_is(
    allowed: SimulatedServer, client: Client
) -> None:
    client.force_login(ResearcherFactory.create())
    said = {"url": f"{allowed.origin}/v1", "served_model": MODEL, "preset": "deepmedix-r1"}

    def page(**more: str) -> str:
        fields = {f"server-{name}": value for name, value in {**said, **more}.items()}
        return client.post(reverse("model-register-server"), fields, follow=True).content.decode()

    assert "v1 is registered. Ask it once" in page()
    key = key_of(allowed)
    assert f"That is v1 already; its key file is now {key}." in page(key_name=key)
    assert "That is v1 already.<" in page(key_name=key)
    assert "That is v1 already; it has no key file now." in page()
    address = reverse("api-model-server-list")
    assert client.post(address, said, content_type="application/json").status_code == 200
    other = client.post(address, {**said, "served_model": "other"}, content_type="application/json")
    assert other.status_code == 201
    assert ModelVersion.objects.count() == 2


@pytest.mark.django_db
def test_the_weights_that_a_server_runs_are_named_and_others_are_another_version(
    allowed: SimulatedServer, client: Client
) -> None:
    client.force_login(ResearcherFactory.create())
    said = {"url": f"{allowed.origin}/v1", "served_model": MODEL, "preset": "deepmedix-r1"}
    hub = {"hub_id": "Qika/DeepMedix-R1", "hub_revision": "0a" * 20}
    page, address = reverse("model-register-server"), reverse("api-model-server-list")

    def told(**more: str) -> ModelVersion:
        answer = client.post(address, {**said, **more}, content_type="application/json")
        assert answer.status_code in (200, 201), answer.json()
        return ModelVersion.objects.get(uid=answer.json()["uid"])

    unsaid, first, other = told(), told(**hub), told(**hub | {"hub_revision": "0b" * 20})
    assert len({version.sha256 for version in (unsaid, first, other)}) == 3
    fields = {f"server-{name}": value for name, value in {**said, **hub}.items()}
    assert f"That is {first} already." in client.post(page, fields, follow=True).content.decode()
    bad = client.post(page, fields | {"server-hub_revision": "main"}, follow=True).content.decode()
    assert "a commit of 40 hexadecimal digits" in bad
    assert hub["hub_revision"] in client.get(reverse("model-detail", args=[first.uid])).content.decode()
    event = AuditEvent.objects.get(action="register_model", subject_uid=first.uid)
    assert {name: event.details[name] for name in hub} == hub


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"url": "http://127.0.0.1:1/v1"}, r"may be sent to 127\.0\.0\.1:1\. "),
        ({"url": "http://169.254.169.254/v1"}, "INFERENCE_ENDPOINTS"),
        ({"url": "ftp://x"}, "is no address of a model server"),
        ({"served_model": " "}, "Name the model as its server names it"),
        ({"key_name": "../secret_key"}, "no key file"),
        ({"key_name": OTHERS_KEY}, "laid down for another server"),
    ],
)
def test_what_is_not_allowed_is_refused_in_plain_words_and_not_kept(
    allowed: SimulatedServer, said: dict[str, str], sentence: str
) -> None:
    with pytest.raises(RefusedByRule, match=sentence):
        registered(allowed, **said)
    assert not ModelVersion.objects.exists()


@pytest.mark.django_db
def test_a_server_that_is_allowed_no_more_is_not_asked(allowed: SimulatedServer, settings: Settings) -> None:
    version = registered(allowed)
    job = request_check(version, kind=ModelJob.Kind.ASK, actor=ResearcherFactory.create())
    settings.INFERENCE_ENDPOINTS = []
    check_model(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "Nothing may be sent to" in job.error
    assert not allowed.log()["requests"]


@pytest.mark.django_db
def test_a_key_that_went_is_named_by_its_file(allowed: SimulatedServer, settings: Settings) -> None:
    version = registered(allowed)
    (settings.ENDPOINT_KEY_FOLDER / key_of(allowed)).unlink()
    job = request_check(version, kind=ModelJob.Kind.ASK, actor=ResearcherFactory.create())
    check_model(job.pk)
    job.refresh_from_db()
    assert f"The key file {key_of(allowed)}" in job.error


@pytest.mark.django_db
def test_a_version_says_where_its_model_is() -> None:
    version = ModelVersion(number=1, **dict.fromkeys(("min_pixels", "max_pixels", "temperature"), 1))
    version.max_new_tokens = version.prompt_version = version.size_multiple = 1
    with pytest.raises(IntegrityError, match="a_version_says_where_its_model_is"), transaction.atomic():
        version.save()


@pytest.mark.django_db
def test_such_a_version_may_serve_and_is_not_trained(allowed: SimulatedServer) -> None:
    version = registered(allowed)
    promote(version, actor=None)
    version.refresh_from_db()
    assert version.state == ModelVersion.State.SERVING
    assert "its weights are not" in training_refusal(version)


@pytest.mark.django_db(transaction=True)
def test_a_researcher_registers_a_server_asks_it_once_and_a_worker_answers_studies(
    allowed: SimulatedServer, celery_workers: Workers, client: Client, settings: Settings
) -> None:
    celery_workers.restart(
        "inference",
        INFERENCE_ENDPOINTS=allowed.origin,
        ENDPOINT_KEY_FOLDER=str(settings.ENDPOINT_KEY_FOLDER),
    )
    client.force_login(ResearcherFactory.create())
    assert allowed.origin in client.get(reverse("model-register")).content.decode()
    said = {
        "server-url": f"{allowed.origin}/v1",
        "server-served_model": MODEL,
        "server-key_name": key_of(allowed),
        "server-preset": "deepmedix-r1",
    }
    refused = client.post(reverse("model-register-server"), {**said, "server-url": "https://example.org/v1"})
    assert "Nothing may be sent to example.org:443" in refused.content.decode()
    answer = client.post(reverse("model-register-server"), said)
    version = ModelVersion.objects.get()
    assert answer.url == reverse("model-detail", args=[version.uid])  # type: ignore[attr-defined]
    client.post(reverse("model-ask", args=[version.uid]))
    wait_until(lambda: ModelJob.objects.get().is_final, what="an answer to the check")
    assert ModelJob.objects.get().error == ""
    page = client.get(answer.url).content.decode()  # type: ignore[attr-defined]
    assert "The heart is large" in page
    assert SECRET not in page
    (sent,) = allowed.log()["requests"]
    assert sent["key"] == f"Bearer {SECRET}"
    (job,) = request_inference(
        study=film(1).study, actor=AdminFactory.create(), version=version, sampling=Sampling(1)
    )
    wait_until(lambda: InferenceJob.objects.get(pk=job.pk).is_final, what="a completion")
    job.refresh_from_db()
    assert job.error == ""
    completion = Completion.objects.get(model_version=version)
    assert (completion.answer, completion.steps.get().regions.count()) == ("big", 1)
    failing = request_inference(
        study=film(2).study,
        actor=None,
        version=version,
        sampling=Sampling(1),
        query="[filter] What is there?",
    )[0]
    wait_until(lambda: InferenceJob.objects.get(pk=failing.pk).is_final, what="a refusal")
    failing.refresh_from_db()
    assert "filter kept its answer back" in failing.error
    with pytest.raises(ObjectDoesNotExist):
        assert failing.completion


@pytest.mark.django_db
def test_a_program_registers_a_server_and_reads_what_it_answered(
    allowed: SimulatedServer, client: Client
) -> None:
    client.force_login(ResearcherFactory.create())
    told = client.get(reverse("api-model-server-list")).json()
    assert told == {"origins": [allowed.origin], "keys": [key_of(allowed), OTHERS_KEY]}
    said = {
        "url": f"{allowed.origin}/v1",
        "served_model": "absent",
        "preset": "maira-2",
        "key_name": key_of(allowed),
    }
    answer = client.post(reverse("api-model-server-list"), said, content_type="application/json")
    assert answer.status_code == 201
    asked = client.post(reverse("api-model-ask", args=[answer.json()["uid"]]))
    assert asked.status_code == 202
    assert client.post(reverse("api-model-ask", args=[answer.json()["uid"]])).status_code == 409
    check_model(ModelJob.objects.get().pk)
    told = client.get(reverse("api-model-job", args=[asked.json()["uid"]])).json()
    assert (told["state"], told["version"]) == ("failed", answer.json()["uid"])
    assert "has no model named absent" in told["error"]
    assert SECRET not in str(told)
