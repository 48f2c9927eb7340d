"""The learning half of the road by real workers: frozen readings become a candidate, and the gate decides on
it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Evaluation, PatientFilm
from deepmedix_review.evaluation.services import ensure_benchmarks_for
from deepmedix_review.feedback.models import GateDecision, TrainingRun
from deepmedix_review.feedback.selectors import lineage_of
from deepmedix_review.feedback.services import cancel_training, freeze_dataset
from deepmedix_review.feedback.tasks import request_training, request_training_retry
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from rl_feedback.gate import Suite
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, a_sealed_reading, serving_model_with_weights
from tests.workers import Workers, wait_until

FEW = {"num_steps": 4, "examples_per_step": 2, "replay_per_step": 1, "checkpoint_every": 2}
MANY = {**FEW, "num_steps": 30}


def state_is(run: TrainingRun, state: JobState) -> Callable[[], bool]:
    def holds() -> bool:
        run.refresh_from_db()
        assert run.state not in {JobState.FAILED} - {state}, run.error
        return run.state == state

    return holds


def reached(run: TrainingRun, step: int) -> Callable[[], bool]:
    def holds() -> bool:
        run.refresh_from_db()
        assert not run.is_final, f"The run ended as {run.state} before step {step}: {run.error}"
        return run.step >= step

    return holds


def gate_decided(run: TrainingRun) -> Callable[[], bool]:
    return lambda: GateDecision.objects.filter(candidate__training_run=run).exists()


@pytest.fixture
def run_of(tmp_path: Path) -> Callable[[dict[str, int]], TrainingRun]:
    """Requests a run of these settings on two signed readings, from a model that says little; two more are
    of sealed patients."""

    def request(config: dict[str, int]) -> TrainingRun:
        model = serving_model_with_weights(tmp_path / "model")
        ModelVersion.objects.filter(pk=model.pk).update(max_new_tokens=16)
        for number, vote in enumerate((Vote.Side.A, Vote.Side.B)):
            a_reading_to_learn_from(model, seed=2_000_000 + 10 * number, vote=vote)
        for seed in (2_000_100, 2_000_110):
            a_sealed_reading(model, seed=seed)
        researcher = ResearcherFactory.create()
        dataset = freeze_dataset(title="Two readings", actor=researcher)
        recipe = {"stages": [{"kind": "dpo", **config}]}
        return request_training(dataset=dataset, actor=researcher, recipe=recipe)

    return request


def test_a_run_ends_with_one_candidate_on_which_the_gate_decides(
    celery_workers: Workers, run_of: Callable[[dict[str, int]], TrainingRun]
) -> None:
    run = run_of(FEW)
    wait_until(state_is(run, JobState.DONE), what="the run is done")
    assert list(run.metrics.values_list("step", flat=True)) == [1, 2, 3, 4]
    candidate = run.candidate
    assert candidate is not None
    assert candidate.parent == run.parent_version
    assert Path(candidate.folder, "model.safetensors").is_file()
    wait_until(gate_decided(run), what="the gate decides")
    decision = GateDecision.objects.get(candidate=candidate)
    assert decision.sentence.startswith(("Passed.", "Held."))
    assert decision.evaluations.count() == 2 * len(ensure_benchmarks_for(candidate)) == 12
    for evaluation in Evaluation.objects.filter(model_version=candidate):
        kept = len(evaluation.cases) + evaluation.patient_answers.count()
        assert evaluation.num_done == kept == evaluation.benchmark.num_phantoms
    on_patients = [row for row in decision.comparisons if row["suite"] == Suite.PATIENTS]
    assert {row["verdict"] for row in on_patients} == {"too few", "shown"}
    assert {row["num_cases"] for row in on_patients} == {2}
    assert {reading.study for reading in lineage_of(candidate).readings}.isdisjoint(
        row.film.study.uid for row in PatientFilm.objects.filter(benchmark__drawn_for=candidate)
    )


def test_a_run_whose_worker_is_killed_goes_on_after_a_restart_and_ends_once(
    celery_workers: Workers, run_of: Callable[[dict[str, int]], TrainingRun]
) -> None:
    run = run_of(MANY)
    wait_until(reached(run, 7), what="the run reaches step 7")
    celery_workers.kill("learning")
    run.refresh_from_db()
    assert run.state == JobState.RUNNING
    celery_workers.start("learning")
    wait_until(state_is(run, JobState.DONE), what="the run is done after the restart")
    assert run.attempt == 2
    assert list(run.metrics.values_list("step", flat=True)) == list(range(1, MANY["num_steps"] + 1))
    assert list(ModelVersion.objects.filter(training_run__isnull=False)) == [run.candidate]
    wait_until(gate_decided(run), what="the gate decides")


def test_a_cancelled_run_stops_and_goes_on_from_its_checkpoint_when_tried_again(
    celery_workers: Workers, run_of: Callable[[dict[str, int]], TrainingRun]
) -> None:
    run = run_of(MANY)
    researcher = run.requested_by
    assert researcher is not None
    wait_until(reached(run, 5), what="the run reaches step 5")
    cancel_training(run, actor=researcher)
    wait_until(state_is(run, JobState.CANCELLED), what="the run is cancelled")
    stopped_at = run.step
    assert stopped_at < MANY["num_steps"]
    assert run.candidate is None
    request_training_retry(run, actor=researcher)
    wait_until(state_is(run, JobState.DONE), what="the run is done when tried again")
    assert run.metrics.count() == MANY["num_steps"]
    wait_until(gate_decided(run), what="the gate decides")
