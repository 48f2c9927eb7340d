"""Rounds by the library alone: readings of one model become the next, and what each kind teaches from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rl_feedback.__main__ import main
from rl_feedback.choosing import difference
from rl_feedback.simulated_readers import KINDS, PANEL, Kind
from rl_feedback.simulated_rounds.collecting import ROUND_SEEDS, collect_round
from rl_feedback.simulated_rounds.learning import learn, write_data
from rl_feedback.simulated_rounds.recipes import recipe_for
from rl_feedback.small_model.evaluate_command import SHIPPED_MODEL
from rl_feedback.training.examples import RatedStep, RewardedCase, TaughtText, TrainingPair, read_examples
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.recipe import Recipe

FEW = {"num_steps": 2, "examples_per_step": 2, "replay_per_step": 1}


def test_a_round_from_a_shell_ends_with_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"stages": [{"kind": "sft", "lora_rank": 0, **FEW}]}), encoding="utf-8")
    given = ["--out", str(tmp_path / "out"), "--recipe", str(recipe), "--readings", "8", "--rounds", "1"]
    assert main(["simulated-rounds", *given, "--num-films", "4"]) == 0
    assert "The report of these SIMULATED readings" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "report" / "report.json").read_text("utf-8"))
    assert [one["num_readings"] for one in report["rounds"]] == [0, 8]
    assert report["rounds"][1]["preferred"]["num_films"] == 4
    assert report["rounds"][1]["step_scorer"] == ""
    assert main(["simulated-rounds", *given]) == 2
    assert "is not empty" in capsys.readouterr().err


@pytest.fixture(scope="module")
def data_of(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    """By kind, what the same ten films teach."""
    folders = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp(kind)
        seeds = ROUND_SEEDS[-10:]
        collected = collect_round(
            SHIPPED_MODEL, folder, site="second", seeds=seeds, kind=kind, seed=1, num_readings=10
        )
        write_data(folder, collected.readings)
        folders[kind] = folder
    return folders


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_holds_what_its_recipe_learns_from(data_of: dict[Kind, Path], kind: Kind) -> None:
    for stage in recipe_for(kind).stages:
        wanted = TaughtText if stage.kind == "sft" else TrainingPair
        origins = {one.origin for one in read_examples(data_of[kind], wanted)}
        assert not stage.origins or origins & set(stage.origins)


def test_of_more_films_than_readings_those_are_read_on_which_the_samples_differ_most(tmp_path: Path) -> None:
    seeds = ROUND_SEEDS[-6:]
    collected = collect_round(
        SHIPPED_MODEL, tmp_path, site="second", seeds=seeds, kind="all", seed=1, num_readings=2
    )
    assert len(collected.readings) == len(list(tmp_path.glob("*.dcm"))) == 2
    differ = [difference(*(one.text for one in reading.completions)) for reading in collected.readings]
    assert min(differ) > 0


def test_every_film_followed_is_a_case_and_what_fits_is_followed_beside_what_was_moved(
    data_of: dict[Kind, Path],
) -> None:
    texts = read_examples(data_of["regions"], TaughtText)
    cases = read_examples(data_of["regions"], RewardedCase)
    assert {one.film for one in cases} == {one.film for one in texts}
    assert all(one.regions for one in cases)
    assert "kept" in {one.origin for one in texts}


def test_votes_alone_give_pairs_of_the_models_own_texts_and_nothing_to_follow(
    data_of: dict[Kind, Path],
) -> None:
    assert {pair.origin for pair in read_examples(data_of["votes"], TrainingPair)} == {"vote"}
    with pytest.raises(ValueError, match="nothing to learn from"):
        read_examples(data_of["votes"], TaughtText)


ATTEMPTS = {"kind": "grpo", "num_steps": 1, "examples_per_step": 1, "num_rollouts": 2, "max_new_tokens": 90}


@pytest.mark.parametrize(
    ("num_readings", "says"),
    [(96, "Used: on "), (12, "Not used: steps of ")],
    ids=["used", "refused"],
)
def test_a_rounds_rated_steps_teach_a_scorer_that_pays_attempts_where_it_knows_enough(
    tmp_path: Path, num_readings: int, says: str
) -> None:
    """Second site: the model makes things up there, and the simulated readers say so."""
    recipe = Recipe.from_json({"stages": [{**ATTEMPTS, "replay_per_step": 0, "sample_every": 0}]})
    data = tmp_path / "data"
    collected = collect_round(
        SHIPPED_MODEL,
        data,
        site="second",
        seeds=ROUND_SEEDS[-num_readings:],
        kind="all",
        seed=1,
        num_readings=num_readings,
    )
    write_data(data, collected.readings)
    rated = read_examples(data, RatedStep)
    assert {one.reader for one in rated} <= {reader.name for reader in PANEL}
    steps, abouts = list[StepFigures](), list[Mapping[str, Any]]()
    learn(
        recipe,
        parent=SHIPPED_MODEL,
        data=data,
        folder=tmp_path,
        on_step=steps.append,
        on_begin=abouts.append,
    )
    about = abouts[0]["step_scorer"]
    assert about["sentence"].startswith(says)
    assert about["num_ratings"] == len(rated)
    assert about["may_be_used"] == ("reward_steps" in steps[0].values) == says.startswith("Used")
