"""What breaks runs: kills in every kind of stage, two at once, damage, a full disk, a deletion."""

import resource
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.models import GateDecision, PreferenceDataset, TrainingRun
from deepmedix_review.feedback.runs.folders import run_folder
from deepmedix_review.feedback.selectors import run_ahead_of
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.feedback.tasks import request_training, request_training_retry
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from inference.engines import folder_sha256
from rl_feedback.training.checkpoints import newest_whole_checkpoint
from rl_feedback.training.recipe import Recipe, run_recipe
from rl_feedback.training.view import FilmView
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, serving_model_with_weights
from tests.factories.registry import ServingModelFactory
from tests.workers import Workers, wait_until

STEPS = 10
FEW = {"num_steps": STEPS, "examples_per_step": 2, "replay_per_step": 1, "checkpoint_every": 2}
EVERY_KIND = {
    "stages": [
        {"kind": "sft", **FEW},
        {"kind": "dpo", **FEW},
        {"kind": "kto", **FEW},
        {"kind": "grpo", **FEW, "num_rollouts": 2, "max_new_tokens": 8},
    ]
}
# More than a log line, less than a checkpoint of all weights.
DISK_LEFT_BYTES = 400_000


def fresh(run: TrainingRun) -> TrainingRun:
    return TrainingRun.objects.get(pk=run.pk)


def ended(run: TrainingRun) -> bool:
    return fresh(run).is_final


@pytest.fixture
def dataset(tmp_path: Path, transactional_db: None) -> PreferenceDataset:
    """Two signed readings, of a model that says little."""
    model = serving_model_with_weights(tmp_path / "model")
    ModelVersion.objects.filter(pk=model.pk).update(max_new_tokens=16)
    for number, vote in enumerate((Vote.Side.A, Vote.Side.B)):
        a_reading_to_learn_from(model, seed=2_000_000 + 10 * number, vote=vote)
    return freeze_dataset(title="Two readings", actor=ResearcherFactory.create())


def request(dataset: PreferenceDataset, recipe: dict[str, Any]) -> TrainingRun:
    assert dataset.created_by is not None
    return request_training(dataset=dataset, actor=dataset.created_by, recipe=recipe)


def undisturbed(run: TrainingRun, place: Path) -> str:
    """The sha256 of what the same recipe gives in one go."""
    parent = run.parent_version
    run_recipe(
        Recipe.from_json(run.recipe),
        parent=Path(parent.folder),
        data=run_folder(run) / "data",
        view=FilmView(parent.image_preparation, parent.min_pixels, parent.max_pixels),
        work=place / "work",
        out=place / "out",
        on_step=print,
    )
    return folder_sha256(place / "out")


def cut_newest_checkpoint(run: TrainingRun) -> int:
    """Damage the newest whole checkpoint of the stage in which the run is; its step in that stage."""
    stages = sorted((run_folder(run) / "checkpoints").glob("stage-*/checkpoints"))
    newest = newest_whole_checkpoint(stages[-1])
    assert newest is not None
    weights = newest / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    return int(newest.name.removeprefix("checkpoint-"))


def test_two_runs_whose_workers_are_killed_in_every_kind_of_stage_end_as_one_that_was_not(
    celery_workers: Workers, dataset: PreferenceDataset, tmp_path: Path
) -> None:
    first, second = request(dataset, EVERY_KIND), request(dataset, EVERY_KIND)
    # Each in two of its four stages: a run that fell a third time would be given up.
    kills = {first.pk: [3, STEPS + 5], second.pk: [2 * STEPS + 3, 3 * STEPS + 3]}
    damaged_step = 0

    def to_be_killed() -> TrainingRun | None:
        running = list(TrainingRun.objects.filter(state=JobState.RUNNING, heartbeat_at__isnull=False))
        assert len(running) <= 2
        assert not TrainingRun.objects.filter(state=JobState.FAILED).exists()
        return next((run for run in running if kills[run.pk] and run.step >= kills[run.pk][0]), None)

    while any(kills.values()):
        run = wait_until(to_be_killed, what=f"a run reaches a step of {kills}")
        celery_workers.kill("learning")
        step = kills[run.pk].pop(0)
        last = fresh(run).metrics.latest("step")
        assert last.stage == (step - 1) // STEPS, "the kill came too late"
        if run.pk == first.pk and not kills[first.pk]:
            damaged_step = cut_newest_checkpoint(run)
        celery_workers.start("learning")
    wait_until(lambda: ended(first) and ended(second), what="both runs end")
    first, second = fresh(first), fresh(second)
    assert (first.state, second.state) == (JobState.DONE, JobState.DONE), first.error + second.error
    assert (first.attempt, second.attempt) == (3, 3)
    assert first.candidate is not None
    assert second.candidate is not None
    assert first.candidate.folder != second.candidate.folder
    assert first.candidate.sha256 == second.candidate.sha256 == undisturbed(first, tmp_path)
    assert list(first.metrics.values_list("step", flat=True)) == list(range(1, 4 * STEPS + 1))
    assert {"stage": 2, "step": damaged_step} in first.abouts[-1]["passed_over"]
    client = Client()
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("training-run", args=[first.uid])).content.decode()
    assert f"The one of step {damaged_step} in stage 2 was damaged or cut short" in page
    for run in (first, second):
        decided = GateDecision.objects.filter(candidate=run.candidate)
        wait_until(decided.exists, what="the gate decides")


