"""Online reinforcement learning: the model tries a case several times, and better tries become likelier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from importlib.util import find_spec
from typing import Any

import torch
from datasets import Dataset
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from rl_feedback.rewards.trl_functions import StepScorer, trl_grounded_reward, trl_paper_reward
from rl_feedback.steps.reading import StepReader
from rl_feedback.training.checkpointing import Checkpointing
from rl_feedback.training.config import GrpoConfig
from rl_feedback.training.examples import RewardedCase
from rl_feedback.training.films import Films, turn
from rl_feedback.training.replay import Replaying
from rl_feedback.training.stage import Stage


class GrpoOnFilms(Replaying, Checkpointing, GRPOTrainer):
    """TRL's trainer with replay; the reference model is the parent."""


def make_trainer(stage: Stage) -> GrpoOnFilms:
    """Reads cases.jsonl."""
    config = stage.config
    assert isinstance(config, GrpoConfig)
    cases = stage.examples(RewardedCase)
    return GrpoOnFilms(
        args=GRPOConfig(
            # One attempt is one row: a step holds every attempt at each of its cases.
            **stage.arguments(),
            num_generations=config.num_rollouts,
            max_completion_length=config.max_new_tokens,
            temperature=config.temperature,
            beta=config.kl_weight,
            shuffle_dataset=False,
            **who_writes(config, never=stage.loaded.suppressed_tokens),
        ),
        reward_funcs=[
            trl_paper_reward
            if config.reward == "paper"
            else trl_grounded_reward(score_steps=scoring(stage.steps, cases))
        ],
        train_dataset=_attempted(cases, films=stage.films, order=list(stage.drawn(cases)["example"])),
        **{**stage.parts(), "processing_class": padding_on_the_left(stage.loaded.processor)},
    )


def padding_on_the_left(processor: Any) -> Any:
    """A processor as TRL asks for it: its trainer lays prompts together by their ends, but the
    marks of which tokens are a film's as the processor pads. On the other side these marks lie beside the
    film: the model learns from words in wrong places, or the step fails."""
    left = deepcopy(processor)
    left.tokenizer.padding_side = "left"
    return left


def who_writes(config: GrpoConfig, *, never: Sequence[int]) -> dict[str, Any]:
    """Who writes the attempts; `never` are tokens that no attempt may hold. Raises ValueError where vLLM is
    asked for and can't run."""
    if config.attempts_by == "model":
        return {"generation_kwargs": {"suppress_tokens": list(never)}}
    if find_spec("vllm") is None or not torch.cuda.is_available():
        raise ValueError(
            "attempts_by is vllm, which needs a CUDA device and the package vllm here. "
            "Install it (pip install 'trl[vllm]'), or choose model."
        )
    return {
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_gpu_memory_utilization": config.vllm_memory_share,
        # vLLM has no list of what must not be written, but weights for single tokens.
        "generation_kwargs": {"logit_bias": dict.fromkeys(never, -100.0)},
    }


def scoring(steps: StepReader | None, cases: Sequence[RewardedCase]) -> StepScorer | None:
    """What the frozen start model and its scorer give each step of each attempt."""
    if steps is None:
        return None

    def score(texts: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> list[list[float]]:
        shown = [cases[place] for place in columns["case"]]
        return steps.lower_bounds(
            [(case.film, case.prompt, text) for case, text in zip(shown, texts, strict=True)]
        )

    return score


def _attempted(cases: Sequence[RewardedCase], *, films: Films, order: Sequence[int]) -> Dataset:
    """One row per drawn case; its film is read when the row is."""

    def read(rows: dict[str, list[int]]) -> dict[str, list[Any]]:
        shown = [cases[place] for place in rows["case"]]
        return {
            "case": rows["case"],
            "prompt": [turn(case.prompt) for case in shown],
            "image": [films.film(case.film) for case in shown],
            "answer": [case.answer for case in shown],
            "regions": [case.regions for case in shown],
            "image_size": [case.image_size for case in shown],
            "model_size": [case.model_size for case in shown],
            "box_frame": [case.box_frame for case in shown],
        }

    return Dataset.from_dict({"case": list(order)}).with_transform(read)
