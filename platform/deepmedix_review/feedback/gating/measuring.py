"""Has a version and the one that it is compared with measured, so that the gate can decide."""

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.services import ensure_benchmarks_for
from deepmedix_review.evaluation.tasks import request_evaluation
from deepmedix_review.feedback.gating.compared import compared_with, decision_beside
from deepmedix_review.feedback.gating.patients import ensure_patients
from deepmedix_review.feedback.models import GateRequest
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import find_serving_model, unreachable_because
from deepmedix_review.registry.services import lock_registry

MEASURE = "Measure it by the gate"


def request_gate(candidate: ModelVersion, *, actor: User | None, beside: ModelVersion | None = None) -> None:
    """Measure the candidate and the other version on every benchmark of the gate; the gate decides when all
    are done. Without `beside` the one that it is compared with."""
    other = beside or compared_with(candidate)
    if other is None:
        raise RefusedByRule(f"{candidate} has no parent to be compared with.")
    ensure_patients(candidate, beside=other)
    for benchmark in ensure_benchmarks_for(candidate):
        for version in (other, candidate):
            request_evaluation(benchmark=benchmark, model_version=version, actor=actor)


def request_gate_beside_serving(version: ModelVersion, *, actor: User) -> ModelVersion:
    """A person has any version that can answer measured beside the one that serves now, which is returned.
    Raises RefusedByRule, saying what stands in the way."""
    require(actor, Capability.TRAIN_MODELS)
    with transaction.atomic():
        lock_registry()
        version = ModelVersion.objects.select_related("parent").get(pk=version.pk)
        if refusal := measuring_refusal(version):
            raise RefusedByRule(refusal)
        serving = find_serving_model()
        if serving is None:
            raise RefusedByRule(NONE_SERVES)
        _, is_new = GateRequest.objects.get_or_create(
            candidate=version, beside=serving, defaults={"requested_by": actor}
        )
        if is_new:
            record_event(
                actor=actor, action="request_gate", subject=version, details={"beside": serving.number}
            )
        request_gate(version, actor=actor, beside=serving)
    return serving


NONE_SERVES = (
    "No version serves, so there is none to compare it with. Whoever runs this installation lets one serve "
    "first: `manage.py register_shipped_model`."
)


def never_serves_because(version: ModelVersion) -> str:
    """Why it can neither be measured nor promoted, now or ever; empty where it may be."""
    if version.state == ModelVersion.State.SERVING:
        return f"{version} is serving already."
    if version.state == ModelVersion.State.RETIRED and version.promoted_at is None:
        return f"{version} is retired already: who retired it decided that it never serves. Choose another."
    return unreachable_because(version)


def measuring_refusal(version: ModelVersion) -> str:
    """Why it can't be measured beside the version that serves now; empty where it can."""
    if refusal := never_serves_because(version):
        return refusal
    serving = find_serving_model()
    if serving is None:
        return NONE_SERVES
    if decision_beside(version, serving) is not None:
        return f"The gate has decided on {version} beside {serving}, and a decision stands."
    if compared_with(version) == serving and _is_waited_for(version, serving):
        return f"{version} is being measured beside {serving}."
    return ""


def _is_waited_for(version: ModelVersion, serving: ModelVersion) -> bool:
    if version.parent == serving and hasattr(version, "training_run"):
        return True
    return GateRequest.objects.filter(candidate=version, beside=serving).exists()
