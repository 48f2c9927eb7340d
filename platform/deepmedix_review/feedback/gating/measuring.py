"""Has a candidate and its parent measured, so that the gate can decide."""

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.services import ensure_benchmarks_for
from deepmedix_review.evaluation.tasks import request_evaluation
from deepmedix_review.feedback.gating.patients import ensure_patients
from deepmedix_review.registry.models import ModelVersion


def request_gate(candidate: ModelVersion, *, actor: User | None) -> None:
    """Measure the candidate and its parent on every benchmark of the gate; the gate decides when all are
    done."""
    if candidate.parent is None:
        raise RefusedByRule(f"{candidate} has no parent to be compared with.")
    ensure_patients(candidate)
    for benchmark in ensure_benchmarks_for(candidate):
        for version in (candidate.parent, candidate):
            request_evaluation(benchmark=benchmark, model_version=version, actor=actor)
