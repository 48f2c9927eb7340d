"""Runs one stage of training: loads the parent, lets a TRL trainer learn, and writes the candidate.

A run that was killed goes on from its newest whole checkpoint with the same order of examples, and ends with
the same weights as one that was not.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, PrinterCallback, set_seed

from inference.qwen_vl import LoadedModel, load_model_and_processor
from inference.regions import Preparation
from rl_feedback.small_model.build import FILM_SIDE_PX, PATCH_PX
from rl_feedback.small_model.forward import one_size_attention
from rl_feedback.steps.reading import StepReader
from rl_feedback.training.checkpoints import newest_whole_checkpoint
from rl_feedback.training.config import StageConfig
from rl_feedback.training.examples import KeptText, read_examples
from rl_feedback.training.figures import StepFigures, TakenSample
from rl_feedback.training.films import Films
from rl_feedback.training.progress import CheckpointSealer, StepReporter
from rl_feedback.training.replay import Replay
from rl_feedback.training.reporting import reporting
from rl_feedback.training.samples import Sampler
from rl_feedback.training.stage import Stage
from rl_feedback.training.together import is_first, is_sharded, wait_for_all
from rl_feedback.training.view import FilmView

# Modules with `make_trainer(stage)`, each of one kind of config.
TRAINERS = {kind: f"rl_feedback.training.{kind}" for kind in ("sft", "dpo", "kto", "grpo")}


@dataclass(frozen=True)
class StepsBy:
    """The folder of a step scorer, and the run's start model, by which it reads."""

    folder: Path
    model: Path

    def reader(self, films: Films, *, precision: str) -> StepReader:
        return StepReader.of(self.folder, model=self.model, films=films, precision=precision)


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
    steps: StepsBy | None = None,
) -> None:
    """Learn from the data folder and write the candidate, a full model folder, to `out`.

    Checkpoints lie in `work`, a log for TensorBoard in `log`. An exception from `on_step` or `on_sample` ends
    the run. `samples_parent` takes samples before the first step too; `steps` is a scorer that may be used.
    Raises ValueError where there is nothing to learn from, or where the run diverged.
    """
    torch.set_num_threads(config.num_threads)
    films = Films(data, view)
    # Before the seed is set, so that a scorer moves no draw of the run.
    reader = steps.reader(films, precision=config.precision) if steps and config.scores_steps else None
    set_seed(config.seed)
    loaded = load_model_and_processor(parent, dtype=config.precision)
    dtype = _stored_dtype(parent, loaded.model.config.dtype)
    work.mkdir(parents=True, exist_ok=True)
    stage = Stage(config, loaded, parent, data, films, work, reader)
    trainer = importlib.import_module(TRAINERS[config.kind]).make_trainer(stage)
    trainer.remove_callback(PrinterCallback)
    trainer.replay = _replay_of(stage)

    def replayed() -> Mapping[str, float]:
        return {} if trainer.replay_loss is None else {"replay_loss": trainer.replay_loss}

    trainer.add_callback(StepReporter(on_step, replayed))
    trainer.add_callback(CheckpointSealer())
    if on_sample is not None and config.sample_every and is_first():
        trainer.add_callback(
            Sampler(trainer, stage=stage, on_sample=on_sample, samples_parent=samples_parent)
        )
    checkpoint = newest_whole_checkpoint(work)
    report_to = config.report_to if is_first() else "none"
    log = log or work.parent / "log"
    # MLflow would draw a name for it, the same one for every run of this seed.
    trainer.args.run_name = f"{log.parent.parent.name}, {log.name}: {config.kind}"
    with (
        reporting(report_to, log=log) as callbacks,
        _seeing_fast(loaded, view),
    ):
        for callback in callbacks:
            trainer.add_callback(callback)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    model = _learned(trainer, stage)
    if is_first():
        _write_candidate(model, loaded.processor, out=out, dtype=dtype)
    wait_for_all()


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


def _learned(trainer: Any, stage: Stage) -> Any:
    """The model with all its weights, which sharded processes put together in the first one's memory."""
    if not is_sharded():
        return trainer.accelerator.unwrap_model(trainer.model)
    weights = trainer.accelerator.get_state_dict(trainer.model)
    if not is_first():
        return None
    whole = stage.whole_model()
    whole.load_state_dict(weights)
    return whole


def _write_candidate(model: Any, processor: Any, *, out: Path, dtype: torch.dtype) -> None:
    """Write the weights beside, adapters merged, then move them into place: a killed run leaves no half
    folder."""
    merged = (model.merge_and_unload() if hasattr(model, "merge_and_unload") else model).to(dtype)
    part = out.with_name(out.name + ".part")
    for stale in (part, out):
        shutil.rmtree(stale, ignore_errors=True)
    merged.save_pretrained(part)
    processor.save_pretrained(part)
    part.rename(out)
