"""The stages that have a name: what each learns from, and the choices that it begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rl_feedback.training.config import DpoConfig, GrpoConfig, KtoConfig, SftConfig, StageConfig

# Where texts to follow come from.
QUESTIONS = ("question",)
REASONING = ("reasoning", "phantom", "rewrite", "region")
KEPT = "kept"
CORRECTIONS = ("rewrite", "region", KEPT)


@dataclass(frozen=True)
class NamedStage:
    """`says` completes "This stage …"."""

    name: str
    says: str
    config: StageConfig


STAGES: Mapping[str, NamedStage] = {
    stage.name: stage
    for stage in (
        NamedStage(
            "instruction",
            "teaches answers to questions (instruction fine-tuning)",
            SftConfig(origins=QUESTIONS, num_steps=300, learning_rate=1e-3),
        ),
        NamedStage(
            "cold-start",
            "teaches reasoning in steps that cite regions, before reinforcement learning",
            SftConfig(origins=REASONING, num_steps=200, learning_rate=5e-4, fill_up_to=60),
        ),
        NamedStage(
            "corrections",
            "teaches what readers rewrote, where they put regions, and what they found good as it was",
            SftConfig(origins=CORRECTIONS, num_steps=200, examples_per_step=16, replay_per_step=16),
        ),
        NamedStage("dpo", "teaches which of two texts readers prefer", DpoConfig()),
        NamedStage("kto", "teaches which single texts readers found good and which bad", KtoConfig()),
        NamedStage("grpo", "lets the model try, and rewards what is right and well placed", GrpoConfig()),
    )
}
