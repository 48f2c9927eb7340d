"""With which version each is compared at the gate, what the gate said, and who waits for it."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.feedback.models import GateDecision, GateRequest
from deepmedix_review.registry.models import ModelVersion

ENDED_EARLY = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class BeforeTheGate:
    """A version on which the gate has yet to decide, beside another. `is_stuck`: a measurement ended early,
    and a person must let it go on."""

    candidate: ModelVersion
    beside: ModelVersion
    is_stuck: bool


def compared_with(version: ModelVersion) -> ModelVersion | None:
    """The version beside which a person had it measured last; else its parent, if it has one."""
    request = version.gate_requests.select_related("beside").first()
    return request.beside if request else version.parent


def latest_decision(version: ModelVersion) -> GateDecision | None:
    """The gate's last word on it, beside whichever version; without a query where they were fetched."""
    return next(iter(version.gate_decisions.all()), None)


def decision_beside(version: ModelVersion, other: ModelVersion) -> GateDecision | None:
    return GateDecision.objects.select_related("parent").filter(candidate=version, parent=other).first()


def before_the_gate() -> list[BeforeTheGate]:
    """In the order in which the versions were registered: trained ones beside their parents, then those that
    a person had measured. What serves or was retired meanwhile waits for nothing."""
    damaged = Evaluation.objects.filter(is_damaged=True).values("model_version")
    trained = ModelVersion.objects.filter(
        Q(training_run__isnull=False) | Q(pk__in=damaged),
        state=ModelVersion.State.CANDIDATE,
        parent__isnull=False,
    )
    pairs = [
        (candidate, candidate.parent)
        for candidate in trained.exclude(Exists(_decided(OuterRef("pk"), OuterRef("parent"))))
        .annotate(is_stuck=Exists(_ended_early(OuterRef("pk"), OuterRef("parent"))))
        .select_related("parent")
        .order_by("number")
    ]
    requests = (
        GateRequest.objects.exclude(Exists(_decided(OuterRef("candidate"), OuterRef("beside"))))
        .filter(
            Q(candidate__state=ModelVersion.State.CANDIDATE)
            | Q(candidate__state=ModelVersion.State.RETIRED, candidate__promoted_at__isnull=False)
        )
        .annotate(is_stuck=Exists(_ended_early(OuterRef("candidate"), OuterRef("beside"))))
        .select_related("candidate__parent", "beside")
        .order_by("pk")
    )
    found = [BeforeTheGate(one, beside, one.is_stuck) for one, beside in pairs if beside is not None]
    known = {(one.candidate.pk, one.beside.pk) for one in found}
    return found + [
        BeforeTheGate(one.candidate, one.beside, one.is_stuck)
        for one in requests
        if (one.candidate.pk, one.beside.pk) not in known
    ]


def _decided(candidate: OuterRef, beside: OuterRef):  # type: ignore[no-untyped-def]
    return GateDecision.objects.filter(candidate=candidate, parent=beside)


def _ended_early(candidate: OuterRef, beside: OuterRef):  # type: ignore[no-untyped-def]
    return Evaluation.objects.filter(
        Q(benchmark__drawn_for__isnull=True) | Q(benchmark__drawn_for=candidate),
        Q(model_version=candidate) | Q(model_version=beside),
        state__in=ENDED_EARLY,
    )
