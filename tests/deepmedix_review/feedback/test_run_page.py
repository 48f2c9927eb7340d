"""A run's page: curves with units and stages, samples over the steps, its config and its files."""

import csv
import doctest
import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.feedback import said_settings, stage_words
from deepmedix_review.feedback.models import TrainingMetric, TrainingRun, TrainingSample
from deepmedix_review.feedback.runs.curves import curves_of, series_of
from deepmedix_review.feedback.runs.folders import cluster_log, log_folder
from deepmedix_review.feedback.runs.samples import films_to_sample, record_sample, sample_series, strips_of
from deepmedix_review.feedback.sealed_patients import sealed_names
from deepmedix_review.feedback.services import freeze_dataset, record_retry, record_start
from deepmedix_review.studies.models import Instance, Split, Study
from deepmedix_review.studies.selectors import film_path
from inference.phantoms import draw_phantom, ideal_reasoning
from rl_feedback.training.figures import TakenSample
from rl_feedback.training.recipe import Recipe
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, film
from tests.factories.registry import ServingModelFactory

pytestmark = pytest.mark.django_db

RECIPE = {
    "stages": [
        {"kind": "sft", "num_steps": 2, "examples_per_step": 4},
        {"kind": "dpo", "num_steps": 2, "examples_per_step": 2},
    ]
}
FILES = ("training-run-config", "training-run-figures", "training-run-samples", "training-run-log")


@pytest.fixture
def researcher() -> User:
    user: User = ResearcherFactory.create()
    return user


@pytest.fixture
def run(researcher: User) -> TrainingRun:
    """Two stages of two steps, running; the first tells a loss, the second a margin too."""
    parent = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    a_reading_to_learn_from(parent)
    made = TrainingRun.objects.create(
        dataset=freeze_dataset(title="Round 1", actor=researcher),
        parent_version=parent,
        recipe=Recipe.from_json(RECIPE).as_json(),
        state=JobState.RUNNING,
        attempt=1,
        step=4,
        num_steps=4,
    )
    for step in range(1, 5):
        TrainingMetric.objects.create(
            run=made,
            step=step,
            stage=(step - 1) // 2,
            values={"loss": 1 / step, **({"margin": step / 10} if step > 2 else {})},
            seconds=0.5,
            memory_mb=900 + step,
        )
    return made


def written(seed: int) -> str:
    return ideal_reasoning(draw_phantom(seed=seed).truth)


def sampled(instance: Instance, step: int, *, seed: int) -> TakenSample:
    place = str(film_path(instance))
    return TakenSample(step, "held_out", place, "What do you see?", written(seed), (112, 112))


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_ready_films_of_patients_on_the_tune_side_are_sampled(run: TrainingRun) -> None:
    tune = [film(2_000_100 + number, side=Split.TUNE) for number in range(2)]
    film(2_000_200, side=Split.TEST)
    film(2_000_201, side=Split.TRAIN)
    held = film(2_000_202, side=Split.TUNE)
    Study.objects.filter(pk=held.study.pk).update(state=Study.State.HELD)
    sealed = film(2_000_203, side=Split.TUNE)
    name = next(iter(sealed_names().study_uids))
    Study.objects.filter(pk=sealed.study.pk).update(study_instance_uid=name)
    found = films_to_sample(run.parent_version)
    assert [one.film for one in found] == [str(film_path(one)) for one in tune]


def test_samples_are_kept_once_and_stand_beside_the_one_before(run: TrainingRun) -> None:
    shown = film(2_000_100, side=Split.TUNE)
    for step, seed in ((0, 3), (2, 3), (2, 3), (4, 4)):
        record_sample(run, sampled(shown, step, seed=seed))
    assert TrainingSample.objects.count() == 3
    [strip] = strips_of(run)
    assert [one.sample.step for one in strip.samples] == [0, 2, 4]
    assert [one.is_changed for one in strip.samples] == [False, False, True]
    of = [{box.of for box in one.boxes} for one in strip.samples]
    assert of[:2] == [{"both"}, {"both"}]
    assert {"chosen", "rejected"} <= of[2]
    # The film has 224 pixels a side, twice the model's.
    assert 112 < max(box.x + box.width for box in strip.samples[0].boxes) <= 224
    words = sample_series(run)["sample_words"]
    assert [(point.step, point.value) for point in words] == [
        (step, len(written(seed).split())) for step, seed in ((0, 3), (2, 3), (4, 4))
    ]


def test_a_program_reads_what_a_run_wrote_and_ran_under(run: TrainingRun, client: Client) -> None:
    shown = film(2_000_100, side=Split.TUNE)
    record_sample(run, sampled(shown, 2, seed=3))
    TrainingRun.objects.filter(pk=run.pk).update(abouts=[{"seed": 1}, {"seed": 2}])
    client.force_login(run.requested_by or ResearcherFactory.create())
    told = client.get(reverse("api-training-run", args=[run.uid])).json()
    assert told["about"] == {"seed": 2}
    [sample] = told["samples"]
    assert (sample["step"], sample["film"], sample["text"]) == (2, str(shown.uid), written(3))


