"""Any version that can answer is measured beside the one that serves, and serves by a signature."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.evaluation.tasks import run_evaluation
from deepmedix_review.feedback.gating.compared import before_the_gate
from deepmedix_review.feedback.gating.measuring import request_gate_beside_serving
from deepmedix_review.feedback.gating.promoting import (
    promote_candidate,
    promotion_refusal,
    return_to_former,
)
from deepmedix_review.feedback.models import GateDecision, GateRequest
from deepmedix_review.feedback.services import pass_or_hold
from deepmedix_review.feedback.tasks import reconcile_training
from deepmedix_review.registry.endpoints import register_endpoint
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.selectors import find_former_model, serving_model
from deepmedix_review.registry.services import promote, register_model, retire
from deepmedix_review.registry.wanted import WantedVersion
from inference.presets import PRESETS
from tests.deepmedix_review.feedback.road import SIGNATURE, client_of
from tests.factories.accounts import AdminFactory, ResearcherFactory
from tests.factories.knowing import measure_for
from tests.factories.learning import serving_model_with_weights
from tests.factories.models import write_untrained_model
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.simulated_model_server import MODEL, SimulatedServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def few_films(settings: Settings) -> None:
    settings.GATE_NUM_PHANTOMS = 8


@pytest.fixture
def serving(tmp_path: Path) -> ModelVersion:
    return serving_model_with_weights(tmp_path / "serving")


@pytest.fixture
def outside(tmp_path: Path, serving: ModelVersion) -> ModelVersion:
    """A folder from elsewhere, with no parent here."""
    return registered(tmp_path / "outside", seed=2)


def registered(folder: Path, *, seed: int) -> ModelVersion:
    write_untrained_model(folder, seed=seed)
    return register_model(folder=folder, preset=PRESETS["phantom"], card={}, actor=None)


def page_of(client: Client, version: ModelVersion) -> str:
    page = client.get(reverse("model-detail", args=[version.uid])).content.decode()
    return page.replace("&#x27;", "'")


def reword(text: str) -> str:
    return text.replace("</think>", " </think>")


def say_nothing(text: str) -> str:
    return "<think> Both lungs are clear </think> The answer is: \\boxed{no acute finding}"


def answer_all(version: ModelVersion, beside: ModelVersion, *, say: Callable[[str], str] = reword) -> None:
    """As if both had answered every film."""
    Evaluation.objects.filter(state=JobState.QUEUED).delete()
    measure_for(version, beside)
    measure_for(version, version, say=say)


def decided(version: ModelVersion, beside: ModelVersion, *, say: Callable[[str], str] = reword) -> None:
    """And as if the gate's next turn had come."""
    request_gate_beside_serving(version, actor=ResearcherFactory.create())
    answer_all(version, beside, say=say)
    reconcile_training()


def test_a_version_from_outside_is_measured_from_its_page_and_serves_by_a_signature(
    outside: ModelVersion, serving: ModelVersion
) -> None:
    researcher = ResearcherFactory.create()
    client = client_of(researcher)
    page = page_of(client, outside)
    assert '<button class="button" disabled aria-describedby="why-not-promoted">Promote' in page
    assert f"The gate has not measured {outside} beside {serving}, which serves." in page
    assert 'id="measure">Measure it by the gate</button>' in page
    client.post(reverse("model-measure", args=[outside.uid]))
    assert GateRequest.objects.values_list("candidate", "beside").get() == (outside.pk, serving.pk)
    asked = set(Evaluation.objects.values_list("model_version", flat=True))
    assert asked == {outside.pk, serving.pk}
    assert AuditEvent.objects.filter(action="request_gate", subject_uid=str(outside.uid)).count() == 1
    waiting = page_of(client, outside)
    assert "Measured before the gate decides" in waiting
    assert f"The gate has not decided on {outside} beside {serving} yet. Wait until" in waiting
    assert 'id="measure"' not in waiting
    with pytest.raises(RefusedByRule, match="is being measured beside"):
        request_gate_beside_serving(outside, actor=researcher)
    answer_all(outside, serving)
    reconcile_training()
    decision = GateDecision.objects.get(candidate=outside)
    assert (decision.outcome, decision.parent) == ("passed", serving)
    assert f'href="{reverse("model-promote", args=[outside.uid])}"' in page_of(client, outside)
    assert serving_model() == serving
    client.post(reverse("model-promote", args=[outside.uid]), {**SIGNATURE, "password": "guessed"})
    assert serving_model() == serving
    client.post(reverse("model-promote", args=[outside.uid]), SIGNATURE)
    assert serving_model() == outside
    assert return_to_former(actor=researcher) == serving


def test_one_that_the_gate_holds_stays_where_it_is(outside: ModelVersion, serving: ModelVersion) -> None:
    researcher = ResearcherFactory.create()
    decided(outside, serving, say=say_nothing)
    assert GateDecision.objects.get(candidate=outside).outcome == "held"
    page = page_of(client_of(researcher), outside)
    assert "a decision stands until another version serves" in page
    assert 'id="measure"' not in page
    with pytest.raises(RefusedByRule, match=r"may not serve\. Held"):
        promote_candidate(outside, actor=researcher, **SIGNATURE)
    with pytest.raises(RefusedByRule, match="a decision stands"):
        request_gate_beside_serving(outside, actor=researcher)


