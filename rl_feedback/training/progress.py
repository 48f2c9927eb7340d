"""Hands on what a trainer tells while it learns, by names that are the same for every stage."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from rl_feedback.training.checkpoints import seal_checkpoint
from rl_feedback.training.figures import StepFigures, device_memory_mb, peak_memory_mb
from rl_feedback.training.together import is_first, wait_for_all

# What TRL logs, and what a run calls it. A reward's parts are added by their own names.
NAMES = {
    "loss": "loss",
    "grad_norm": "gradient_norm",
    "learning_rate": "learning_rate",
    "mean_token_accuracy": "token_accuracy",
    "entropy": "entropy",
    "rewards/margins": "margin",
    "rewards/accuracies": "accuracy",
    "rewards/chosen": "reward_chosen",
    "rewards/rejected": "reward_rejected",
    "kl": "kl",
    "reward": "reward",
    "reward_std": "reward_spread",
    "completions/mean_length": "tokens_written",
    "completions/num_boxes": "boxes_written",
    "completions/clipped_ratio": "share_cut_off",
}


class StepReporter(TrainerCallback):
    """Hands each step's figures on; what it raises ends the run."""

    def __init__(
        self, on_step: Callable[[StepFigures], None], extra: Callable[[], Mapping[str, float]]
    ) -> None:
        self.on_step, self.extra = on_step, extra
        self._began, self._seconds = time.monotonic(), 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # Here, so that samples which are taken after a step do not count as its time.
        self._seconds = time.monotonic() - self._began

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any
    ) -> None:
        # The last log of a run sums it up and has no loss of its own.
        if not logs or "loss" not in logs:
            return
        values = {NAMES[name]: float(value) for name, value in logs.items() if name in NAMES}
        values |= _parts_of_reward(logs)
        values |= self.extra()
        values |= device_memory_mb()
        if not math.isfinite(values["loss"]):
            raise ValueError(
                f"The loss is {values['loss']} at step {state.global_step}: the run diverged. "
                "Choose a lower learning rate and start again."
            )
        if not is_first():
            return
        self.on_step(
            StepFigures(
                step=state.global_step,
                num_steps=state.max_steps,
                values=values,
                seconds=self._seconds,
                memory_mb=peak_memory_mb(),
            )
        )


class CheckpointSealer(TrainerCallback):
    """Marks a checkpoint as whole once all of it is written."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        # Each process has written its own state of chance.
        wait_for_all()
        if is_first():
            seal_checkpoint(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        wait_for_all()


def _parts_of_reward(logs: Mapping[str, float]) -> dict[str, float]:
    """`rewards/<name>/<part>` as `reward_<part>`; TRL's own `…/mean` and `…/std` are the reward itself."""
    parts = (name.split("/") for name in logs if name.startswith("rewards/") and name.count("/") == 2)
    return {
        f"reward_{part}": float(logs[f"rewards/{name}/{part}"])
        for _, name, part in parts
        if part not in ("mean", "std")
    }
