"""A cold start where readers wrote little: drawn films with their ideal reasoning stand beside it."""

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from inference.phantoms import REPORT_QUERY, TRAIN_SEEDS, draw_phantom, ideal_reasoning
from rl_feedback.__main__ import main
from rl_feedback.training.config import SftConfig
from rl_feedback.training.drawn import DrawnText, drawn_to_fill
from rl_feedback.training.examples import TaughtText, read_examples, write_examples
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.films import Films
from rl_feedback.training.phantom_data import write_phantom_data
from rl_feedback.training.recipe import Recipe, run_recipe
from rl_feedback.training.view import FilmView
from tests.factories.models import write_untrained_model

VIEW = FilmView(preparation="square", min_pixels=12544, max_pixels=12544)
QUICK: dict[str, Any] = {"replay_per_step": 0, "checkpoint_every": 1, "sample_every": 0}


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained_model(tmp_path_factory.mktemp("model") / "parent")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One rewritten text on one film, and bare answers, which no cold start follows."""
    folder = tmp_path_factory.mktemp("data")
    write_phantom_data(folder, seeds=range(1), site="first")
    texts = read_examples(folder, TaughtText)
    [ideal] = [one for one in texts if one.origin == "phantom"]
    rewritten = TaughtText(ideal.film, ideal.prompt, 1.0, "rewrite", ideal.text)
    write_examples(folder, [rewritten, *(one for one in texts if one.origin == "question")], kind=TaughtText)
    return folder


def test_films_of_other_patients_fill_up_and_are_the_same_for_the_same_seed() -> None:
    config = SftConfig(fill_up_to=40, seed=3)
    drawn = drawn_to_fill(config, 5)
    assert len({one.seed for one in drawn}) == len(drawn) == 35
    assert all(one.seed in TRAIN_SEEDS and one.site == "first" for one in drawn)
    assert drawn_to_fill(config, 5) == drawn
    assert drawn_to_fill(config, 40) == drawn_to_fill(SftConfig(), 0) == []
    with pytest.raises(ValueError, match="fill_up_to must be a whole number from 0 to 25000"):
        SftConfig(fill_up_to=25_001)


def test_a_drawn_film_is_shown_as_the_model_sees_it_with_regions_in_its_pixels(tmp_path: Path) -> None:
    film, prompt, text = DrawnText(12, "first").shown(Films(tmp_path, VIEW))
    assert film.size == (112, 112)
    assert prompt == REPORT_QUERY
    assert text == ideal_reasoning(draw_phantom(seed=12).truth, width=112, height=112)


def test_a_cold_start_on_few_texts_goes_on_after_a_kill_with_the_same_drawn_films(
    parent: Path, data: Path, tmp_path: Path
) -> None:
    recipe = Recipe(
        (SftConfig(origins=("rewrite",), num_steps=3, examples_per_step=2, fill_up_to=4, **QUICK),)
    )
    seen: dict[str, list[StepFigures]] = {"whole": [], "killed": [], "again": []}

    def run(name: str, place: Path, *, killed_in: int = 0) -> Path:
        def hear(figures: StepFigures) -> None:
            if figures.step == killed_in:
                raise KeyboardInterrupt
            seen[name].append(figures)

        out = place / "out"
        run_recipe(recipe, parent=parent, data=data, view=VIEW, work=place / "work", out=out, on_step=hear)
        return out

    whole = run("whole", tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run("killed", tmp_path / "killed", killed_in=3)
    again = run("again", tmp_path / "killed")
    assert [one.step for one in seen["again"]] == [3]
    assert seen["again"][-1].values == seen["whole"][-1].values
    expected, found = load_file(whole / "model.safetensors"), load_file(again / "model.safetensors")
    assert all(expected[name].equal(found[name]) for name in expected)


def test_a_shell_starts_cold_without_a_text_and_only_where_the_model_learned_from_drawn_films(
    parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    given = ["cold-start", "--data", str(tmp_path / "data"), "--model", str(parent)]
    given += ["--num-steps", "1", "--examples-per-step", "2", "--sample-every", "0", "--replay-per-step", "0"]
    assert main([*given, "--out", str(tmp_path / "drawn")]) == 0
    assert (tmp_path / "drawn" / "candidate" / "model.safetensors").is_file()
    for more in (["--fill-up-to", "0"], ["--preset", "deepmedix-r1"]):
        assert main([*given, "--out", str(tmp_path / "refused"), *more]) == 2
        assert "texts.jsonl is missing" in capsys.readouterr().err
