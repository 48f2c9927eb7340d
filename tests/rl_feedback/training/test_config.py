"""Every choice of a run is checked, explained and kept; what can't work is refused by name."""

import json
from dataclasses import replace

import pytest

from rl_feedback.training.config import CONFIGS, DpoConfig, KtoConfig, SftConfig
from rl_feedback.training.examples import TaughtText, TrainingPair, read_examples
from rl_feedback.training.order import weighted_order
from rl_feedback.training.recipe import DEFAULT_RECIPE, Recipe
from rl_feedback.training.stages import STAGES


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("dpo", "num_steps", 0),
        ("dpo", "num_steps", True),
        ("dpo", "learning_rate", float("nan")),
        ("dpo", "learning_rate", 5),
        ("dpo", "beta", -0.1),
        ("dpo", "loss", "hinge"),
        ("dpo", "flip_share", 0.2),
        ("sft", "beta", 0.1),
        ("sft", "replay_site", "third"),
        ("sft", "replay_site", "second"),
        ("sft", "replay_from", "nowhere"),
        ("sft", "seed", -1),
        ("sft", "examples_per_step", 2.5),
        ("sft", "adapts_vision", 1),
        ("sft", "precision", "int8"),
        ("sft", "origins", "vote"),
        ("sft", "origins", [1]),
        ("sft", "steps", 5),
        ("kto", "examples_per_step", 1),
        ("kto", "undesirable_weight", 0),
        ("grpo", "num_rollouts", 1),
        ("grpo", "kl_weight", 0),
        ("grpo", "reward", "none"),
    ],
)
def test_a_choice_that_cannot_work_is_refused_by_name(kind: str, field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        CONFIGS[kind].from_json({field: value})


def test_robust_dpo_takes_a_share_of_pairs_that_are_the_wrong_way_round() -> None:
    assert DpoConfig(loss="robust", flip_share=0.2).flip_share == 0.2


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_choice_says_what_it_does(kind: str) -> None:
    explained = CONFIGS[kind].explained()
    assert explained.keys() == CONFIGS[kind]().as_json().keys()
    assert all(says.endswith(".") for _, says in explained.values())


@pytest.mark.parametrize("name", STAGES)
def test_a_recipe_survives_json(name: str) -> None:
    recipe = Recipe((STAGES[name].config, SftConfig(origins=("region", "step"))))
    assert Recipe.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe


def test_a_recipe_may_name_a_stage_and_choose_what_it_does_not_begin_with() -> None:
    recipe = Recipe.from_json({"stages": [{"kind": "corrections"}, {"kind": "instruction", "num_steps": 9}]})
    assert recipe.stages == (
        STAGES["corrections"].config,
        replace(STAGES["instruction"].config, num_steps=9),
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([], "A recipe is a JSON object"),
        ({"stages": []}, "1 to 8 stages, not 0"),
        ({"stages": [{"kind": "sft"}] * 9}, "1 to 8 stages, not 9"),
        ({"stages": [{"kind": "ppo"}]}, "one of sft, dpo, kto, grpo, instruction, cold-start, corrections"),
        ({"stages": [{"kind": ["sft"]}]}, "Stage 1 needs a kind"),
        ({"stages": [{"kind": "cold-start", "beta": 1}]}, "Stage 1: "),
        ({"stages": [{"kind": "sft"}, {"kind": "dpo", "beta": 0}]}, "Stage 2: beta must be a number above 0"),
        ({"stages": [{"kind": "sft", "num_steps": {}}]}, "Stage 1: num_steps"),
    ],
)
def test_a_recipe_that_cannot_work_names_the_stage(values: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Recipe.from_json(values)


def test_without_a_choice_corrections_come_before_preferences_and_both_replay() -> None:
    assert [stage.kind for stage in DEFAULT_RECIPE.stages] == ["sft", "dpo"]
    assert all(stage.replays for stage in DEFAULT_RECIPE.stages)
    assert DEFAULT_RECIPE.stages[1].learning_rate < DpoConfig().learning_rate


def test_examples_are_drawn_as_often_as_they_weigh() -> None:
    order = weighted_order([1.0, 0.5, 0.0, 0.5], num_draws=400, seed=3)
    assert [order.count(index) for index in range(4)] == [200, 100, 0, 100]
    assert order == weighted_order([1.0, 0.5, 0.0, 0.5], num_draws=400, seed=3)
    assert order != weighted_order([1.0, 0.5, 0.0, 0.5], num_draws=400, seed=4)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"film": "1.dcm"}', "line 2, can't be learned from: it lacks origin, prompt, text, weight"),
        ("[1]", "it is no JSON object"),
        ("{", "line 2, can't be learned from"),
        ('{"film": 1, "prompt": "p", "weight": 1, "origin": "o", "text": "t"}', "is no text"),
        (
            '{"film": "f", "prompt": "p", "weight": 0, "origin": "o", "text": "t"}',
            "weight is no number above",
        ),
        ('{"film": "f", "prompt": "p", "weight": NaN, "origin": "o", "text": "t"}', "weight is no number"),
        (
            '{"film": "f", "prompt": "p", "weight": 1, "origin": "o", "text": "t", "more": 1}',
            "it has the unknown more",
        ),
    ],
)
def test_a_broken_line_is_named(tmp_path, line: str, sentence: str) -> None:
    good = {"film": "f", "prompt": "p", "weight": 1, "origin": "o", "text": "t"}
    (tmp_path / "texts.jsonl").write_text(f"{json.dumps(good)}\n{line}\n")
    with pytest.raises(ValueError, match=sentence):
        read_examples(tmp_path, TaughtText)


def test_a_folder_without_examples_says_what_is_missing(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"pairs\.jsonl is missing"):
        read_examples(tmp_path, TrainingPair)
    (tmp_path / "pairs.jsonl").touch()
    with pytest.raises(ValueError, match="is empty"):
        read_examples(tmp_path, TrainingPair)


def test_kto_needs_two_texts_to_tell_how_far_the_model_has_moved() -> None:
    assert KtoConfig(examples_per_step=2).examples_per_step == 2
