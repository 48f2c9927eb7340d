"""How pages name the stages of a training run and their settings."""

from collections.abc import Sequence

from rl_feedback.training.config import AUTOMATIC, StageConfig
from rl_feedback.training.stages import KEPT, QUESTIONS, STAGES

# Every setting of a stage as a page names it.
LABELS = {
    "origins": "Origins of the examples",
    "num_steps": "Optimizer steps",
    "examples_per_step": "Examples a step",
    "learning_rate": "Learning rate",
    "beta": "Tie to the parent (beta)",
    "loss": "Loss",
    "flip_share": "Share taken to be the wrong way round",
    "loss_because": "Why this loss",
    "sft_weight": "Weight of the chosen texts' likelihood",
    "desirable_weight": "Weight of good texts",
    "undesirable_weight": "Weight of bad texts",
    "num_rollouts": "Attempts at each case",
    "temperature": "Temperature of the attempts",
    "max_new_tokens": "Tokens of an attempt at most",
    "kl_weight": "Tie to the parent (KL)",
    "reward": "Reward",
    "step_scorer": "Scorer of the steps",
    "attempts_by": "The attempts are written by",
    "vllm_memory_share": "vLLM's share of the GPU's memory",
    "replay_weight": "Weight of the replayed texts",
    "replay_per_step": "Texts replayed a step",
    "replay_from": "What is replayed",
    "replay_site": "Site of the drawn films",
    "replay_blank_share": "Share of the replayed drawn films without a chest",
    "fill_up_to": "Filled up with drawn films to",
    "moves_films_px": "Films are moved by up to, px",
    "lora_rank": "Rank of the adapters",
    "lora_alpha": "Scale of the adapters",
    "adapts_vision": "The vision tower learns too",
    "checkpoint_every": "Steps between checkpoints",
    "sample_every": "Steps between samples",
    "sample_tokens": "Tokens of a sample at most",
    "report_to": "Figures also go to",
    "seed": "Seed",
    "num_threads": "Processor threads",
    "precision": "Number format",
    "examples_at_once": "Examples computed at once",
    "recomputes": "Saves memory by computing values twice",
}
KINDS = {
    "sft": "Supervised fine-tuning",
    "dpo": "Direct preference optimization",
    "kto": "Learning from single judgements (KTO)",
    "grpo": "Reinforcement learning (GRPO)",
}
# Of supervised fine-tuning, by what is taught.
TAUGHT = {
    "instruction": "Instruction fine-tuning",
    "cold-start": "Cold start",
    "corrections": "Corrections",
}
LOSS_NAMES = {
    AUTOMATIC: "automatic: by how far readers agree",
    "sigmoid": "sigmoid: the usual",
    "ipo": "IPO: for readers who agree little",
    "robust": "robust: for a known share of wrong pairs",
}
# Of texts to follow, by how they came to stand as they do.
ORIGINS = {
    "rewrite": "that readers rewrote",
    "region": "with regions that readers moved or drew",
    KEPT: "that readers let stand",
    QUESTIONS[0]: "that are bare answers to questions",
}

# How a data set comes to hold what a stage learns from.
WAYS = {
    "sft": "They come of readings that correct regions, steps and answers, or let them stand.",
    "dpo": "They come of votes between two outputs, and of corrections.",
    "kto": "They come of ratings of answers.",
    "grpo": "They come of outputs that readers corrected or let stand.",
}
ANSWERS_TO_QUESTIONS = "Ask the model questions of its studies, and have its answers read."


def way_to(stage: StageConfig) -> str:
    return ANSWERS_TO_QUESTIONS if stage.origins == QUESTIONS else WAYS[stage.kind]


def short_names_of(stages: Sequence[StageConfig]) -> str:
    """
    >>> short_names_of([STAGES["corrections"].config, STAGES["dpo"].config])
    'Corrections, then DPO'
    """
    return ", then ".join(_taught_by(stage) or stage.kind.upper() for stage in stages)


def title_of(stage: StageConfig) -> str:
    """
    >>> title_of(STAGES["cold-start"].config), title_of(STAGES["grpo"].config)
    ('Cold start (supervised fine-tuning)', 'Reinforcement learning (GRPO)')
    """
    kind = KINDS[stage.kind]
    name = _taught_by(stage)
    return f"{name} ({kind[0].lower()}{kind[1:]})" if name else kind


def _taught_by(stage: StageConfig) -> str:
    """Of supervised fine-tuning, what by the origins of its texts; empty where no named stage has these."""
    taught = (TAUGHT[name] for name in TAUGHT if STAGES[name].config.origins == stage.origins)
    return next(taught, "") if stage.kind == "sft" else ""
