"""Stages in a row: each goes on from the one before, also when the run was killed between or inside them."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rl_feedback.__main__ import main
from rl_feedback.training.config import DpoConfig, SftConfig
from rl_feedback.training.examples import (
    TaughtText,
    TrainingPair,
    read_examples,
    write_examples,
)
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.phantom_data import SAMPLE_SEEDS, write_phantom_data
from rl_feedback.training.recipe import Recipe, run_recipe
from rl_feedback.training.view import FilmView
from tests.factories.models import write_untrained_model

VIEW = FilmView(preparation="square", min_pixels=12544, max_pixels=12544)
QUICK: dict[str, Any] = {
    "examples_per_step": 2,
    "replay_per_step": 1,
    "checkpoint_every": 1,
    "learning_rate": 0.01,
}
RECIPE = Recipe((SftConfig(num_steps=2, **QUICK), DpoConfig(num_steps=3, loss="sigmoid", **QUICK)))


def test_help_shows_a_recipe_that_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["recipe", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    shown = json.loads(said[said.index('{"stages"') : said.index("}]}") + 3])
    assert [stage.kind for stage in Recipe.from_json(shown).stages] == ["sft", "dpo"]


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained_model(tmp_path_factory.mktemp("model") / "parent")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_phantom_data(folder, seeds=range(3), site="first")
    first, second, third = (text for text in read_examples(folder, TaughtText) if text.origin == "phantom")
    pairs = [
        TrainingPair(case.film, case.prompt, 1.0, "vote", case.text, other.text)
        for case, other in ((first, second), (second, third), (third, first))
    ]
    write_examples(folder, pairs, kind=TrainingPair)
    return folder


def run(
    parent: Path,
    data: Path,
    place: Path,
    *,
    recipe: Recipe = RECIPE,
    on_step: Callable[[StepFigures], None] = print,
) -> Path:
    run_recipe(
        recipe, parent=parent, data=data, view=VIEW, work=place / "work", out=place / "out", on_step=on_step
    )
    return place / "out"


@pytest.fixture(scope="module")
def whole_run(
    parent: Path, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[StepFigures]]:
    seen: list[StepFigures] = []
    return run(parent, data, tmp_path_factory.mktemp("whole"), on_step=seen.append), seen


@pytest.mark.parametrize("killed_in", [2, 3, 4])
def test_a_recipe_killed_anywhere_ends_as_one_that_was_not(
    parent: Path, data: Path, tmp_path: Path, whole_run: tuple[Path, list[StepFigures]], killed_in: int
) -> None:
    whole, seen = whole_run
    assert [(one.step, one.num_steps, one.stage) for one in seen] == [
        (1, 5, 0),
        (2, 5, 0),
        (3, 5, 1),
        (4, 5, 1),
        (5, 5, 1),
    ]

    def kill(figures: StepFigures) -> None:
        if figures.step == killed_in:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(parent, data, tmp_path / "killed", on_step=kill)
    resumed: list[StepFigures] = []
    out = run(parent, data, tmp_path / "killed", on_step=resumed.append)
    assert [one.values for one in resumed] == [one.values for one in seen[-len(resumed) :]]
    expected, found = load_file(whole / "model.safetensors"), load_file(out / "model.safetensors")
    assert all(expected[name].equal(found[name]) for name in expected)


def test_a_run_is_not_gone_on_with_anything_else(parent: Path, data: Path, tmp_path: Path) -> None:
    short = Recipe((SftConfig(num_steps=1, **QUICK),))
    run(parent, data, tmp_path, recipe=short)
    with pytest.raises(ValueError, match="begun with another recipe"):
        run(parent, data, tmp_path, recipe=RECIPE)
    other = tmp_path / "data"
    write_examples(other, read_examples(data, TaughtText)[:1], kind=TaughtText)
    with pytest.raises(ValueError, match="begun with other data"):
        run(parent, other, tmp_path, recipe=short)


def test_a_shell_draws_films_trains_on_them_and_makes_the_same_run_again(
    parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out, again = (str(tmp_path / name) for name in ("data", "run", "again"))
    assert main(["phantom-data", "--out", data, "--num-films", "2"]) == 0
    folders = ["--data", data, "--model", str(parent), "--out"]
    few = ["--num-steps", "1", "--examples-per-step", "1", "--sample-tokens", "5"]
    assert main(["cold-start", *folders, out, *few, "--report-to", "tensorboard"]) == 0
    said = capsys.readouterr().out
    assert "step 1 of 1: loss" in said
    assert f"The candidate is in {out}/candidate." in said
    samples = [json.loads(line) for line in (tmp_path / "run" / "samples.jsonl").read_text().splitlines()]
    films = [f"first-{seed}.dcm" for seed in SAMPLE_SEEDS]
    assert [(one["step"], one["film"]) for one in samples] == [
        (step, film) for step in (0, 1) for film in films
    ]

    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["stages"][0]["num_steps"] == 1
    assert config["about"]["environment"]["libraries"]["trl"] == version("trl")
    assert len(config["about"]["data"]) == len(config["about"]["parent"]) == 64
    assert main(["recipe", "--config", f"{out}/config.json", *folders, again]) == 0
    assert "note:" not in capsys.readouterr().out
    made, remade = (load_file(f"{folder}/candidate/model.safetensors") for folder in (out, again))
    assert all(made[name].equal(remade[name]) for name in made)


def test_a_shell_says_which_checkpoint_was_damaged_and_ends_with_the_same_weights(
    parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "run"
    write_phantom_data(data, seeds=range(2_000_000, 2_000_002), site="first")
    given = ["cold-start", "--data", str(data), "--model", str(parent), "--out", str(out), "--num-steps", "2"]
    given += ["--checkpoint-every", "1", "--examples-per-step", "1", "--sample-every", "0"]
    assert main(given) == 0
    whole = (out / "candidate" / "model.safetensors").read_bytes()
    shutil.rmtree(out / "candidate")
    newest = out / "checkpoints" / "stage-1" / "checkpoints" / "checkpoint-2" / "adapter_model.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    capsys.readouterr()
    assert main(given) == 0
    said = capsys.readouterr().out
    assert "note: the checkpoint of step 2 in stage 1 was damaged or cut short" in said
    assert "step 2 of 2: loss" in said
    assert "step 1 of 2: loss" not in said
    assert (out / "candidate" / "model.safetensors").read_bytes() == whole


def test_a_run_that_is_refused_leaves_nothing_that_the_next_one_is_refused_for(
    parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    given = [
        "corrections",
        "--data",
        str(data),
        "--model",
        str(parent),
        "--out",
        str(out),
        "--num-steps",
        "1",
    ]
    for broken, said in ((None, "texts.jsonl is missing"), ("{", "line 1, can't be learned from")):
        if broken:
            (data / "texts.jsonl").write_text(broken)
        assert main(given) == 2
        assert said in capsys.readouterr().err
        assert not out.exists()
    (data / "texts.jsonl").unlink()
    write_phantom_data(data, seeds=range(2_000_000, 2_000_002), site="first")
    assert main([*given, "--origins", "phantom", "--sample-every", "0"]) == 0
    # What was learned before is there to be gone on with.
    assert main([*given, "--origins", "phantom", "--learning-rate", "0.05"]) == 2
    assert "begun with another recipe" in capsys.readouterr().err
    assert (out / "candidate").is_dir()


def test_two_runs_do_not_learn_in_one_folder_at_once(
    parent: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    given = ["cold-start", "--data", str(data), "--model", str(parent), "--out", str(out), "--num-steps", "1"]
    out.mkdir()
    # As another process has it while it learns there.
    other = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert main(given) == 2
        assert "Another run learns in" in capsys.readouterr().err
        assert list(out.iterdir()) == []
    finally:
        os.close(other)


def test_a_run_made_again_on_other_data_is_told_to_be_another(
    parent: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {**Recipe((SftConfig(num_steps=1, **QUICK),)).as_json(), "about": {"data": "0" * 64}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    folders = ["--data", str(data), "--model", str(parent), "--out", str(tmp_path / "run")]
    assert main(["recipe", "--config", str(tmp_path / "config.json"), *folders, "--preset", "phantom"]) == 0
    assert "note: the data folder is not the one that the config was made with" in capsys.readouterr().out


def test_the_figures_go_to_tensorboard_stage_by_stage_and_are_read_back(
    parent: Path, data: Path, tmp_path: Path
) -> None:
    seen: list[StepFigures] = []
    recipe = Recipe(tuple(replace(stage, report_to="tensorboard") for stage in RECIPE.stages))
    run(parent, data, tmp_path, recipe=recipe, on_step=seen.append)
    for stage, told in enumerate(("loss", "rewards/margins")):
        log = EventAccumulator(str(tmp_path / "tensorboard" / f"stage-{stage + 1}")).Reload()
        read = [event.value for event in log.Scalars(f"train/{told}")]
        name = told if stage == 0 else "margin"
        assert read == pytest.approx([one.values[name] for one in seen if one.stage == stage], abs=1e-4)


@pytest.fixture
def mlflow_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    """A SQLite file that runs are told to, as an operator names one."""
    address = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "readers")
    yield MlflowClient(address)
    # MLflow leaves it for the children of this process.
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


def told_to_mlflow(store: MlflowClient) -> list[Run]:
    """Oldest first."""
    experiment = store.get_experiment_by_name("readers")
    assert experiment is not None
    return sorted(store.search_runs([experiment.experiment_id]), key=lambda one: one.info.start_time)


def test_settings_and_figures_go_to_mlflow_a_run_for_each_stage_and_are_read_back(
    parent: Path, data: Path, tmp_path: Path, mlflow_store: MlflowClient
) -> None:
    seen: list[StepFigures] = []
    recipe = Recipe(tuple(replace(stage, report_to="mlflow") for stage in RECIPE.stages))
    run(parent, data, tmp_path, recipe=recipe, on_step=seen.append)
    told = told_to_mlflow(mlflow_store)
    assert [one.info.status for one in told] == ["FINISHED", "FINISHED"]
    for number, (one, stage) in enumerate(zip(told, recipe.stages, strict=True)):
        assert one.info.run_name == f"{tmp_path.name}, stage-{number + 1}: {stage.kind}"
        assert one.data.params["max_steps"] == str(stage.num_steps)
        assert float(one.data.params["learning_rate"]) == stage.learning_rate
        assert one.data.params["seed"] == str(stage.seed)
        history = mlflow_store.get_metric_history(one.info.run_id, "loss")
        steps = [figures for figures in seen if figures.stage == number]
        assert [point.step for point in history] == list(range(1, stage.num_steps + 1))
        assert [point.value for point in history] == pytest.approx(
            [figures.values["loss"] for figures in steps], abs=1e-4
        )


def test_a_run_that_was_stopped_is_closed_at_mlflow_and_the_next_one_is_a_run_of_its_own(
    parent: Path, data: Path, tmp_path: Path, mlflow_store: MlflowClient
) -> None:
    recipe = Recipe((SftConfig(num_steps=3, report_to="mlflow", **QUICK),))

    def kill(figures: StepFigures) -> None:
        if figures.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(parent, data, tmp_path / "killed", recipe=recipe, on_step=kill)
    assert [one.info.status for one in told_to_mlflow(mlflow_store)] == ["KILLED"]
    run(parent, data, tmp_path / "other", recipe=recipe)
    killed, other = told_to_mlflow(mlflow_store)
    assert (killed.info.status, other.info.status) == ("KILLED", "FINISHED")
    lengths = [len(mlflow_store.get_metric_history(one.info.run_id, "loss")) for one in (killed, other)]
    assert lengths[0] < lengths[1] == 3


def test_mlflow_without_an_address_is_refused_before_it_makes_a_store_of_its_own(
    parent: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    recipe = Recipe((SftConfig(num_steps=1, report_to="mlflow", **QUICK),))
    with pytest.raises(ValueError, match="MLFLOW_TRACKING_URI does not say where to"):
        run(parent, data, tmp_path / "work", recipe=recipe)
    assert not (tmp_path / "mlflow.db").exists()


def test_a_package_that_is_not_there_is_named(
    parent: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rl_feedback.training.config.find_spec", lambda name: None)
    recipe = Recipe((SftConfig(num_steps=1, report_to="mlflow", **QUICK),))
    with pytest.raises(ValueError, match=r"pip install 'deepmedix-review\[mlflow\]'"):
        run(parent, data, tmp_path, recipe=recipe)
