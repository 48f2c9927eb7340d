"""Reads what was measured: which evaluations there are, how far they are, and their cases."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform

from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.patients import patient_texts
from deepmedix_review.evaluation.suites import compared
from deepmedix_review.registry.models import ModelVersion
from rl_feedback.evaluation.phantoms import CaseResult, case_from_json
from rl_feedback.gate import BenchmarkScores


@dataclass(frozen=True)
class CasePair:
    """The same held-out film as two versions answered it."""

    benchmark: Benchmark
    parent: CaseResult
    candidate: CaseResult


def evaluations_of(versions: Sequence[ModelVersion]) -> QuerySet[Evaluation]:
    """Without the cases, which are large; newest first."""
    return (
        Evaluation.objects.filter(model_version__in=versions)
        .select_related("benchmark", "model_version", "cancelled_by")
        .defer("cases")
        .order_by("-id")
    )


def measured(version: ModelVersion, benchmark: Benchmark) -> Evaluation | None:
    """The finished measurement of this version on this benchmark, with its cases."""
    rows = Evaluation.objects.select_related("benchmark")
    return rows.filter(model_version=version, benchmark=benchmark, state=JobState.DONE).first()


def results_of(evaluation: Evaluation) -> tuple[CaseResult, ...]:
    return tuple(case_from_json(row) for row in evaluation.cases)


def scores_of(parent: Evaluation, candidate: Evaluation) -> BenchmarkScores:
    """Both versions' figures film by film, as the gate compares them."""
    if parent.benchmark_id != candidate.benchmark_id:
        raise ValueError("The two versions were measured on different films: evaluate them on one benchmark.")
    return compared(candidate.benchmark, parent.cases, candidate.cases)


def write_the_same(parent: Evaluation, candidate: Evaluation) -> bool:
    """Whether two versions that were asked about the same films wrote the same texts, word for word."""
    if candidate.benchmark.suite == Benchmark.Suite.PATIENTS:
        return patient_texts(parent) == patient_texts(candidate)
    return [row["text"] for row in parent.cases] == [row["text"] for row in candidate.cases]


def chosen_pairs(parent: Evaluation, candidate: Evaluation, *, places: Sequence[int]) -> list[CasePair]:
    """As `case_pairs`, of the films with these numbers alone: the others stay in the database."""
    if not places:
        return []
    rows = Evaluation.objects.filter(pk__in=(parent.pk, candidate.pk))
    found = {
        pk: list(map(case_from_json, cases))
        for pk, *cases in rows.values_list("pk", *(KeyTransform(str(place), "cases") for place in places))
    }
    both = zip(found[parent.pk], found[candidate.pk], strict=True)
    return [CasePair(candidate.benchmark, before, after) for before, after in both]


def case_pairs(parent: Evaluation, candidate: Evaluation) -> tuple[CasePair, ...]:
    """Both versions' answers film by film. Raises ValueError where they were not given the same films."""
    before, after = results_of(parent), results_of(candidate)
    if parent.benchmark_id != candidate.benchmark_id or [r.seed for r in before] != [r.seed for r in after]:
        raise ValueError("The two versions were measured on different films: evaluate them on one benchmark.")
    return tuple(CasePair(candidate.benchmark, a, b) for a, b in zip(before, after, strict=True))