def test_a_run_that_waits_says_which_one_is_ahead_of_it(dataset: PreferenceDataset, client: Client) -> None:
    ahead, waits = (request(dataset, {"stages": [{"kind": "dpo", **FEW}]}) for _ in range(2))
    TrainingRun.objects.filter(pk=ahead.pk).update(state=JobState.RUNNING)
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("training-run", args=[waits.uid])).content.decode()
    assert f'It waits until <a href="/training-runs/{ahead.uid}/">run {ahead.pk}</a> is through' in page
    # Read while it waited, it has begun meanwhile: it waits for nobody, least of all for itself.
    ahead.refresh_from_db()
    ahead.state = JobState.QUEUED
    assert run_ahead_of(ahead) is None
    live = client.get(reverse("training-run-live", args=[ahead.uid])).content.decode()
    assert 'id="ran-under" hx-swap-oob="true"' in live
    TrainingRun.objects.filter(pk__in=[ahead.pk, waits.pk]).update(state=JobState.CANCELLED)


def test_a_disk_that_is_full_at_a_checkpoint_ends_the_run_with_a_sentence_and_it_goes_on_after(
    celery_workers: Workers, dataset: PreferenceDataset
) -> None:
    """To a process a full disk looks as a limit on the size of its files does: writing fails."""
    log = celery_workers.log("learning")
    log.write_bytes(b"")
    worker = celery_workers.processes["learning"].pid
    most = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (DISK_LEFT_BYTES, most[1]))
    whole = {**FEW, "num_steps": 4, "checkpoint_every": 2, "lora_rank": 0}
    run = request(dataset, {"stages": [{"kind": "sft", **whole}]})
    try:
        wait_until(lambda: ended(run), what="the run ends")
    finally:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, most)
    failed = fresh(run)
    assert failed.state == JobState.FAILED
    assert failed.error.startswith("The checkpoint of step 2 could not be written; the disk may be full.")
    assert failed.candidate is None
    assert not (run_folder(run) / "candidate").exists()
    assert not ModelVersion.objects.filter(parent=run.parent_version).exists()
    assert dataset.created_by is not None
    request_training_retry(failed, actor=dataset.created_by)
    wait_until(lambda: ended(run), what="the run ends when tried again")
    assert fresh(run).state == JobState.DONE
    wait_until(GateDecision.objects.filter(candidate__training_run=run).exists, what="the gate decides")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "table", ["preferencedataset", "preferencepair", "preferencelabel", "datasetreading"]
)
def test_a_data_set_is_not_deleted_under_a_run(table: str) -> None:
    model = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    a_reading_to_learn_from(model)
    actor = ResearcherFactory.create()
    frozen = freeze_dataset(title="Round 1", actor=actor)
    run = request_training(dataset=frozen, actor=actor)
    TrainingRun.objects.filter(pk=run.pk).update(state=JobState.RUNNING)
    with pytest.raises(ProtectedError):
        frozen.delete()
    refusal = "This data set is frozen. Freeze a new one from the readings of today."
    with pytest.raises(IntegrityError, match=refusal), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM feedback_{table}")
    assert frozen.pairs.count() == frozen.num_pairs