def test_the_film_of_a_withdrawn_study_is_not_shown(run: TrainingRun) -> None:
    shown = film(2_000_100, side=Split.TUNE)
    record_sample(run, sampled(shown, 0, seed=3))
    Study.objects.filter(pk=shown.study.pk).update(state=Study.State.HELD)
    [strip] = strips_of(run)
    assert strip.film == ""


def test_a_sample_of_a_film_that_has_another_file_by_now_is_left_out_and_the_run_goes_on(
    run: TrainingRun,
) -> None:
    shown = film(2_000_100, side=Split.TUNE)
    before = sampled(shown, 0, seed=3)
    Instance.objects.filter(pk=shown.pk).update(file_path="other/file.dcm")
    record_sample(run, before)
    assert not run.samples.exists()


def test_every_curve_has_its_unit_and_says_where_a_stage_begins(run: TrainingRun) -> None:
    curves = {curve.key: curve for curve in curves_of(series_of(list(run.metrics.all()), recipe=run.recipe))}
    assert set(curves) == {"loss", "margin", "examples_a_second", "step_seconds", "memory_mb"}
    assert [len(curves[name].lines) for name in ("loss", "margin")] == [2, 1]
    assert [mark.number for mark in curves["loss"].marks] == [2]
    throughput = curves["examples_a_second"]
    assert (throughput.first, throughput.last, throughput.name.unit) == (8, 4, "examples a second")
    assert (curves["memory_mb"].last, curves["memory_mb"].name.unit) == (904, "MB")


def test_the_figures_go_out_as_a_table(run: TrainingRun, researcher: User) -> None:
    answer = client_of(researcher).get(reverse("training-run-figures", args=[run.uid]))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["step"], row["stage"]) for row in rows] == [("1", "1"), ("2", "1"), ("3", "2"), ("4", "2")]
    assert rows[0]["Loss"] == "1.0"
    assert rows[0]["Margin of chosen over rejected"] == ""
    assert rows[3]["Memory, peak of the process, MB"] == "904.0"
    assert AuditEvent.objects.filter(action="download_figures", subject_uid=str(run.uid)).exists()


def test_the_config_says_under_what_each_attempt_ran_and_can_be_run_again(
    run: TrainingRun, researcher: User
) -> None:
    about: dict[str, Any] = {"data": "d" * 64, "parent": "p" * 64}
    for python, trl in (("3.11.9", "1"), ("3.12.1", "2")):
        record_start(run, {**about, "environment": {"python": python, "libraries": {"trl": trl}}})
    config = json.loads(client_of(researcher).get(reverse("training-run-config", args=[run.uid])).content)
    assert Recipe.from_json(config) == Recipe.from_json(RECIPE)
    assert config["about"]["environment"]["python"] == "3.12.1"
    page = client_of(researcher).get(reverse("training-run", args=[run.uid])).content.decode()
    assert "Attempt 2" in page
    assert "trl 1" in page
    assert "d" * 64 in page


def test_the_log_for_tensorboard_is_offered_where_there_is_one_without_the_machines_name(
    run: TrainingRun, researcher: User
) -> None:
    client, address = client_of(researcher), reverse("training-run-log", args=[run.uid])
    assert client.get(address).status_code == 404
    assert "TensorBoard log" not in client.get(reverse("training-run", args=[run.uid])).content.decode()
    events = log_folder(run) / "stage-1" / "events.out.tfevents.1764.some-machine.1"
    events.parent.mkdir(parents=True)
    events.write_bytes(b"events")
    assert "TensorBoard log" in client.get(reverse("training-run", args=[run.uid])).content.decode()
    packed = zipfile.ZipFile(io.BytesIO(client.get(address).content))
    assert packed.namelist() == ["stage-1/events.out.tfevents.1"]
    assert packed.read("stage-1/events.out.tfevents.1") == b"events"


def test_what_a_clusters_job_printed_is_offered_on_the_runs_page_once_there_is_some(
    run: TrainingRun, researcher: User
) -> None:
    client, address = client_of(researcher), reverse("training-run-cluster-log", args=[run.uid])
    page = reverse("training-run", args=[run.uid])
    assert client.get(address).status_code == 404
    assert address not in client.get(page).content.decode()
    cluster_log(run).parent.mkdir(parents=True, exist_ok=True)
    cluster_log(run).write_text("Worker 1 died: memory\n", encoding="utf-8")
    assert f'href="{address}" download' in client.get(page).content.decode()
    assert client.get(address).content == b"Worker 1 died: memory\n"
    assert AuditEvent.objects.filter(action="download_cluster_log").count() == 1


