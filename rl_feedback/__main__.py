"""`python -m rl_feedback`: trains and measures models from a shell, without the platform."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from inference.command_line import run_command

# Name, what it does, and the module with `configure(parser)` and `run(options)`, which yields lines.
COMMANDS = {
    "train-small-model": (
        "train the small model that ships with the project",
        "rl_feedback.small_model.train_command",
    ),
    "evaluate-small-model": (
        "measure a model on held-out drawn films",
        "rl_feedback.small_model.evaluate_command",
    ),
    "train-on-truth": (
        "show a model a site's truth: the ceiling that ratings are held against, never to serve",
        "rl_feedback.small_model.truth_command",
    ),
    "preferences": (
        "turn a file of readings into pairs, labels and regions",
        "rl_feedback.preferences_command",
    ),
    "phantom-data": ("write a data folder of drawn films", "rl_feedback.training.phantom_data"),
    "instruction": ("teach answers to questions", "rl_feedback.training.command"),
    "cold-start": ("teach reasoning in steps that cite regions", "rl_feedback.training.command"),
    "corrections": ("teach what readers rewrote and redrew", "rl_feedback.training.command"),
    "dpo": ("teach which of two texts readers prefer", "rl_feedback.training.command"),
    "kto": ("teach which single texts readers found good", "rl_feedback.training.command"),
    "grpo": ("let the model try, and reward what is right", "rl_feedback.training.command"),
    "step-scorer": (
        "learn from rated steps what a step is worth, and say whether that may be used",
        "rl_feedback.steps.command",
    ),
    "recipe": ("stages in a row; without --config corrections, then votes", "rl_feedback.training.command"),
    "worker": ("learn as one of several processes, which an engine starts", "rl_feedback.engines.worker"),
    "ray-job": ("learn as a job on a Ray cluster, which starts this", "rl_feedback.engines.ray_job"),
    "simulated-rounds": (
        "see what one kind of SIMULATED rating gains on drawn films",
        "rl_feedback.simulated_rounds.command",
    ),
    "export-bundle": ("hand training over to a cluster: EasyR1 on Ray", "rl_feedback.bundle.command"),
    "check-bundle": ("load a bundle and call its reward on its own", "rl_feedback.bundle.command"),
    "hugging-face": (
        "write a data folder as a data set that datasets and TRL load",
        "rl_feedback.hugging_face.command",
    ),
    "compare-rounds": (
        "draw several runs of simulated-rounds on one plot",
        "rl_feedback.simulated_rounds.comparing",
    ),
    "rewards": ("score a file of completions", "rl_feedback.rewards_command"),
    "evaluate": (
        "measure predictions on a benchmark: reports, questions, regions",
        "rl_feedback.evaluation.command",
    ),
    "arena": (
        "let a language model compare models' reports in pairs, and print the board",
        "rl_feedback.evaluation.arena.command",
    ),
    "gate": ("measure a candidate beside its parent and decide", "rl_feedback.gate.command"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    return run_command(COMMANDS, arguments, library="rl_feedback", description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
