"""Retrains a model from preference pairs: direct preference optimization with adapters, then merged.

TRL's DPOTrainer does the optimization; the parent, seen through switched-off adapters, is the reference
model. To its loss come the likelihood of the chosen texts and of ideal reasoning on drawn films (replay):
without them DPO on few pairs teaches the model to leave lesions out.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from peft import LoraConfig
from PIL import Image
from transformers import AutoConfig, PrinterCallback, TrainerCallback, set_seed
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DataCollatorForVisionPreference, DPOTrainer

from inference.images import prepare_image, render_reference
from inference.phantoms import REPORT_QUERY, TRAIN_SEEDS, draw_phantom, ideal_reasoning
from inference.qwen_vl import load_model_and_processor
from rl_feedback.checkpoints import newest_whole_checkpoint, seal_checkpoint
from rl_feedback.dpo_config import DpoConfig, FilmView, StepFigures, TrainingPair

_LANGUAGE_LAYERS = r".*language_model\..*\.(?:q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
_ALL_LAYERS = rf"(?:{_LANGUAGE_LAYERS}|.*visual\..*\.(?:qkv|proj|gate_proj|up_proj|down_proj|mlp\.0|mlp\.2))"


def train_dpo(
    *,
    parent: Path,
    data: Path,
    pairs: Sequence[TrainingPair],
    view: FilmView,
    config: DpoConfig,
    work: Path,
    out: Path,
    on_step: Callable[[StepFigures], None],
) -> None:
    """Train on the pairs and write the merged candidate, a full model folder, to `out`.

    Checkpoints lie in `work`: a run that was killed goes on from the newest whole one with the same order of
    pairs. An exception from `on_step` ends the run. Raises ValueError where there is nothing to learn from.
    """
    if not pairs:
        raise ValueError(
            "The data set holds no pairs, so there is nothing to learn from. Freeze one with votes."
        )
    torch.set_num_threads(config.num_threads)
    set_seed(config.seed)
    loaded = load_model_and_processor(parent, dtype=config.precision)
    stored_dtype = loaded.model.config.dtype
    work.mkdir(parents=True, exist_ok=True)
    checkpoint = newest_whole_checkpoint(work)
    trainer = ReplayingTrainer(
        model=loaded.model,
        args=_arguments(config, work),
        train_dataset=_examples(pairs, config),
        data_collator=FilmPairs(loaded.processor, data=data, pairs=pairs, view=view, config=config),
        processing_class=loaded.processor,
        peft_config=LoraConfig(
            r=config.lora_rank,
            lora_alpha=config.lora_alpha,
            target_modules=_ALL_LAYERS if config.adapts_vision else _LANGUAGE_LAYERS,
            task_type="CAUSAL_LM",
        ),
        callbacks=[StepReporter(on_step), CheckpointSealer()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.replay_weight = config.replay_weight
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    _write_candidate(
        trainer, loaded.processor, parent=parent, out=out, dtype=_stored_dtype(parent, stored_dtype)
    )


def weighted_order(weights: Sequence[float], *, num_draws: int, seed: int) -> list[int]:
    """Which pair is drawn when: the same for the same seed, each pair as often as its weight says.

    The draws are systematic (one random offset, equal strides through the summed weights), so that few steps
    already show every pair about as often as it should be shown; then they are shuffled.

    >>> sorted(weighted_order([1, 1, 2], num_draws=4, seed=1))
    [0, 1, 2, 2]
    """
    rng = np.random.default_rng(seed)
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    points = (rng.random() + np.arange(num_draws)) * edges[-1] / num_draws
    order = np.searchsorted(edges, points, side="right").clip(max=len(weights) - 1)
    return [int(index) for index in rng.permutation(order)]


class ReplayingTrainer(DPOTrainer):
    """TRL's trainer with one more term: the likelihood of ideal reasoning on the batch's replayed films."""

    replay_weight: float = 0.0

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None at a checkpoint: the registry writes the candidate's own card."""

    def _compute_loss(self, model: Any, inputs: Any, return_outputs: bool) -> Any:
        replay = inputs.pop("replay", None)
        loss = super()._compute_loss(model, inputs, return_outputs)  # type: ignore[no-untyped-call]
        if replay is None:
            return loss
        completion = replay.pop("completion_mask")
        labels = replay["input_ids"].masked_fill(completion == 0, -100)
        log_probs = model(**replay, labels=labels, use_cache=False, fused_lm_head=True).log_probs
        taught = completion[:, 1:].bool()
        return loss - self.replay_weight * log_probs[:, -taught.size(1) :][taught].mean()