def test_a_run_that_is_asked_for_no_sample_promises_none(run: TrainingRun, researcher: User) -> None:
    client, address = client_of(researcher), reverse("training-run-samples", args=[run.uid])
    TrainingRun.objects.filter(pk=run.pk).update(step=0)
    assert "No sample is taken yet" in client.get(address).content.decode()
    TrainingRun.objects.filter(pk=run.pk).update(step=1)
    told = client.get(address, {"newest": 0})
    assert "No sample is taken: no study of a patient on the tune side was ready" in told.content.decode()
    stages = [{**stage, "sample_every": 0} for stage in run.recipe["stages"]]
    TrainingRun.objects.filter(pk=run.pk).update(recipe={**run.recipe, "stages": stages})
    assert "No sample is taken: the recipe asks for none." in client.get(address).content.decode()


def test_a_run_that_was_cancelled_before_it_began_blames_no_study(run: TrainingRun, researcher: User) -> None:
    client = Client()
    client.force_login(researcher)
    TrainingRun.objects.filter(pk=run.pk).update(state=JobState.CANCELLED, step=0, attempt=0)
    page = client.get(reverse("training-run", args=[run.uid])).content.decode()
    assert "No sample was taken: it never began." in page
    assert "no study of a patient" not in page


def test_the_strip_stands_still_while_nothing_new_is_written(run: TrainingRun, researcher: User) -> None:
    record_sample(run, sampled(film(2_000_100, side=Split.TUNE), 0, seed=3))
    client, address = client_of(researcher), reverse("training-run-samples", args=[run.uid])
    newest = run.samples.get().pk
    assert client.get(address, {"newest": newest}).status_code == 204
    assert f"newest={newest}" in client.get(address, {"newest": 0}).content.decode()


def test_only_who_may_see_models_gets_any_of_it(run: TrainingRun) -> None:
    for person in (ExpertFactory.create(), AdminFactory.create()):
        statuses = {client_of(person).get(reverse(name, args=[run.uid])).status_code for name in FILES}
        assert statuses == {403}


@pytest.mark.parametrize("is_used", [True, False])
def test_the_page_says_how_the_scorer_of_the_steps_was_judged(
    run: TrainingRun, researcher: User, is_used: bool
) -> None:
    judged = {
        "error": 0.08,
        "baseline_errors": {"length": 0.25, "place": 0.24},
        "gains": {"length": [0.17, 0.1, 0.2], "place": [0.16, 0.1, 0.2]},
        "calibration": [{"score": 0.2, "rating": 0.1, "num_steps": 9}] * 5,
    }
    scorer: dict[str, Any] = {
        "may_be_used": is_used,
        "sentence": "Used: it beats both." if is_used else "Not used: one reader alone rated steps.",
        "num_ratings": 45,
        "num_readers": 3,
        "num_patients": 20,
        "seconds": 2.5,
        "seed": 7,
        "judgement": judged if is_used else None,
    }
    assert "Scorer of the steps" not in client_of(researcher).get(page_of(run)).content.decode()
    record_start(run, {"environment": {}, "step_scorer": scorer})
    page = client_of(researcher).get(page_of(run)).content.decode()
    assert scorer["sentence"] in page
    assert ("0.0800" in page) == ("0.1700 (0.1000 to 0.2000)" in page) == is_used
    assert ("weight of the steps went to the other parts" in page) != is_used


def test_an_open_page_hears_why_a_job_was_begun_again(run: TrainingRun, researcher: User) -> None:
    client = Client()
    client.force_login(researcher)
    live = reverse("training-run-live", args=[run.uid])
    assert "Begun again" not in client.get(live).content.decode()
    for reason in ("Worker 1 died: out of memory.", "Worker 2 died: out of memory."):
        record_retry(run, reason)
        record_retry(run, reason)
    for page in (client.get(live), client.get(reverse("training-run", args=[run.uid]))):
        told = page.content.decode()
        assert told.count("Begun again") == told.count("Worker 1 died: out of memory.") == 1
        assert told.count("Worker 2 died: out of memory.") == 1


def test_settings_are_said_in_words(run: TrainingRun, researcher: User) -> None:
    page = client_of(researcher).get(page_of(run)).content.decode()
    assert '<dt>Examples computed at once</dt><dd class="mono">all</dd>' in page
    assert '<dt>Saves memory by computing values twice</dt><dd class="mono">no</dd>' in page
    assert "False" not in page
    assert all(doctest.testmod(module).failed == 0 for module in (stage_words, said_settings))


def test_a_run_whose_worker_has_said_nothing_of_itself_says_so(run: TrainingRun, researcher: User) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(abouts=[])
    page = client_of(researcher).get(page_of(run)).content.decode()
    assert "The worker has not said yet under what it runs" in page
    about = {"attempt": 1, "data": "d", "parent": "p"}
    environment = {"devices": [], "libraries": {"torch": None, "trl": "1.0"}, "python": "3.11"}
    TrainingRun.objects.filter(pk=run.pk).update(abouts=[{**about, "environment": environment}])
    page = client_of(researcher).get(page_of(run)).content.decode()
    assert "The worker has not said it." in page
    assert "Python 3.11, trl 1.0" in page
    assert "None" not in page


def page_of(run: TrainingRun) -> str:
    return reverse("training-run", args=[run.uid])
