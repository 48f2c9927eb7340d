"""Stages in a row: each goes on from the one before, also when the run was killed between or inside them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from rl_feedback.__main__ import main
from rl_feedback.training.config import DpoConfig, SftConfig
from rl_feedback.training.examples import (
    TaughtText,
    TrainingPair,
    read_examples,
    write_examples,
)
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.phantom_data import write_phantom_data
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
RECIPE = Recipe((SftConfig(num_steps=2, **QUICK), DpoConfig(num_steps=3, **QUICK)))


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


@pytest.mark.parametrize("killed_in", [2, 3, 4])
def test_a_recipe_killed_anywhere_ends_as_one_that_was_not(
    parent: Path, data: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, killed_in: int
) -> None:
    seen: list[StepFigures] = []
    whole = run(parent, data, tmp_path / "whole", on_step=seen.append)
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
    with pytest.raises(ValueError, match="begun with other recipe"):
        run(parent, data, tmp_path, recipe=RECIPE)
    other = tmp_path / "data"
    write_examples(other, read_examples(data, TaughtText)[:1], kind=TaughtText)
    with pytest.raises(ValueError, match="begun with other data"):
        run(parent, other, tmp_path, recipe=short)


def test_a_shell_draws_films_and_trains_on_them(
    parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = str(tmp_path / "data"), str(tmp_path / "run")
    assert main(["phantom-data", "--out", data, "--num-films", "2"]) == 0
    folders = ["--data", data, "--model", str(parent), "--out", out]
    assert main(["cold-start", *folders, "--num-steps", "1", "--examples-per-step", "1"]) == 0
    said = capsys.readouterr().out
    assert "step 1 of 1: loss" in said
    assert f"The candidate is in {out}/candidate." in said
    assert (tmp_path / "run" / "candidate" / "model.safetensors").is_file()