class FilmPairs(DataCollatorForVisionPreference):
    """Draws a step's films and texts from the order's positions, pairs first, replayed films beside them."""

    def __init__(
        self, processor: Any, *, data: Path, pairs: Sequence[TrainingPair], view: FilmView, config: DpoConfig
    ) -> None:
        super().__init__(processor=processor)
        self.pairs, self.config, self.view = pairs, config, view

        @lru_cache(maxsize=512)
        def film(name: str) -> Image.Image:
            return prepare_image(render_reference(data / name), **vars(view))

        self.film = film

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        shown = [self.pairs[example["pair"]] for example in examples]
        batch = super().torch_call(
            [_conversation(self.film(p.film), p.prompt, p.chosen, p.rejected) for p in shown]
        )
        if self.config.replay_films_per_step and self.config.replay_weight:
            batch["replay"] = self._replayed(step=examples[0]["position"] // self.config.pairs_per_step)
        return dict(batch)

    def _replayed(self, *, step: int) -> dict[str, Any]:
        """Drawn films of this step with their ideal reasoning, as one batch of prompts and completions."""
        rng = np.random.default_rng([self.config.seed, step])
        seeds = rng.integers(TRAIN_SEEDS.start, TRAIN_SEEDS.stop, size=self.config.replay_films_per_step)
        doubled = super().torch_call([self._ideal(int(seed)) for seed in seeds])
        num_patches = doubled["pixel_values"].shape[0] // 2
        return {
            name: values[:num_patches] if name == "pixel_values" else values[: len(seeds)]
            for name, values in doubled.items()
        }

    def _ideal(self, seed: int) -> dict[str, Any]:
        phantom = draw_phantom(seed=seed, site=self.config.replay_site)
        image = prepare_image(phantom.to_uint8(), **vars(self.view))
        text = ideal_reasoning(phantom.truth, width=image.width, height=image.height)
        return _conversation(image, REPORT_QUERY, text, text)


class StepReporter(TrainerCallback):
    """Hands each step's figures on; what it raises ends the run."""

    def __init__(self, on_step: Callable[[StepFigures], None]) -> None:
        self.on_step = on_step

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any
    ) -> None:
        if logs and "rewards/margins" in logs and "loss" in logs:
            self.on_step(
                StepFigures(
                    step=state.global_step,
                    num_steps=state.max_steps,
                    loss=float(logs["loss"]),
                    margin=float(logs["rewards/margins"]),
                    accuracy=float(logs["rewards/accuracies"]),
                )
            )


class CheckpointSealer(TrainerCallback):
    """Marks a checkpoint as whole once all of it is written."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        seal_checkpoint(Path(args.output_dir) / f"checkpoint-{state.global_step}")


def _arguments(config: DpoConfig, work: Path) -> DPOConfig:
    return DPOConfig(
        output_dir=str(work),
        max_steps=config.num_steps,
        per_device_train_batch_size=config.pairs_per_step,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, config.num_steps // 10),
        beta=config.beta,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, config.sft_weight],
        max_length=None,
        train_sampling_strategy="sequential",
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        save_total_limit=3,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        gradient_checkpointing=False,
        bf16=config.precision == "bfloat16",
        seed=config.seed,
        data_seed=config.seed,
        dataloader_pin_memory=False,
    )


def _examples(pairs: Sequence[TrainingPair], config: DpoConfig) -> Dataset:
    """One row per drawn pair, in the order in which they are shown. `images` tells TRL that films come with
    it."""
    order = weighted_order(
        [pair.weight for pair in pairs], num_draws=config.num_steps * config.pairs_per_step, seed=config.seed
    )
    return Dataset.from_dict(
        {"pair": order, "position": list(range(len(order))), "images": [[]] * len(order)}
    )


def _conversation(image: Image.Image, prompt: str, chosen: str, rejected: str) -> dict[str, Any]:
    return {
        "images": [image],
        "prompt": [{"role": "user", "content": prompt}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def _stored_dtype(parent: Path, loaded: Any) -> torch.dtype:
    """The candidate is stored as its parent is, so that what is measured is what will serve."""
    stored = AutoConfig.from_pretrained(parent).dtype or loaded or torch.float32
    return getattr(torch, stored) if isinstance(stored, str) else stored


def _write_candidate(
    trainer: DPOTrainer, processor: Any, *, parent: Path, out: Path, dtype: torch.dtype
) -> None:
    """Write the merged weights beside, then move them into place: a killed run leaves no half folder."""
    merged = trainer.accelerator.unwrap_model(trainer.model).merge_and_unload().to(dtype)
    part = out.with_name(out.name + ".part")
    for stale in (part, out):
        shutil.rmtree(stale, ignore_errors=True)
    merged.save_pretrained(part)
    processor.save_pretrained(part)
    part.rename(out)
