"""A researcher freezes and retrains from a shell, by the same services as the pages."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from deepmedix_review.feedback.models import PreferenceDataset, TrainingRun
from rl_feedback.training.recipe import Recipe
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from
from tests.factories.registry import ServingModelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def reading():
    model = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    return a_reading_to_learn_from(model)


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def test_a_shell_freezes_and_queues_a_run_with_its_settings(reading, tmp_path: Path) -> None:
    ResearcherFactory.create(username="rita")
    settings = tmp_path / "run.json"
    settings.write_text(json.dumps({"stages": [{"kind": "dpo", "num_steps": 3}]}))
    said = run("freeze_dataset", "Round 1", "--actor", "rita")
    dataset = PreferenceDataset.objects.get()
    assert said.startswith(str(dataset.uid))
    assert dataset.sha256 in said
    said = run("retrain", str(dataset.uid), "--actor", "rita", "--recipe", str(settings))
    assert "3 steps from" in said
    assert "loss of stage 1: sigmoid, the usual: no pair of outputs has the votes of two readers" in said
    queued = TrainingRun.objects.get()
    assert queued.num_steps == 3
    assert queued.recipe["stages"][0]["loss"] == "sigmoid"
    assert queued.recipe["stages"][0]["loss_because"] in said
    with pytest.raises(CommandError, match="An operator names one by RAY_ADDRESS"):
        run("retrain", str(dataset.uid), "--actor", "rita", "--engine", "ray")
    assert TrainingRun.objects.count() == 1
    settings.write_text(json.dumps({"stages": [{"kind": "dpo", "loss": "ipo"}]}))
    assert "loss of stage" not in run(
        "retrain", str(dataset.uid), "--actor", "rita", "--recipe", str(settings)
    )
    assert TrainingRun.objects.latest("id").recipe["stages"][0]["loss"] == "ipo"


@pytest.mark.parametrize(("stage", "num_steps"), [("cold-start", 200), ("corrections", 200), ("grpo", 60)])
def test_a_shell_queues_a_stage_by_its_name(reading, stage: str, num_steps: int) -> None:
    ResearcherFactory.create(username="rita")
    run("freeze_dataset", "Round 1", "--actor", "rita")
    uid = str(PreferenceDataset.objects.get().uid)
    assert f"{num_steps} steps from" in run("retrain", uid, "--actor", "rita", "--stage", stage)
    assert TrainingRun.objects.get().recipe == Recipe.of(stage).as_json()


def test_a_shell_names_a_data_set_by_its_title_where_one_alone_has_it(reading) -> None:
    ResearcherFactory.create(username="rita")
    run("freeze_dataset", "Round 1", "--actor", "rita")
    assert "queued" in run("retrain", "Round 1", "--actor", "rita")
    run("freeze_dataset", "Round 1", "--actor", "rita")
    with pytest.raises(CommandError, match="Several data sets have that title"):
        run("retrain", "Round 1", "--actor", "rita")
    assert TrainingRun.objects.count() == 1


def test_a_shell_is_told_what_is_missing(reading, tmp_path: Path) -> None:
    ExpertFactory.create(username="eva")
    ResearcherFactory.create(username="rita")
    broken = tmp_path / "run.json"
    broken.write_text("[1]")
    cut_off = tmp_path / "cut.json"
    cut_off.write_text('{"stages": [')
    for arguments, sentence in (
        (("freeze_dataset", "Round 1", "--actor", "nobody"), "There is no active account nobody"),
        (("freeze_dataset", "Round 1", "--actor", "eva"), "may not freeze data sets"),
        (("retrain", str(reading.uid), "--actor", "rita"), "There is no data set of that uid or title"),
        (("retrain", "Round 9", "--actor", "rita"), "There is no data set of that uid or title"),
        (
            ("retrain", str(reading.uid), "--actor", "rita", "--recipe", str(broken)),
            "run.json must hold one JSON object",
        ),
        (
            ("retrain", str(reading.uid), "--actor", "rita", "--recipe", str(cut_off)),
            "The recipe can't be read: .*cut.json is no JSON file",
        ),
    ):
        with pytest.raises(CommandError, match=sentence):
            run(*arguments)
    assert not PreferenceDataset.objects.exists()
    assert not TrainingRun.objects.exists()
