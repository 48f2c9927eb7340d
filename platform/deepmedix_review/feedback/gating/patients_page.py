"""What a candidate's page shows of the sealed patients that the gate measured it on."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from deepmedix_review.common.differences import Piece, differing_pieces
from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.patient_changes import lost, most_changed_pairs, num_compared, repeated
from deepmedix_review.evaluation.patients import Judged, PatientPair
from deepmedix_review.evaluation.services import patients_of
from deepmedix_review.feedback.charts import GatePlot, patients_plot
from deepmedix_review.feedback.gating.patients import SealedSoFar, rests_on_demo, sealed_so_far
from deepmedix_review.feedback.models import GateDecision
from deepmedix_review.feedback.pair_texts import steps_and_answer
from deepmedix_review.registry.models import ModelVersion
from inference.regions import Box
from rl_feedback.gate import Suite
from rl_feedback.sealed_patients import Finding
from rl_feedback.sealed_patients.scoring import pointed_boxes

MOST_SHOWN = 6


@dataclass(frozen=True)
class DrawnBox:
    """In film pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class PatientSide:
    """What one version wrote of the film, and where it pointed."""

    is_candidate: bool
    pieces: tuple[Piece, ...]
    boxes: tuple[DrawnBox, ...]
    unjudged: str


@dataclass(frozen=True)
class PatientCase:
    """One film by the label that screens show; `confirmed` and `struck` are what its readers said, `lost` and
    `repeated` what became of it."""

    label: str
    picture: str
    width: int
    height: int
    confirmed: str
    struck: str
    lost: str
    repeated: str
    boxes: tuple[DrawnBox, ...]
    sides: tuple[PatientSide, PatientSide]


@dataclass(frozen=True)
class PatientsShown:
    """`plot` is None where nothing was compared; `why_not` then says why. `benchmark` is what was set."""

    benchmark: Benchmark | None
    plot: GatePlot | None
    why_not: str
    so_far: SealedSoFar
    cases: tuple[PatientCase, ...]
    num_here: int
    are_of_demo: bool

    @property
    def num_gone(self) -> int:
        """Films that were compared, and were erased or withdrawn since."""
        return self.benchmark.num_phantoms - self.num_here if self.benchmark else 0


def patients_shown(
    version: ModelVersion, decision: GateDecision | None, *, beside: ModelVersion | None
) -> PatientsShown | None:
    """None of a version that is compared with no other."""
    if beside is None:
        return None
    benchmark = patients_of(version)
    plot = patients_plot(decision) if decision else None
    both = _measured_both(decision) if decision and plot else None
    pairs = most_changed_pairs(*both, number=MOST_SHOWN) if both else []
    return PatientsShown(
        benchmark=benchmark,
        plot=plot,
        why_not=_why_not(decision, benchmark) if plot is None else "",
        so_far=sealed_so_far(),
        cases=tuple(map(_case, pairs)),
        num_here=num_compared(*both) if both else 0,
        are_of_demo=benchmark is not None and rests_on_demo(benchmark),
    )


def _why_not(decision: GateDecision | None, benchmark: Benchmark | None) -> str:
    if decision is None:
        if benchmark is not None and benchmark.num_phantoms:
            return "They are being measured."
        return "" if benchmark is None else "No reader had said anything of a sealed patient when it came."
    if not any(guard.get("suite") == Suite.PATIENTS for guard in decision.policy.get("guards", ())):
        return "The policy that it was decided by does not look at them."
    return str(decision.absent.get(Suite.PATIENTS, "The gate decided without measuring anything."))


def _measured_both(decision: GateDecision) -> tuple[Evaluation, Evaluation] | None:
    """Of the parent, then of the candidate."""
    on_patients = decision.evaluations.filter(benchmark__suite=Benchmark.Suite.PATIENTS).defer("cases")
    rows: dict[int, Evaluation] = {
        one.model_version_id: one for one in on_patients.select_related("benchmark", "model_version")
    }
    return (rows[decision.parent_id], rows[decision.candidate_id]) if len(rows) == 2 else None


def _case(pair: PatientPair) -> PatientCase:
    texts = (_readable(pair.parent.text), _readable(pair.candidate.text))
    before, after = differing_pieces(*texts)
    film, known = pair.film, pair.reference
    return PatientCase(
        label=film.study.label,
        picture=reverse("film-picture", args=[film.uid]),
        width=film.columns,
        height=film.rows,
        confirmed=_listed([one.finding for one in known.confirmed]),
        struck=_listed([*known.struck, *known.denied]),
        lost=_listed(lost(pair)),
        repeated=_listed(repeated(pair)),
        boxes=tuple(_drawn(box) for one in known.confirmed for box in one.boxes),
        sides=(
            _side(pair.parent, before, is_candidate=False),
            _side(pair.candidate, after, is_candidate=True),
        ),
    )


def _readable(text: str) -> str:
    return steps_and_answer(text) or text or "(nothing)"


def _side(judged: Judged, pieces: tuple[Piece, ...], *, is_candidate: bool) -> PatientSide:
    boxes = tuple(map(_drawn, pointed_boxes(judged.text, judged.how)))
    return PatientSide(is_candidate, pieces, boxes, _listed(judged.score.unjudged))


def _listed(findings: Sequence[Finding]) -> str:
    return ", ".join(map(str, findings))


def _drawn(box: Box) -> DrawnBox:
    return DrawnBox(
        round(box.x_min, 1),
        round(box.y_min, 1),
        round(box.x_max - box.x_min, 1),
        round(box.y_max - box.y_min, 1),
    )
