"""Each version is measured once on each benchmark, by a real worker, and a measurement can be stopped."""

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation import tasks
from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.selectors import case_pairs, results_of
from deepmedix_review.evaluation.services import (
    cancel_evaluation,
    ensure_benchmarks_for,
    ensure_gate_benchmarks,
)
from deepmedix_review.evaluation.suites import as_json, measure
from deepmedix_review.evaluation.tasks import request_evaluation, retry_evaluation, run_evaluation
from deepmedix_review.registry.models import ModelVersion
from inference.engines import Event, GenerationRequest
from inference.phantoms import HELD_OUT_SEEDS, SITES, TRAIN_SEEDS
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.knowing import ASKED, Knowing
from tests.factories.learning import serving_model_with_weights
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.workers import Workers, wait_until


def ended(evaluation: Evaluation) -> Callable[[], bool]:
    def holds() -> bool:
        evaluation.refresh_from_db()
        return evaluation.is_final

    return holds


@pytest.mark.django_db
def test_the_gates_films_are_held_out_and_no_site_shares_them() -> None:
    benchmarks = ensure_gate_benchmarks()
    assert [benchmark.pk for benchmark in ensure_gate_benchmarks()] == [b.pk for b in benchmarks]
    assert [benchmark.site for benchmark in benchmarks] == ["first", "second"]
    seeds = [set(range(b.first_seed, b.first_seed + b.num_phantoms)) for b in benchmarks]
    assert not seeds[0] & seeds[1]
    for chosen in seeds:
        assert chosen <= set(HELD_OUT_SEEDS)
        assert not chosen & set(TRAIN_SEEDS)


@pytest.mark.django_db
def test_films_that_are_drawn_anew_are_another_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ensure_gate_benchmarks()
    monkeypatch.setitem(SITES, "second", replace(SITES["second"], drawing=SITES["second"].drawing + 1))
    again = ensure_gate_benchmarks()
    assert again[0] == first
    assert again[1] != second


@pytest.mark.django_db
def test_more_films_are_another_benchmark_and_too_many_are_refused(settings) -> None:
    few = ensure_gate_benchmarks()
    settings.GATE_NUM_PHANTOMS = 50
    assert not {b.pk for b in few} & {b.pk for b in ensure_gate_benchmarks()}
    settings.GATE_NUM_PHANTOMS = 100_000
    with pytest.raises(ValueError, match="GATE_NUM_PHANTOMS"):
        ensure_gate_benchmarks()


@pytest.mark.django_db
def test_a_version_is_measured_once_on_a_benchmark() -> None:
    benchmark, version = ensure_gate_benchmarks()[0], ModelVersionFactory.create()
    first = request_evaluation(benchmark=benchmark, model_version=version, actor=None)
    assert request_evaluation(benchmark=benchmark, model_version=version, actor=None) == first
    with pytest.raises(IntegrityError, match="one_evaluation_per_model_and_benchmark"), transaction.atomic():
        Evaluation.objects.create(benchmark=benchmark, model_version=version)


@pytest.mark.django_db
def test_answers_to_different_films_are_not_compared() -> None:
    one, other = (Benchmark.objects.create(name=n, first_seed=1, num_phantoms=1, site="first") for n in "ab")
    version = ModelVersionFactory.create()
    a, b = (Evaluation.objects.create(benchmark=x, model_version=version) for x in (one, other))
    with pytest.raises(ValueError, match="different films"):
        case_pairs(a, b)


def test_a_worker_measures_every_film_and_says_why_where_it_cannot(
    celery_workers: Workers, tmp_path: Path
) -> None:
    model = serving_model_with_weights(tmp_path / "model")
    ModelVersion.objects.filter(pk=model.pk).update(max_new_tokens=8)
    lost = ModelVersionFactory.create(number=500, folder="/absent")
    benchmark = ensure_gate_benchmarks()[0]
    measured = request_evaluation(benchmark=benchmark, model_version=model, actor=None)
    failed = request_evaluation(benchmark=benchmark, model_version=lost, actor=None)
    wait_until(ended(measured), what="the evaluation is done")
    assert measured.state == JobState.DONE, measured.error
    seeds = [result.seed for result in results_of(measured)]
    assert seeds == list(range(benchmark.first_seed, benchmark.first_seed + settings.GATE_NUM_PHANTOMS))
    assert measured.num_done == len(seeds)
    assert set(measured.figures) >= {"lesion_recall", "exact_answer", "well_formed"}
    wait_until(ended(failed), what="the evaluation has failed")
    assert failed.state == JobState.FAILED
    assert "/absent" in failed.error


def waiting_on(benchmark: Benchmark) -> Evaluation:
    return request_evaluation(benchmark=benchmark, model_version=ModelVersionFactory.create(), actor=None)


@pytest.mark.django_db
def test_a_cancelled_measurement_waits_until_a_person_lets_it_go_on() -> None:
    evaluation, researcher = waiting_on(ensure_gate_benchmarks()[0]), ResearcherFactory.create()
    with pytest.raises(RefusedByRule, match="is queued; only a failed or cancelled one"):
        retry_evaluation(evaluation, actor=researcher)
    with pytest.raises(NotYours):
        cancel_evaluation(evaluation, actor=ExpertFactory.create())
    assert evaluation.state == JobState.QUEUED
    cancel_evaluation(evaluation, actor=researcher)
    assert (evaluation.state, evaluation.cancelled_by) == (JobState.CANCELLED, researcher)
    told = AuditEvent.objects.get(action="cancel_evaluation")
    assert (told.actor, told.subject_uid) == (researcher, str(evaluation.uid))
    assert jobs.claim(Evaluation, job_id=evaluation.pk) is None
    with pytest.raises(RefusedByRule, match="is cancelled already"):
        cancel_evaluation(evaluation, actor=researcher)
    with pytest.raises(NotYours):
        retry_evaluation(evaluation, actor=ExpertFactory.create())
    retry_evaluation(evaluation, actor=researcher)
    assert (evaluation.state, evaluation.cancelled_by) == (JobState.QUEUED, None)


@pytest.mark.django_db
@pytest.mark.parametrize("suite", ["sealed", "canaries"])
def test_what_was_measured_before_a_cancel_is_kept_and_not_asked_again(
    suite: str, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GATE_NUM_PHANTOMS = 20
    candidate = ModelVersionFactory.create(number=700, parent=ServingModelFactory.create())
    benchmark = next(one for one in ensure_benchmarks_for(candidate) if one.suite == suite)
    evaluation = request_evaluation(benchmark=benchmark, model_version=candidate, actor=None)
    researcher = ResearcherFactory.create()
    num_asked: list[int] = []

    class Asked(Knowing):
        def generate(self, requests: Sequence[GenerationRequest]) -> Generator[Event, None, None]:
            num_asked.append(len(requests))
            if len(num_asked) == 1:
                cancel_evaluation(Evaluation.objects.get(pk=evaluation.pk), actor=researcher)
            yield from super().generate(requests)

    monkeypatch.setattr(tasks, "require_sound", lambda folder, sha256: None)
    monkeypatch.setattr(tasks, "load_engine", lambda settings: Asked(benchmark))
    run_evaluation(evaluation.pk)
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.num_done, len(evaluation.cases)) == (JobState.CANCELLED, 16, 16)
    retry_evaluation(evaluation, actor=researcher)
    run_evaluation(evaluation.pk)
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.num_done, num_asked) == (JobState.DONE, 20, [16, 4])
    at_once = measure(benchmark, Knowing(benchmark), asked=ASKED)
    assert evaluation.cases == [json.loads(json.dumps(as_json(result))) for result in at_once]
