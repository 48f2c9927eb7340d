"""Every choice of a training stage, each with what it does; what can't work is refused by name.

One stage is one run of one TRL trainer on one model. All stages share the choices of `StageConfig`: how long,
how fast, which weights move, and what is replayed against forgetting.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.util import find_spec
from typing import Any, ClassVar, Literal, Self, TypeVar

from inference.phantoms import TAUGHT_SITES, TRAIN_SEEDS

Kind = Literal["sft", "dpo", "kto", "grpo"]
Value = TypeVar("Value")

REPORT_TO = ("none", "tensorboard", "mlflow")
# Choices that change what is told of a run, not what it learns.
ONLY_TOLD = frozenset({"sample_every", "sample_tokens", "report_to", "loss_because"})
# What is written beside a choice and chosen by nobody.
NOT_CHOSEN = frozenset({"loss_because"})
# A loss that is chosen by how far readers agree: rl_feedback.training.loss_by_agreement.
AUTOMATIC = "automatic"
LOSSES = (AUTOMATIC, "sigmoid", "ipo", "robust")


def require_reportable(report_to: str) -> None:
    """Raises ValueError, with the way out, where what figures shall go to is not installed here."""
    if report_to != "none" and find_spec(report_to) is None:
        raise ValueError(
            f"report_to is {report_to}, which is not installed here. "
            f"Install it (pip install 'deepmedix-review[{report_to}]'), or choose none."
        )


def choice(default: Value, says: str) -> Value:
    """A field of a config with its default and what it does, for pages, commands and the reference."""
    declared: Value = field(default=default, metadata={"says": says})
    return declared


@dataclass(frozen=True)
class StageConfig:
    """What every stage needs. Raises ValueError, naming the field, for a choice that can't work.

    The defaults suit the shipped model on tens to hundreds of examples.
    """

    kind: ClassVar[Kind]

    origins: tuple[str, ...] = choice(
        (), "Of the examples, only those of these origins; none named takes all."
    )
    num_steps: int = choice(60, "Optimizer steps.")
    examples_per_step: int = choice(8, "Examples drawn for each step, with chances as their weights.")
    examples_at_once: int = choice(
        0,
        "So many of a step's examples (of `grpo`: attempts) go through the model at once, the others after "
        "them: the same step in less memory; 0 takes all at once.",
    )
    recomputes: bool = choice(
        False,
        "Compute a layer's values again for its gradient instead of keeping them: slower, in less memory.",
    )
    learning_rate: float = choice(
        1e-4,
        "Peak of AdamW's rate: linear warm-up over a tenth of the steps, then cosine decay to 0.",
    )
    replay_weight: float = choice(
        1.0,
        "Weight of the likelihood of the replayed texts in the loss, against forgetting.",
    )
    replay_per_step: int = choice(
        8,
        "Texts replayed in each step, of what the model did well before; 0 replays nothing.",
    )
    replay_from: str = choice(
        "drawn",
        "`drawn`: ideal reasoning on drawn films (models that learned from them); `kept`: replay.jsonl.",
    )
    replay_site: str = choice(
        "first",
        "Site of the drawn films, one of inference.phantoms.TAUGHT_SITES: no other site's truth trains.",
    )
    replay_blank_share: float = choice(
        0.15,
        "Of the replayed drawn films, the share without a chest, of which there is nothing to say.",
    )
    lora_rank: int = choice(
        16,
        "Rank of the adapters that are trained and then merged (LoRA, Hu et al. 2021); 0 trains the weights.",
    )
    lora_alpha: int = choice(32, "Scale of the adapters, over the rank.")
    adapts_vision: bool = choice(False, "Train the vision tower too, not the language model alone.")
    checkpoint_every: int = choice(10, "Steps between checkpoints: what a kill costs at most.")
    sample_every: int = choice(
        20,
        "Steps between samples: what the model writes of the films in samples.jsonl; 0 takes none.",
    )
    sample_tokens: int = choice(512, "Where a sample is cut off.")
    report_to: str = choice(
        "none",
        "`tensorboard` or `mlflow`, where installed: the same figures by transformers' own callbacks.",
    )
    seed: int = choice(
        7,
        "Draws adapters, examples and replay: the same seed and data give the same run on one machine.",
    )
    num_threads: int = choice(
        1,
        "Processor threads; on two cores that others share, one was ten times faster than two (measured).",
    )
    precision: str = choice("float32", "float32, or bfloat16 on devices that have it.")

    def __post_init__(self) -> None:
        are_names = isinstance(self.origins, tuple) and all(isinstance(name, str) for name in self.origins)
        self.require(are_names, "origins", "a list of names")
        self.require_whole("num_steps", least=1, most=100_000)
        self.require_whole("examples_per_step", least=1, most=1024)
        self.require_whole("examples_at_once", most=self.shown_per_step)
        divides = self.examples_at_once == 0 or self.shown_per_step % self.examples_at_once == 0
        self.require(
            divides, "examples_at_once", f"0 or a divisor of the {self.shown_per_step} that a step shows"
        )
        self.require(isinstance(self.recomputes, bool), "recomputes", "true or false")
        self.require_number("learning_rate", above=0, most=0.1)
        self.require_number("replay_weight")
        self.require_whole("replay_per_step", most=1024)
        self.require_one_of("replay_from", ("drawn", "kept"))
        self.require_one_of("replay_site", TAUGHT_SITES)
        self.require_number("replay_blank_share")
        self.require(self.replay_blank_share <= 1, "replay_blank_share", "at most 1")
        self.require_whole("lora_rank", most=1024)
        self.require_whole("lora_alpha", least=1, most=4096)
        self.require(isinstance(self.adapts_vision, bool), "adapts_vision", "true or false")
        self.require_whole("checkpoint_every", least=1)
        self.require_whole("sample_every")
        self.require_whole("sample_tokens", least=1, most=32_768)
        self.require_one_of("report_to", REPORT_TO)
        self.require_whole("seed", most=2**32 - 1)
        self.require_whole("num_threads", least=1, most=1024)
        self.require_one_of("precision", ("float32", "bfloat16"))

    @property
    def taught(self) -> dict[str, Any]:
        """What decides on the weights: without the choices of what is told meanwhile."""
        return {name: value for name, value in self.as_json().items() if name not in ONLY_TOLD}

    @property
    def shown_per_step(self) -> int:
        """How many texts, or pairs of them, a step learns from."""
        return self.examples_per_step

    @property
    def replays(self) -> bool:
        return self.replay_per_step > 0 and self.replay_weight > 0

    @property
    def scores_steps(self) -> bool:
        """Whether a learned step scorer has a part in it."""
        return False

    def require_decided(self) -> None:
        """Raises ValueError where something is still to be chosen by the data before it can train."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The config with the given fields, all others at their default; an unknown field is refused by name.

        >>> DpoConfig.from_json({"num_steps": 5}).num_steps
        5
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"There is no setting {', '.join(unknown)}; the settings are {', '.join(sorted(known))}."
            )
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**{**values, **lists})

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "origins": list(self.origins)}

    @classmethod
    def explained(cls) -> dict[str, tuple[Any, str]]:
        """Every setting with its default and what it does."""
        return {field.name: (field.default, field.metadata["says"]) for field in fields(cls)}

    def require(self, holds: bool, name: str, what: str) -> None:
        if not holds:
            raise ValueError(f"{name} must be {what}.")

    def require_whole(self, name: str, *, least: int = 0, most: int = 2**31) -> None:
        value = getattr(self, name)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        self.require(is_whole and least <= value <= most, name, f"a whole number from {least} to {most}")

    def require_number(
        self, name: str, *, above: float | None = None, least: float = 0, most: float = math.inf
    ) -> None:
        value = getattr(self, name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        within = is_number and (value > above if above is not None else value >= least) and value <= most
        low = f"above {above:g}" if above is not None else f"of at least {least:g}"
        high = f" and at most {most:g}" if math.isfinite(most) else ""
        self.require(within, name, f"a number {low}{high}")

    def require_one_of(self, name: str, values: Sequence[str]) -> None:
        self.require(getattr(self, name) in values, name, f"one of {', '.join(values)}")


@dataclass(frozen=True)
class SftConfig(StageConfig):
    """Supervised fine-tuning on texts.jsonl: questions and answers, ideal reasoning, readers' corrections."""

    kind = "sft"

    examples_per_step: int = choice(8, "Texts drawn for each step, with chances as their weights.")
    learning_rate: float = choice(
        3e-4,
        "Peak of AdamW's rate: linear warm-up over a tenth of the steps, then cosine decay to 0.",
    )
    moves_films_px: int = choice(
        0,
        "A film is moved by up to so many pixels, regions along, each time it is shown; "
        "for models that write regions in pixels of the film as they see it.",
    )
    fill_up_to: int = choice(
        0,
        "Where there are fewer texts, drawn films with their ideal reasoning fill them up to so many; for "
        "models that learned from drawn films. 0 leaves the texts alone.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_whole("moves_films_px", most=64)
        self.require_whole("fill_up_to", most=len(TRAIN_SEEDS))


@dataclass(frozen=True)
class DpoConfig(StageConfig):
    """Direct preference optimization on pairs.jsonl (Rafailov et al. 2023)."""

    kind = "dpo"

    examples_per_step: int = choice(8, "Pairs drawn for each step, with chances as their weights.")
    beta: float = choice(
        0.1,
        "How strongly the candidate is tied to its parent (DPO, Rafailov et al. 2023, eq. 7).",
    )
    sft_weight: float = choice(
        1.0,
        "Weight of the likelihood of the chosen texts beside DPO's loss of 1; keeps grounding from decaying.",
    )
    loss: str = choice(
        AUTOMATIC,
        "`automatic`: by how far readers agree on votes; `sigmoid`, `ipo` (Azar 2023; aims at a margin of "
        "1 / (2 beta) a token) or `robust` (Chowdhury 2024).",
    )
    flip_share: float = choice(
        0.0,
        "Of `robust`: the share of pairs that are taken to be the wrong way round, below .5; 0 takes it from "
        "the pairs' weights.",
    )
    loss_because: str = choice(
        "",
        "Why `automatic` chose this loss, written when it did; nothing of it is a choice.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_number("beta", above=0)
        self.require_number("sft_weight")
        self.require_one_of("loss", LOSSES)
        self.require_number("flip_share", most=0.49)
        self.require(self.loss == "robust" or self.flip_share == 0, "flip_share", "0 unless loss is robust")
        is_short_text = isinstance(self.loss_because, str) and len(self.loss_because) <= 1000
        self.require(is_short_text, "loss_because", "a text of at most 1000 characters")

    def require_decided(self) -> None:
        self.require(self.loss != AUTOMATIC, "loss", "chosen before the run: sigmoid, ipo or robust")


@dataclass(frozen=True)
class KtoConfig(StageConfig):
    """Learning from single judgements, judged.jsonl, without comparisons (KTO, Ethayarajh et al. 2024)."""

    kind = "kto"

    examples_per_step: int = choice(
        8,
        "Judged texts drawn for each step, with chances as their weights; at least 2, for the KL estimate.",
    )
    beta: float = choice(0.1, "How strongly the candidate is tied to its parent (KTO, eq. 7).")
    desirable_weight: float = choice(1.0, "Weight of a text that readers found good.")
    undesirable_weight: float = choice(1.0, "Weight of a text that readers found bad.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_whole("examples_per_step", least=2, most=1024)
        self.require(self.examples_at_once != 1, "examples_at_once", "0 or at least 2, for the KL estimate")
        self.require_number("beta", above=0)
        self.require_number("desirable_weight", above=0)
        self.require_number("undesirable_weight", above=0)


@dataclass(frozen=True)
class GrpoConfig(StageConfig):
    """Online reinforcement learning on cases.jsonl by group-relative rewards (GRPO, Shao et al. 2024)."""

    kind = "grpo"

    examples_per_step: int = choice(4, "Cases attempted in each step.")
    learning_rate: float = choice(
        5e-5,
        "Peak of AdamW's rate: linear warm-up over a tenth of the steps, then cosine decay to 0.",
    )
    num_rollouts: int = choice(8, "Attempts at each case, whose rewards are compared with each other.")
    temperature: float = choice(1.0, "Of sampling the attempts.")
    max_new_tokens: int = choice(256, "Where an attempt is cut off.")
    kl_weight: float = choice(
        0.04,
        "How strongly the candidate is tied to its parent; above 0, or rewards are gamed within minutes.",
    )
    reward: str = choice("grounded", "`grounded` (ours) or `paper` (the published one, for comparison).")
    step_scorer: str = choice(
        "learned",
        "`learned`: of rated_steps.jsonl, by the run's start model, where it beats its baselines; `none`.",
    )

    attempts_by: str = choice(
        "model",
        "`model` itself writes the attempts, or `vllm` beside it on the same GPUs, where installed: quicker.",
    )
    vllm_memory_share: float = choice(0.3, "Of `vllm`: its share of each GPU's memory.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_one_of("attempts_by", ("model", "vllm"))
        self.require_number("vllm_memory_share", above=0, most=0.9)
        self.require_whole("num_rollouts", least=2, most=256)
        self.require_number("temperature", above=0, most=10)
        self.require_whole("max_new_tokens", least=1, most=32_768)
        self.require_number("kl_weight", above=0)
        self.require_one_of("reward", ("grounded", "paper"))
        self.require_one_of("step_scorer", ("learned", "none"))

    @property
    def shown_per_step(self) -> int:
        return self.examples_per_step * self.num_rollouts

    @property
    def scores_steps(self) -> bool:
        return self.reward == "grounded" and self.step_scorer == "learned"


CONFIGS: Mapping[str, type[StageConfig]] = {
    config.kind: config for config in (SftConfig, DpoConfig, KtoConfig, GrpoConfig)
}
