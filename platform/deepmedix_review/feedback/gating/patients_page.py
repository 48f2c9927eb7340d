"""What a candidate's page shows of the sealed patients that the gate measured it on."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.patients import Judged, PatientPair, patient_pairs
from deepmedix_review.evaluation.services import patients_of
from deepmedix_review.feedback.charts import GatePlot, patients_plot
from deepmedix_review.feedback.differences import Piece, differing_pieces
from deepmedix_review.feedback.gating.patients import SealedSoFar, sealed_so_far
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

    @property
    def num_gone(self) -> int:
        """Films that were compared, and were erased or withdrawn since."""
        return self.benchmark.num_phantoms - self.num_here if self.benchmark else 0


def patients_shown(version: ModelVersion, decision: GateDecision | None) -> PatientsShown | None:
    """None of a version without a parent: there is nothing to compare it with."""
    if version.parent is None:
        return None
    benchmark = patients_of(version)
    plot = patients_plot(decision) if decision else None
    pairs = _pairs(decision) if decision and plot else []
    return PatientsShown(
        benchmark=benchmark,
        plot=plot,
        why_not=_why_not(decision, benchmark) if plot is None else "",
        so_far=sealed_so_far(),
        cases=tuple(_case(pair) for pair in _most_changed(pairs)),
        num_here=len(pairs),
    )


def _why_not(decision: GateDecision | None, benchmark: Benchmark | None) -> str:
    if decision is None:
        if benchmark is not None and benchmark.num_phantoms:
            return "They are being measured."
        return "" if benchmark is None else "No reader had said anything of a sealed patient when it came."
    if not any(guard.get("suite") == Suite.PATIENTS for guard in decision.policy.get("guards", ())):
        return "The policy that it was decided by does not look at them."
    return str(decision.absent.get(Suite.PATIENTS, "The gate decided without measuring anything."))


def _pairs(decision: GateDecision) -> list[PatientPair]:
    rows: dict[int, Evaluation] = {
        one.model_version_id: one
        for one in decision.evaluations.filter(benchmark__suite=Benchmark.Suite.PATIENTS).select_related(
            "benchmark", "model_version"
        )
    }
    if len(rows) < 2:
        return []
    return patient_pairs(rows[decision.parent_id], rows[decision.candidate_id])


def _most_changed(pairs: Sequence[PatientPair]) -> list[PatientPair]:
    """Confirmed findings lost and struck ones said again first, then whatever else moved."""
    changed = [pair for pair in pairs if pair.parent.text != pair.candidate.text]
    changed.sort(key=lambda pair: (-_harm(pair), -_moved(pair), pair.film.pk))
    return changed[:MOST_SHOWN]


def _harm(pair: PatientPair) -> int:
    return len(_lost(pair)) + len(_repeated(pair))


def _moved(pair: PatientPair) -> float:
    before, after = pair.parent.score, pair.candidate.score
    regions = sum(abs((a or 0.0) - (b or 0.0)) for a, b in zip(before.ious, after.ious, strict=True))
    gained = sum(new and not old for old, new in zip(before.found, after.found, strict=True))
    return regions + gained + abs((before.answer or 0.0) - (after.answer or 0.0))


def _lost(pair: PatientPair) -> list[Finding]:
    both = zip(pair.reference.confirmed, pair.parent.score.found, pair.candidate.score.found, strict=True)
    return [known.finding for known, before, after in both if before and not after]


def _repeated(pair: PatientPair) -> list[Finding]:
    """What readers ruled out, and the candidate says though its parent does not."""
    before, after = pair.parent.score, pair.candidate.score
    said = {*before.struck_said, *before.denied_said}
    return [one for one in (*after.struck_said, *after.denied_said) if one not in said]


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
        lost=_listed(_lost(pair)),
        repeated=_listed(_repeated(pair)),
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
