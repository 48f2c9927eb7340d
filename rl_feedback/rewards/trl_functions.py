"""The rewards as TRL's trainers call them: from completions and the columns of a data set to floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from inference.grounding import parse_completion
from rl_feedback.rewards.grounded import grounded_reward
from rl_feedback.rewards.paper import paper_reward
from rl_feedback.rewards.truth import CaseTruth
from rl_feedback.rewards.version import NEWEST, RewardVersion

# A completion is a text, or a conversation's last messages, whose content is a text or parts of one.
Completion = str | Sequence[Mapping[str, Any]]
# TRL's own type; None would mean "no reward for this row", which ours never say.
Rewards = list[float | None]
RewardFunction = Callable[..., Rewards]
# From texts, and the data set's columns of the cases that they answer.
StepScorer = Callable[[Sequence[str], Mapping[str, Sequence[Any]]], Sequence[Sequence[float]]]

_TRUTH_COLUMNS = ("answer", "regions", "image_size", "model_size", "box_frame")


def trl_paper_reward(completions: Sequence[Completion], *, answer: Sequence[str], **columns: Any) -> Rewards:
    """The published reward, for `GRPOTrainer(reward_funcs=…)` on a data set with a column `answer`.

    >>> text = "<think> big heart [1, 2, 3, 4] </think> \\\\boxed{yes}"
    >>> trl_paper_reward([[{"role": "assistant", "content": text}]], answer=["yes"], prompts=["…"])
    [1.5000000000000002]
    """
    rewards = paper_reward([completion_text(completion) for completion in completions], answer)
    _log_boxes(columns.get("log_metric"), completions)
    parts = ("format", "accuracy", "coordinate")
    _log(columns.get("log_metric"), "trl_paper_reward", rewards, parts)
    _log_each(columns.get("log_extra"), rewards, parts)
    return [reward.overall for reward in rewards]


def trl_grounded_reward(
    *, version: RewardVersion = NEWEST, score_steps: StepScorer | None = None
) -> RewardFunction:
    """Our reward as a function for `GRPOTrainer(reward_funcs=…)`, on a data set with the columns of
    `CaseTruth.from_columns`. `score_steps` gives the lower bounds of the steps' scores of each text.

    >>> reward = trl_grounded_reward()
    >>> reward.__name__, reward(["<think> Clear </think> \\\\boxed{Yes}"], answer=["yes"], prompts=["…"])
    ('grounded_2', [1.0])
    """

    def reward(completions: Sequence[Completion], **columns: Any) -> Rewards:
        texts = [completion_text(completion) for completion in completions]
        named = [name for name in _TRUTH_COLUMNS if name in columns]
        if "answer" not in named:
            raise ValueError("The data set needs a column `answer` with the true answers.")
        rows = zip(*(columns[name] for name in named), strict=True)
        truths = [CaseTruth.from_columns(dict(zip(named, row, strict=True))) for row in rows]
        rewards = grounded_reward(
            texts, truths, step_scores=score_steps(texts, columns) if score_steps else None, version=version
        )
        _log_boxes(columns.get("log_metric"), completions)
        parts = ("format", "answer", "regions", "steps", "length")
        _log(columns.get("log_metric"), reward.__name__, rewards, parts)
        _log_each(columns.get("log_extra"), rewards, parts)
        return [found.overall for found in rewards]

    # TRL names its curves after the function.
    reward.__name__ = version.name.replace("-", "_")
    return reward


def completion_text(completion: Completion) -> str:
    if isinstance(completion, str):
        return completion
    contents = [message["content"] for message in completion]
    return "".join(
        content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
        for content in contents
    )


def _log(
    log_metric: Callable[[str, float], None] | None,
    name: str,
    rewards: Sequence[object],
    parts: Sequence[str],
) -> None:
    """Each part's mean as a curve of its own, where the trainer draws them."""
    if log_metric is None:
        return
    for part in parts:
        values = [value for reward in rewards if (value := getattr(reward, part)) is not None]
        if values:
            log_metric(f"rewards/{name}/{part}", fmean(values))


def _log_boxes(log_metric: Callable[[str, float], None] | None, completions: Sequence[Completion]) -> None:
    """How many regions an attempt names, on average: a model that names none looks right for nothing."""
    if log_metric is not None and completions:
        parsed = (parse_completion(completion_text(completion)) for completion in completions)
        log_metric("completions/num_boxes", fmean(sum(len(s.boxes) for s in one.steps) for one in parsed))


def _log_each(
    log_extra: Callable[[str, list[Any]], None] | None, rewards: Sequence[object], parts: Sequence[str]
) -> None:
    """Each attempt's parts, where the trainer keeps them."""
    if log_extra is not None:
        for part in parts:
            log_extra(part, [getattr(reward, part) for reward in rewards])
