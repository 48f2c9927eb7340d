"""Runs one stage of training: loads the parent, lets a TRL trainer learn, and writes the candidate.

A run that was killed goes on from its newest whole checkpoint with the same order of examples, and ends with
the same weights as one that was not.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoConfig, PrinterCallback, set_seed

from inference.qwen_vl import LoadedModel, load_model_and_processor
from inference.regions import Preparation
from rl_feedback.small_model.build import FILM_SIDE_PX, PATCH_PX
from rl_feedback.small_model.forward import one_size_attention
from rl_feedback.training.checkpoints import newest_whole_checkpoint
from rl_feedback.training.config import StageConfig
from rl_feedback.training.examples import AnyExample, Example, KeptText, read_examples
from rl_feedback.training.figures import StepFigures, TakenSample
from rl_feedback.training.films import Films
from rl_feedback.training.order import weighted_order
from rl_feedback.training.progress import CheckpointSealer, StepReporter
from rl_feedback.training.replay import Replay
from rl_feedback.training.reporting import reporting_callbacks
from rl_feedback.training.samples import Sampler
from rl_feedback.training.view import FilmView

# Modules with `make_trainer(stage)`, each of one kind of config.
TRAINERS = {kind: f"rl_feedback.training.{kind}" for kind in ("sft", "dpo", "kto", "grpo")}

_LANGUAGE_LAYERS = r".*language_model\..*\.(?:q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
_ALL_LAYERS = rf"(?:{_LANGUAGE_LAYERS}|.*visual\..*\.(?:qkv|proj|gate_proj|up_proj|down_proj|mlp\.0|mlp\.2))"


@dataclass(frozen=True)
class Stage:
    """What a trainer is made of: the parent in memory, the films, and where checkpoints go."""

    config: StageConfig
    loaded: LoadedModel
    parent: Path
    data: Path
    films: Films
    work: Path

    def arguments(self, **chosen: Any) -> dict[str, Any]:
        """Of the trainer's config: those that all stages share, and the given ones."""
        config = self.config
        return {
            "output_dir": str(self.work),
            "max_steps": config.num_steps,
            "per_device_train_batch_size": config.examples_per_step,
            "learning_rate": config.learning_rate,
            "lr_scheduler_type": "cosine",
            "warmup_steps": max(1, config.num_steps // 10),
            "save_strategy": "steps",
            "save_steps": config.checkpoint_every,
            "save_total_limit": 3,
            "logging_steps": 1,
            "logging_nan_inf_filter": False,
            "report_to": [],
            "disable_tqdm": True,
            "remove_unused_columns": False,
            "gradient_checkpointing": False,
            "bf16": config.precision == "bfloat16",
            "seed": config.seed,
            "data_seed": config.seed,
            "dataloader_pin_memory": False,
            **chosen,
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

    def examples(self, kind: type[AnyExample]) -> tuple[AnyExample, ...]:
        """Those of the data folder that the config's origins let in."""
        found = read_examples(self.data, kind)
        wanted = self.config.origins
        chosen = tuple(one for one in found if not wanted or one.origin in wanted)
        if not chosen:
            there = ", ".join(sorted({one.origin for one in found}))
            raise ValueError(
                f"None of the {kind.noun} has the origin {' or '.join(wanted)}; there are {there}. "
                "Choose other origins, or freeze a data set that has them."
            )
        return chosen

    def drawn(self, examples: Sequence[Example]) -> Dataset:
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


def train_stage(
    config: StageConfig,
    *,
    parent: Path,
    data: Path,
    view: FilmView,
    work: Path,
    out: Path,
    on_step: Callable[[StepFigures], None],
    on_sample: Callable[[TakenSample], None] | None = None,
    samples_parent: bool = True,
    log: Path | None = None,
) -> None:
    """Learn from the data folder and write the candidate, a full model folder, to `out`.

    Checkpoints lie in `work`, a log for TensorBoard in `log`. An exception from `on_step` or `on_sample` ends
    the run. `samples_parent` takes samples before the first step too. Raises ValueError where there is
    nothing to learn from, or where the run diverged.
    """
    torch.set_num_threads(config.num_threads)
    set_seed(config.seed)
    loaded = load_model_and_processor(parent, dtype=config.precision)
    dtype = _stored_dtype(parent, loaded.model.config.dtype)
    work.mkdir(parents=True, exist_ok=True)
    films = Films(data, view)
    stage = Stage(config, loaded, parent, data, films, work)
    trainer = importlib.import_module(TRAINERS[config.kind]).make_trainer(stage)
    trainer.remove_callback(PrinterCallback)
    trainer.replay = _replay_of(stage)

    def replayed() -> Mapping[str, float]:
        return {} if trainer.replay_loss is None else {"replay_loss": trainer.replay_loss}

    trainer.add_callback(StepReporter(on_step, replayed))
    trainer.add_callback(CheckpointSealer())
    for callback in reporting_callbacks(config.report_to, log=log or work.parent / "log"):
        trainer.add_callback(callback)
    if on_sample is not None and config.sample_every:
        trainer.add_callback(
            Sampler(trainer, stage=stage, on_sample=on_sample, samples_parent=samples_parent)
        )
    checkpoint = newest_whole_checkpoint(work)
    with _seeing_fast(loaded, view):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    _write_candidate(trainer, loaded.processor, out=out, dtype=dtype)


def _seeing_fast(loaded: LoadedModel, view: FilmView) -> AbstractContextManager[None]:
    """Films of the small model's one size are attended to all at once, which takes a third off a step."""
    area = FILM_SIDE_PX * FILM_SIDE_PX
    is_one_size = view.preparation == Preparation.SQUARE and view.min_pixels == view.max_pixels == area
    patch = loaded.model.config.vision_config.patch_size
    return one_size_attention(loaded.model) if is_one_size and patch == PATCH_PX else nullcontext()


def _replay_of(stage: Stage) -> Replay | None:
    if not stage.config.replays:
        return None
    kept = read_examples(stage.data, KeptText) if stage.config.replay_from == "kept" else ()
    return Replay(stage.loaded.processor, config=stage.config, films=stage.films, kept=kept)


def _stored_dtype(parent: Path, loaded: Any) -> torch.dtype:
    """The candidate is stored as its parent is, so that what is measured is what will serve."""
    stored = AutoConfig.from_pretrained(parent).dtype or loaded or torch.float32
    return getattr(torch, stored) if isinstance(stored, str) else stored


def _write_candidate(trainer: Any, processor: Any, *, out: Path, dtype: torch.dtype) -> None:
    """Write the weights beside, adapters merged, then move them into place: a killed run leaves no half
    folder."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    merged = (model.merge_and_unload() if hasattr(model, "merge_and_unload") else model).to(dtype)
    part = out.with_name(out.name + ".part")
    for stale in (part, out):
        shutil.rmtree(stale, ignore_errors=True)
    merged.save_pretrained(part)
    processor.save_pretrained(part)
    part.rename(out)
