"""Asks a version about films of sealed patients, keeps what it wrote, and compares two versions by what
readers had said of the same films."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from deepmedix_review.common import jobs
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Benchmark, Evaluation, PatientAnswer, PatientFilm
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.storage import film_path
from inference.dialects import Dialect
from inference.engines import Done, Engine
from inference.images import Grey, render_reference
from inference.prompts import template
from rl_feedback.evaluation.phantoms import FILMS_PER_ROUND, AskedHow, EvaluationFailed, answers_of
from rl_feedback.gate import BenchmarkScores, Suite
from rl_feedback.phantom_figures import figures_of
from rl_feedback.sealed_patients import (
    LABELS,
    Reference,
    SealedScore,
    WroteHow,
    score_sealed,
    sealed_case_scores,
)

NAME = "sealed patients of this site"


@dataclass(frozen=True)
class Judged:
    """What one version wrote of a film, and how that stands to what its readers said."""

    text: str
    how: WroteHow
    score: SealedScore


@dataclass(frozen=True)
class PatientPair:
    """The same film of a sealed patient as two versions answered it; `place` is its key in the benchmark."""

    place: int
    film: Instance
    reference: Reference
    parent: Judged
    candidate: Judged


def ask_of_patients(
    evaluation: Evaluation,
    engine: Engine,
    *,
    asked: AskedHow,
    on_round: Callable[[Sequence[tuple[int, Done]]], None],
) -> None:
    """Asks the engine about every film that has no answer yet and whose study is in use now. `on_round` gets
    a few answers at once, each with the film's place in the benchmark; what it raises ends the asking. Raises
    EvaluationFailed where a film can't be read, or has no answer."""
    answered = set(evaluation.patient_answers.values_list("of", flat=True))
    every = list(in_use(evaluation.benchmark).exclude(pk__in=answered).order_by("pk"))
    for start in range(0, len(every), FILMS_PER_ROUND):
        films = every[start : start + FILMS_PER_ROUND]
        shown = [(str(row.pk), _picture(row.film)) for row in films]
        on_round(list(zip((row.pk for row in films), answers_of(engine, shown, asked), strict=True)))


def keep_answers(evaluation: Evaluation, answers: Sequence[tuple[int, Done]]) -> None:
    """Renew the lease and keep every answer to a film that is still here. Raises what a heartbeat does, with
    the answers kept where a person asked for the end."""
    with transaction.atomic():
        keep_whole()
        jobs.hold(evaluation)
        here = set(evaluation.benchmark.patient_films.values_list("pk", flat=True))
        PatientAnswer.objects.bulk_create(
            PatientAnswer(
                evaluation=evaluation,
                of_id=of,
                text=answer.text,
                model_width=answer.model_size[0],
                model_height=answer.model_size[1],
            )
            for of, answer in answers
            if of in here
        )
    jobs.heartbeat(evaluation, is_kept=True, num_done=evaluation.patient_answers.count())


def record_patients(evaluation: Evaluation) -> None:
    """Keep the figures over all answers, and end the job."""
    with transaction.atomic():
        keep_whole()
        jobs.hold(evaluation)
        num_done = evaluation.patient_answers.count()
        jobs.finish(evaluation, state=JobState.DONE, num_done=num_done, figures=_figures(evaluation))


def patient_pairs(parent: Evaluation, candidate: Evaluation) -> list[PatientPair]:
    """Films that both answered, of studies that are in use: what was erased, or withdrawn since, is no more
    compared."""
    return pairs_of(list(in_use(candidate.benchmark).order_by("pk")), parent, candidate)


def pairs_of(rows: Sequence[PatientFilm], parent: Evaluation, candidate: Evaluation) -> list[PatientPair]:
    """The same of these films alone, in their order."""
    before, after = _judged(parent, rows), _judged(candidate, rows)
    return [
        PatientPair(row.pk, row.film, Reference.from_json(row.reference), before[row.pk], after[row.pk])
        for row in rows
        if row.pk in before and row.pk in after
    ]


def compared_on_patients(pairs: Sequence[PatientPair]) -> BenchmarkScores:
    """Both versions' figures film by film, whole patients to be drawn."""
    references = [pair.reference for pair in pairs]
    return BenchmarkScores(
        NAME,
        sealed_case_scores([pair.parent.score for pair in pairs], references),
        sealed_case_scores([pair.candidate.score for pair in pairs], references),
        Suite.PATIENTS,
        tuple(pair.film.study.patient_pseudonym for pair in pairs),
    )


def patient_texts(evaluation: Evaluation) -> list[tuple[int, str]]:
    return list(evaluation.patient_answers.order_by("of").values_list("of", "text"))


def _figures(evaluation: Evaluation) -> dict[str, dict[str, object]]:
    """The version's own, with intervals by film."""
    rows = list(evaluation.benchmark.patient_films.select_related("film"))
    judged = _judged(evaluation, rows)
    if not judged:
        return {}
    known = {row.pk: Reference.from_json(row.reference) for row in rows}
    scores = sealed_case_scores([one.score for one in judged.values()], [known[key] for key in judged])
    found = figures_of({name: cases for name, cases in scores.items() if any(cases.weights)}, LABELS)
    return {
        name: {"label": one.label, "mean": one.mean, "low": one.low, "high": one.high, "weight": one.weight}
        for name, one in found.items()
    }


def _judged(evaluation: Evaluation, rows: Sequence[PatientFilm]) -> dict[int, Judged]:
    """By the film's place in the benchmark."""
    version: ModelVersion = evaluation.model_version
    reasons = template(version.prompt_template).reasons
    by_place = {row.pk: row for row in rows}
    found = {}
    for answer in evaluation.patient_answers.filter(of__in=by_place):
        row = by_place[answer.of_id]
        how = WroteHow(
            version.box_frame,
            (answer.model_width, answer.model_height),
            (row.film.columns, row.film.rows),
            dialect=Dialect(version.dialect),
            reasons=reasons,
            preparation=version.image_preparation,
        )
        reference = Reference.from_json(row.reference)
        found[answer.of_id] = Judged(answer.text, how, score_sealed(answer.text, reference, how))
    return found


def in_use(benchmark: Benchmark) -> QuerySet[PatientFilm]:
    """Its films of studies that are in use now."""
    rows = benchmark.patient_films.filter(film__series__study__state=Study.State.READY)
    return rows.select_related("film__series__study")


def _picture(film: Instance) -> Grey:
    try:
        return render_reference(film_path(film))
    except OSError as error:
        raise EvaluationFailed(
            "A film's file is missing from the film folder, or can't be read. Restore it, then retry."
        ) from error
