"""Each version is measured once on each benchmark, by a real worker, and a measurement can be stopped."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.selectors import case_pairs, results_of
from deepmedix_review.evaluation.services import ensure_gate_benchmarks
from deepmedix_review.evaluation.tasks import request_evaluation, retry_evaluation
from deepmedix_review.registry.models import ModelVersion
from inference.phantoms import HELD_OUT_SEEDS, SITES, TRAIN_SEEDS
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import serving_model_with_weights
from tests.factories.registry import ModelVersionFactory
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


@pytest.mark.django_db
def test_a_cancelled_measurement_waits_until_a_person_tries_it_again() -> None:
    evaluation = request_evaluation(
        benchmark=ensure_gate_benchmarks()[0], model_version=ModelVersionFactory.create(), actor=None
    )
    jobs.request_cancel(evaluation)
    assert evaluation.state == JobState.CANCELLED
    assert jobs.claim(Evaluation, job_id=evaluation.pk) is None
    retry_evaluation(evaluation, actor=ResearcherFactory.create())
    assert evaluation.state == JobState.QUEUED
