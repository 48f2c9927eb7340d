"""Which patients of the site a candidate is measured on: sealed ones, whose films readers have read."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.patients import PatientPair, compared_on_patients, patient_pairs
from deepmedix_review.evaluation.services import patients_of, set_patients
from deepmedix_review.feedback.gating.compared import compared_with
from deepmedix_review.feedback.gating.policies import current_policy
from deepmedix_review.feedback.judgements import as_judged, readings_signed_by
from deepmedix_review.feedback.simulated_loop.readers import SIMULATED
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import (
    AnswerRating,
    MissedFinding,
    Reading,
    RegionAnnotation,
    StepRating,
)
from deepmedix_review.reviews.selectors import signed_readings
from deepmedix_review.studies.collecting.split import Shares, side_of_patient
from deepmedix_review.studies.models import Instance, Split, Study
from inference.prompts import template
from rl_feedback.gate import BenchmarkScores, Suite
from rl_feedback.gate.built_in import FEWEST_PATIENTS
from rl_feedback.sealed_patients import Reference, references_of

# Films that both versions answer before each decision; the oldest studies stand for all.
MOST_FILMS = 500
_STUDY = "assignment__case__study"
_OF_DEMO = Q(assignment__case__reader_study__is_demo=True)
# Which of two outputs is the better one, as shadow studies ask, tells nothing of what a film shows.
_SAYS_MORE_THAN_A_VOTE = (
    Q(Exists(StepRating.objects.filter(reading=OuterRef("pk"))))
    | Q(Exists(AnswerRating.objects.filter(reading=OuterRef("pk"))))
    | Q(Exists(RegionAnnotation.objects.filter(reading=OuterRef("pk"))))
    | Q(Exists(MissedFinding.objects.filter(reading=OuterRef("pk"))))
)


@dataclass(frozen=True)
class SealedSoFar:
    """Sealed patients with a signed reading that counts, and how many it takes to hold a candidate.
    `are_of_demo`: they are drawn ones, of the demonstration."""

    num_patients: int
    are_of_demo: bool
    fewest: int = FEWEST_PATIENTS


def sealed_so_far() -> SealedSoFar:
    readings = _readings_of_sealed()
    patients = readings.order_by().values(f"{_STUDY}__patient_pseudonym").distinct()
    return SealedSoFar(patients.count(), are_of_demo=readings.filter(_OF_DEMO).exists())


def rests_on_demo(benchmark: Benchmark) -> bool:
    """Whether its films are the drawn ones of the demonstration."""
    return benchmark.patient_films.filter(film__series__study__cases__reader_study__is_demo=True).exists()


def are_patients_set(candidate: ModelVersion) -> bool:
    """Or the policy that counts now does not look at any."""
    return patients_of(candidate) is not None or not current_policy().of(Suite.PATIENTS)


def ensure_patients(candidate: ModelVersion, *, beside: ModelVersion | None = None) -> None:
    """The sealed patients that the candidate and the other version answer: set when it first comes before the
    gate, before anything of it is measured, and never changed."""
    if are_patients_set(candidate):
        return
    other = beside or compared_with(candidate)
    if other is None:
        raise RefusedByRule(f"{candidate} has no parent to be compared with.")
    try:
        with transaction.atomic():
            keep_whole()
            films = _films(prompt_of(other))
            patients = {film.study.patient_pseudonym for film in films}
            set_patients(candidate, films=films, num_patients=len(patients))
    except IntegrityError:
        # Another worker set them meanwhile, or something else is wrong.
        if patients_of(candidate) is None:
            raise


@dataclass(frozen=True)
class PatientsCompared:
    """`absent` says why there are no scores."""

    scores: tuple[BenchmarkScores, ...]
    absent: str = ""
    pairs: Sequence[PatientPair] = ()


def compare_on_patients(both: Sequence[tuple[Evaluation, Evaluation]]) -> PatientsCompared:
    """`both` are the finished measurements of parent and candidate, of every benchmark."""
    on_patients = [two for two in both if two[1].benchmark.suite == Suite.PATIENTS]
    if not on_patients:
        return PatientsCompared(
            (), "No reader had said anything of a sealed patient when the candidate came."
        )
    pairs = [pair for before, after in on_patients for pair in patient_pairs(before, after)]
    if not pairs:
        return PatientsCompared((), "Every film of theirs was withdrawn or erased before the gate decided.")
    return PatientsCompared((compared_on_patients(pairs),), pairs=pairs)


def prompt_of(version: ModelVersion) -> str:
    """What the gate asks it."""
    asked = template(version.prompt_template)
    return asked.render(asked.default_query)


def _readings_of_sealed() -> QuerySet[Reading]:
    """Signed, and no repeat, control or practice; of readers who are persons and said more than which of two
    outputs is the better one."""
    return signed_readings().filter(_of_sealed())


def _of_sealed() -> Q:
    """The demonstration's drawn films stand in until a sealed patient of the site's own is read: beside these
    they would only make the number larger."""
    sealed = Study.objects.annotate(side=side_of_patient(Shares())).filter(side=Split.TEST)
    every = Q(**{f"{_STUDY}__in": sealed.values("pk")}) & ~Q(assignment__reader__pseudonym__in=SIMULATED)
    every &= _SAYS_MORE_THAN_A_VOTE
    return every & ~_OF_DEMO if signed_readings().filter(every & ~_OF_DEMO).exists() else every


def _films(prompt: str) -> Mapping[Instance, Reference]:
    """Of each study the film that most of its readings are of, where they tell anything of it; in the order
    in which the studies came in."""
    by_film: dict[Instance, list[Reading]] = defaultdict(list)
    for reading in readings_signed_by(timezone.now(), only=_of_sealed()):
        by_film[reading.completion_a.instance].append(reading)
    most: dict[int, Instance] = {}
    counted = Counter({film: len(readings) for film, readings in by_film.items()})
    for film in sorted(by_film, key=lambda one: (-counted[one], one.pk)):
        most.setdefault(film.study.pk, film)
    films = {str(film.pk): film for _, film in sorted(most.items())[:MOST_FILMS]}
    references = references_of(
        {key: [as_judged(reading) for reading in by_film[film]] for key, film in films.items()}, prompt=prompt
    )
    return {film: references[key] for key, film in films.items() if references[key].tells}