def test_a_decision_beside_another_version_does_not_count_and_it_is_measured_anew(
    outside: ModelVersion, serving: ModelVersion, tmp_path: Path
) -> None:
    researcher = ResearcherFactory.create()
    decided(outside, serving)
    assert promotion_refusal(outside) == ""
    other = registered(tmp_path / "third", seed=3)
    promote(other, actor=None)
    assert promotion_refusal(outside) == (
        f"{outside} was compared with {serving}, which does not serve any more. Measure it by the gate "
        f"beside {other}, which serves now."
    )
    assert 'id="measure"' in page_of(client_of(researcher), outside)
    assert request_gate_beside_serving(outside, actor=researcher) == other
    assert [(one.candidate, one.beside) for one in before_the_gate()] == [(outside, other)]
    answer_all(outside, other)
    assert pass_or_hold(outside).parent == other
    assert GateDecision.objects.filter(candidate=outside).count() == 2
    assert promotion_refusal(outside) == ""


def test_what_was_rolled_back_from_serves_again_by_a_signature_only(
    outside: ModelVersion, serving: ModelVersion
) -> None:
    researcher = ResearcherFactory.create()
    decided(outside, serving)
    promote_candidate(outside, actor=researcher, **SIGNATURE)
    assert find_former_model() == serving
    return_to_former(actor=researcher)
    assert find_former_model() is None
    with pytest.raises(RefusedByRule, match="none to go back to"):
        return_to_former(actor=researcher)
    assert serving_model() == serving
    client = client_of(researcher)
    assert "It serves again by a signature" in page_of(client, outside)
    asked = client.get(reverse("model-promote", args=[outside.uid])).content.decode()
    assert "It served before, until a return" in asked
    outside.refresh_from_db()
    promote_candidate(outside, actor=researcher, **SIGNATURE)
    assert serving_model() == outside
    assert find_former_model() == serving


def test_what_can_not_serve_says_why_where_promote_stands(settings: Settings) -> None:
    serving = ServingModelFactory.create()
    researcher = ResearcherFactory.create()
    client = client_of(researcher)
    here = {"folder": str(django_settings.SHIPPED_MODEL)}

    def says(version: ModelVersion, why: str) -> None:
        page = page_of(client, version)
        assert 'id="why-not-promoted"' in page
        assert why in page
        assert 'id="measure"' not in page
        with pytest.raises(RefusedByRule, match=why):
            request_gate_beside_serving(version, actor=researcher)
        assert not GateRequest.objects.exists()

    recorded: dict[str, Any] = {"source": "recorded", "folder": "", "served_model": "m"}
    says(ModelVersionFactory.create(**recorded), "can't be asked and can't serve")
    given_up = ModelVersionFactory.create(**here)
    retire(given_up, actor=researcher)
    given_up.refresh_from_db()
    says(given_up, "who retired it decided that it never serves")
    says(ModelVersionFactory.create(folder="/absent/model"), "is not here any more")
    says(ModelVersionFactory.create(prompt_version=99, **here), "Register its model again to ask it so")
    endpoint: dict[str, Any] = {"source": "endpoint", "folder": "", "served_model": "m"}
    away = ModelVersionFactory.create(endpoint_url="https://models.example.org/v1", **endpoint)
    says(away, "INFERENCE_ENDPOINTS")
    settings.INFERENCE_ENDPOINTS = ["https://models.example.org"]
    assert promotion_refusal(away) == (
        f"The gate has not measured {away} beside {serving}, which serves. Measure it by the gate first."
    )
    ModelJob.objects.create(
        version=away,
        kind=ModelJob.Kind.ASK,
        state=JobState.FAILED,
        error="No answer came.",
        requested_by=researcher,
    )
    says(away, "did not answer when it was last asked: No answer came.")


def test_a_model_servers_version_is_measured_as_any_other(settings: Settings) -> None:
    """The server is SIMULATED: it runs no model, and answers every film with the same text."""
    server = SimulatedServer()
    try:
        settings.INFERENCE_ENDPOINTS = [server.origin]
        settings.GATE_NUM_PHANTOMS = 2
        ServingModelFactory.create()
        version = register_endpoint(
            url=f"{server.origin}/v1",
            served_model=MODEL,
            key_name="",
            wanted=WantedVersion("deepmedix-r1"),
            actor=None,
        ).version
        request_gate_beside_serving(version, actor=ResearcherFactory.create())
        mine = Evaluation.objects.filter(model_version=version)
        for evaluation in mine:
            run_evaluation(evaluation.pk)
        assert set(mine.values_list("state", "error")) == {(JobState.DONE, "")}
        drawn = mine.get(benchmark__suite="sealed", benchmark__site="first")
        assert [row["score"]["num_named"] for row in drawn.cases] == [1, 1]
    finally:
        server.kill()


def test_only_who_trains_has_versions_measured(outside: ModelVersion) -> None:
    admin = AdminFactory.create()
    with pytest.raises(NotYours):
        request_gate_beside_serving(outside, actor=admin)
    assert client_of(admin).post(reverse("model-measure", args=[outside.uid])).status_code == 403
    assert not GateRequest.objects.exists()
