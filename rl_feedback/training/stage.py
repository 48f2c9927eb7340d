"""What a trainer of any kind is made of: arguments, the model's parts that learn, examples in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import LoraConfig, get_peft_model

from inference.qwen_vl import LoadedModel, load_model_and_processor
from rl_feedback.steps.reading import StepReader
from rl_feedback.training.config import StageConfig
from rl_feedback.training.drawn import DrawnText
from rl_feedback.training.examples import AnyExample, Example, holds_examples, read_examples
from rl_feedback.training.films import Films
from rl_feedback.training.order import weighted_order
from rl_feedback.training.together import num_processes, on_processors, share_of

_LANGUAGE_LAYERS = r".*language_model\..*\.(?:q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
_ALL_LAYERS = rf"(?:{_LANGUAGE_LAYERS}|.*visual\..*\.(?:qkv|proj|gate_proj|up_proj|down_proj|mlp\.0|mlp\.2))"


@dataclass(frozen=True)
class Stage:
    """What a trainer is made of: the parent in memory, the films, where checkpoints go, and the scorer of
    steps where one may be used."""

    config: StageConfig
    loaded: LoadedModel
    parent: Path
    data: Path
    films: Films
    work: Path
    steps: StepReader | None = None

    def arguments(self, **chosen: Any) -> dict[str, Any]:
        """Of the trainer's config: those that all stages share, and the given ones."""
        config = self.config
        share_of(config.examples_per_step, "examples_per_step")
        share = share_of(config.shown_per_step, "examples_per_step")
        at_once = config.examples_at_once or share
        if share % at_once:
            raise ValueError(
                f"examples_at_once must divide the {share} examples of each worker, not {at_once}."
            )
        return {
            "output_dir": str(self.work),
            "max_steps": config.num_steps,
            "per_device_train_batch_size": at_once,
            "gradient_accumulation_steps": share // at_once,
            "learning_rate": config.learning_rate,
            "lr_scheduler_type": "cosine",
            # A run of one step would be all warm-up, and learn nothing.
            "warmup_steps": min(max(1, config.num_steps // 10), config.num_steps - 1),
            "save_strategy": "steps",
            "save_steps": config.checkpoint_every,
            "save_total_limit": 3,
            "logging_steps": 1,
            "logging_nan_inf_filter": False,
            "report_to": [],
            "disable_tqdm": True,
            "remove_unused_columns": False,
            "activation_checkpointing": config.recomputes,
            "bf16": config.precision == "bfloat16",
            "seed": config.seed,
            "data_seed": config.seed,
            "dataloader_pin_memory": False,
            **self._together(),
            **chosen,
        }

    def _together(self) -> dict[str, Any]:
        """Of processes that learn together. A step has two forward passes, of what is learned and of what is
        replayed: buffers that are sent round between them would break the first one's gradients."""
        if num_processes() == 1:
            return {}
        return {
            "use_cpu": on_processors(),
            "ddp_find_unused_parameters": False,
            "ddp_broadcast_buffers": False,
        }

    def parts(self) -> dict[str, Any]:
        """Of the trainer: the model, what of it learns, and its processor."""
        adapters = self._adapters()
        if adapters is None and not self.config.adapts_vision:
            self.loaded.model.model.visual.requires_grad_(False)
        return {
            "model": self.loaded.model,
            "processing_class": self.loaded.processor,
            "peft_config": adapters,
        }

    def reference(self) -> Any:
        """The parent as it was, for a stage that trains the weights; adapters are switched off instead."""
        if self.config.lora_rank:
            return None
        return load_model_and_processor(self.parent, dtype=self.config.precision).model

    def whole_model(self) -> Any:
        """The parent anew with adapters of its own, for weights that several processes had in parts."""
        model = load_model_and_processor(self.parent, dtype=self.config.precision).model
        adapters = self._adapters()
        return model if adapters is None else get_peft_model(model, adapters)

    def examples(self, kind: type[AnyExample], *, may_lack: bool = False) -> tuple[AnyExample, ...]:
        """Those of the data folder that the config's origins let in. Raises ValueError where there are none,
        unless they `may_lack`."""
        if may_lack and not holds_examples(self.data, kind):
            return ()
        found = read_examples(self.data, kind)
        wanted = self.config.origins
        chosen = tuple(one for one in found if not wanted or one.origin in wanted)
        if not chosen and not may_lack:
            there = ", ".join(sorted({one.origin for one in found}))
            raise ValueError(
                f"None of the {kind.noun} has the origin {' or '.join(wanted)}; there are {there}. "
                "Choose other origins, or freeze a data set that has them."
            )
        return chosen

    def drawn(self, examples: Sequence[Example | DrawnText]) -> Dataset:
        """One row per drawn example, in the order in which they are shown, with the number of the draw;
        `images` tells TRL that films come with them."""
        order = weighted_order(
            [example.weight for example in examples],
            num_draws=self.config.num_steps * self.config.examples_per_step,
            seed=self.config.seed,
        )
        return Dataset.from_dict({"example": order, "draw": range(len(order)), "images": [[]] * len(order)})

    def _adapters(self) -> LoraConfig | None:
        if not self.config.lora_rank:
            return None
        return LoraConfig(
            r=self.config.lora_rank,
            lora_alpha=self.config.lora_alpha,
            target_modules=_ALL_LAYERS if self.config.adapts_vision else _LANGUAGE_LAYERS,
            task_type="CAUSAL_LM",
        )
