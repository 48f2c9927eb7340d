"""A run of two workers on a real Ray cluster: asked for on the page, cancelled, gone on with, followed by the
next worker when the one that followed it is killed, while another run learns here."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from django.conf import settings as product
from django.test import Client
from django.urls import reverse

from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.models import GateDecision, TrainingRun
from deepmedix_review.feedback.runs.engines import stop_left_job, view_of
from deepmedix_review.feedback.runs.folders import run_folder
from deepmedix_review.feedback.selectors import run_ahead_of
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.feedback.tasks import reconcile_training, request_training
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from rl_feedback.engines.ray_cluster import RayCluster
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.recipe import Recipe, run_recipe
from tests.deepmedix_review.feedback.test_learning_by_workers import reached, state_is
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, serving_model_with_weights
from tests.ray_node import RayNode
from tests.workers import Workers, wait_until

STEPS = 60
FEW = {"num_steps": STEPS, "examples_per_step": 2, "replay_per_step": 2, "sample_every": 0}


SHORT = {"stages": [{"kind": "dpo", **FEW, "num_steps": 2}]}


class Enough(Exception):
    pass


def test_a_run_on_the_cluster_is_cancelled_gone_on_with_and_followed_by_the_next_worker_without_a_second_job(
    celery_workers: Workers, ray_node: RayNode, settings, tmp_path: Path
) -> None:
    settings.RAY_ADDRESS, settings.RAY_SHARED_FOLDER = ray_node.address, tmp_path / "shared"
    named = {"RAY_ADDRESS": ray_node.address, "RAY_SHARED_FOLDER": str(tmp_path / "shared")}
    model = serving_model_with_weights(tmp_path / "model")
    ModelVersion.objects.filter(pk=model.pk).update(max_new_tokens=16)
    for number, vote in enumerate((Vote.Side.A, Vote.Side.B)):
        a_reading_to_learn_from(model, seed=2_000_000 + 10 * number, vote=vote)
    researcher = ResearcherFactory.create()
    dataset = freeze_dataset(title="Two readings", actor=researcher)
    client = Client()
    client.force_login(researcher)
    asked = {
        "recipe": "dpo",
        "engine": "ray",
        "num_workers": "2",
        **{f"dpo-1-{name}": value for name, value in FEW.items()},
    }
    # Every part knows of the cluster, as where an operator names it: the sweep sends a run to who follows it.
    celery_workers.restart("io", **named)
    celery_workers.start("cluster", **named)
    try:
        client.post(reverse("dataset-train", args=[dataset.uid]), asked)
        run = TrainingRun.objects.get()
        wait_until(reached(run, 11), what="the run reaches step 11")
        workers = ray_node.workers()
        assert len(workers) == 2
        client.post(reverse("training-run-cancel", args=[run.uid]))
        wait_until(state_is(run, JobState.CANCELLED), what="the run is cancelled")
        reconcile_training()
        run.refresh_from_db()
        assert run.cluster_job == ""
        assert psutil.wait_procs(workers, timeout=60)[1] == []
        for figures in first_steps_here(run, tmp_path):
            # Each worker takes the mean over its own tokens.
            told = run.metrics.get(step=figures.step).values
            for name in ("loss", "replay_loss"):
                assert told[name] == pytest.approx(figures.values[name], rel=0.02)

        seen_by_a_sweep = TrainingRun.objects.get()
        seen_by_a_sweep.cluster_job = str(run.uid)
        client.post(reverse("training-run-retry", args=[run.uid]))
        wait_until(runs_on_cluster(run, ray_node), what="it goes on")
        stop_left_job(seen_by_a_sweep)
        assert runs_on_cluster(run, ray_node)()
        beside = request_training(dataset=dataset, actor=researcher, recipe=SHORT)
        assert run_ahead_of(beside) is None
        celery_workers.kill("cluster")
        celery_workers.start("cluster", **named)
        wait_until(state_is(run, JobState.DONE), what="the run is done")
    finally:
        celery_workers.stop("cluster")
        celery_workers.restart("io")
    assert statuses(run, ray_node) == {f"{run.uid}-1": "STOPPED", f"{run.uid}-2": "SUCCEEDED"}
    assert run.attempt == 2
    wait_until(state_is(beside, JobState.DONE), what="the run here is done")
    # It had not waited for the one on the cluster.
    assert beside.started_at is not None
    assert run.finished_at is not None
    assert beside.started_at < run.finished_at
    assert list(run.metrics.values_list("step", flat=True)) == list(range(1, STEPS + 1))
    assert run.candidate is not None
    assert Path(run.candidate.folder).parent == Path(product.MODEL_FOLDER) / "runs" / str(run.uid)
    assert not (tmp_path / "shared" / str(run.uid)).exists()
    assert "RayTrainWorker" in (run_folder(run) / "cluster.log").read_text()
    page = client.get(reverse("training-run", args=[run.uid])).content.decode()
    assert "<dt>Engine</dt><dd>The Ray cluster, 2 workers</dd>" in page
    decided = GateDecision.objects.filter(candidate=run.candidate)
    wait_until(decided.exists, what="the gate decides")


def first_steps_here(run: TrainingRun, place: Path) -> list[StepFigures]:
    """Three steps of the same recipe, by one process."""
    seen: list[StepFigures] = []

    def see(figures: StepFigures) -> None:
        seen.append(figures)
        if figures.step == 3:
            raise Enough

    with pytest.raises(Enough):
        run_recipe(
            Recipe.from_json(run.recipe),
            parent=Path(run.parent_version.folder),
            data=run_folder(run) / "data",
            view=view_of(run),
            work=place / "work",
            out=place / "out",
            on_step=see,
        )
    return seen


def statuses(run: TrainingRun, node: RayNode) -> dict[str, str]:
    """Of the run's jobs on the cluster."""
    jobs = RayCluster(node.address).client().list_jobs()
    return {
        one.submission_id: str(one.status.value)
        for one in jobs
        if str(one.submission_id).startswith(str(run.uid))
    }


def runs_on_cluster(run: TrainingRun, node: RayNode) -> Callable[[], bool]:
    return lambda: statuses(run, node).get(f"{run.uid}-2") == "RUNNING"
