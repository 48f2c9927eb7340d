"""TRL's own trainer calls the rewards, on texts and on conversations, and gets each part as a curve."""

import doctest
import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest

from inference.phantoms import REPORT_QUERY, draw_phantom
from rl_feedback import labels, rewards
from rl_feedback.rewards import GROUNDED_2, phantom_case, trl_grounded_reward, trl_paper_reward
from tests.home import ROOT
from tests.rl_feedback.rewards.defects import said

MODULES = [
    importlib.import_module(f"{package.__name__}.{module.name}")
    for package in (rewards, labels)
    for module in pkgutil.iter_modules(package.__path__)
]
COLUMNS: dict[str, Any] = {
    "answer": ["yes", "no"],
    "regions": [[{"finding": "normal heart", "box": [100.0, 200.0, 300.0, 400.0]}], None],
    "image_size": [[504, 504], None],
    "model_size": [[504, 504], None],
    "prompts": ["…", "…"],
    "trainer_state": None,
}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_in_the_docstrings_run(module) -> None:
    assert doctest.testmod(module).failed == 0


def test_texts_and_conversations_and_parts_of_a_message_are_the_same_completion() -> None:
    text = said("yes")
    spoken = [{"role": "assistant", "content": text}]
    in_parts = [{"role": "assistant", "content": [{"type": "text", "text": text}]}]
    reward = trl_grounded_reward()
    assert (
        reward([text, text], **COLUMNS)
        == reward([spoken, in_parts], **COLUMNS)
        == [1.0, pytest.approx(0.1 / 0.55)]
    )
    assert trl_paper_reward([spoken, in_parts], **COLUMNS) == [1.5000000000000002, pytest.approx(0.15)]


def test_every_part_is_logged_as_a_curve() -> None:
    curves: dict[str, float] = {}
    trl_grounded_reward()([said("yes")] * 2, **COLUMNS, log_metric=curves.__setitem__)
    assert curves["rewards/grounded_2/answer"] == 0.5
    assert curves["rewards/grounded_2/regions"] == 1
    assert "rewards/grounded_2/steps" not in curves
    trl_paper_reward([said("yes")] * 2, **COLUMNS, log_metric=curves.__setitem__)
    assert curves["rewards/trl_paper_reward/coordinate"] == pytest.approx(0.05)


def test_a_step_scorer_is_asked_for_each_completion() -> None:
    reward = trl_grounded_reward(score_steps=lambda texts, columns: [[0.5]] * len(texts))
    assert reward([said("yes")], answer=["yes"]) == [pytest.approx((0.10 + 0.45 + 0.15 * 0.5) / 0.70)]


def test_a_data_set_without_true_answers_is_refused() -> None:
    with pytest.raises(ValueError, match="`answer`"):
        trl_grounded_reward()([said("yes")], prompts=["…"])


def test_the_trainer_itself_calls_both_and_draws_a_curve_of_each_part(tmp_path: Path) -> None:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    reader = PreTrainedTokenizerFast.from_pretrained(ROOT / "inference" / "shipped_model")
    case = phantom_case(draw_phantom(seed=6, width=56, height=56).truth)
    regions = [
        {"finding": region.finding, "box": list(map(float, region.box))} for region in case.regions or ()
    ]
    row = {
        "prompt": REPORT_QUERY,
        "answer": case.answer,
        "regions": regions,
        "image_size": list(case.image_size),
        "model_size": list(case.model_size),
    }
    smallest = Qwen2Config(
        vocab_size=len(reader),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    trainer = GRPOTrainer(
        model=Qwen2ForCausalLM(smallest),
        reward_funcs=[trl_grounded_reward(version=GROUNDED_2), trl_paper_reward],
        args=GRPOConfig(
            output_dir=str(tmp_path),
            per_device_train_batch_size=2,
            num_generations=2,
            max_completion_length=4,
            max_steps=1,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            bf16=False,
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list([row] * 2),
        processing_class=reader,
    )
    trainer.train()
    curves = trainer.state.log_history[0]
    assert curves["rewards/grounded_2/mean"] == 0
    assert curves["rewards/grounded_2/length"] == 1
    assert {"rewards/grounded_2/regions", "rewards/trl_paper_reward/coordinate"} <= set(curves)
