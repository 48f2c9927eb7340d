"""Teaches the small model to read drawn films: to see, to write, both together, then to polish that twice."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from inference.canary_films import NOTHING_TO_SAY, draw_without_chest
from inference.phantoms import (
    REPORT_QUERY,
    TRAIN_SEEDS,
    PhantomTruth,
    ideal_reasoning,
    reference_report,
    vqa_pairs,
)
from inference.qwen_vl import FilmProcessor, load_model_and_processor
from rl_feedback.phantom_figures import share_inside
from rl_feedback.small_model.build import NUM_IMAGE_TOKENS, build_model, build_processor
from rl_feedback.small_model.films import NUM_BOXES, SLOTS, Films, draw_films, shift_and_brighten, targets_of
from rl_feedback.small_model.forward import ReportPrompt, one_size_attention, see

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Phase:
    """One stretch of training: AdamW, a short warm-up, a cosine down to `floor` of the learning rate.

    Films with one of the kinds in `favours` come `FAVOUR` times as often, and `FAVOUR_BEHIND_HEART` times
    where most of it lies behind the heart. The share `without_chest` gives way to films on which no chest is
    shown. Words weigh `words_weigh` times as much as the digits of regions, which nobody can know to the
    last.
    """

    name: str
    num_steps: int
    batch_size: int
    learning_rate: float
    floor: float = 0.05
    favours: tuple[str, ...] = ()
    without_chest: float = 0.0
    words_weigh: float = 1.0


PHASES = (
    Phase("see", num_steps=2400, batch_size=64, learning_rate=1e-3),
    Phase("write", num_steps=900, batch_size=32, learning_rate=2e-3),
    Phase("both", num_steps=4000, batch_size=32, learning_rate=1e-3, floor=0.01),
    Phase(
        "polish",
        num_steps=800,
        batch_size=32,
        learning_rate=4e-4,
        floor=0.01,
        without_chest=0.09,
        words_weigh=5.0,
    ),
    Phase(
        "sharpen",
        num_steps=1600,
        batch_size=32,
        learning_rate=5e-4,
        floor=0.01,
        favours=("consolidation", "nodule"),
        without_chest=0.06,
        words_weigh=5.0,
    ),
)
FAVOUR = 3.0
# What the polished model still misses, it misses there.
FAVOUR_BEHIND_HEART = 10.0
# They begin with the weights that a saved folder holds, so a saved model can go through them alone.
LATE_PHASES = ("polish", "sharpen")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights: the same recipe gives the same model on the same machine."""

    seed: int = 20261123
    num_films: int = len(TRAIN_SEEDS)
    phases: tuple[Phase, ...] = PHASES
    num_processes: int = 2


RECIPE = Recipe()


class Training:
    """A training run under way: the model, its films, and the folder where it can be taken up again."""

    def __init__(
        self, folder: Path, *, films: Films, model: Any, processor: FilmProcessor, seed: int
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.films, self.model, self.processor = folder, films, model, processor
        self.seed = seed
        self.head = nn.Linear(NUM_IMAGE_TOKENS * 128, len(SLOTS) + 4 * NUM_BOXES)
        self.prompt = ReportPrompt(self.model, self.processor)
        self.end = self.processor.tokenizer.eos_token_id
        self._counted: dict[tuple[str, ...], NDArray[np.float64]] = {}

    def tokens_of(self, texts: list[str]) -> list[list[int]]:
        encoded = self.processor.tokenizer(texts)["input_ids"]
        return [[*ids, self.end] for ids in encoded]

    def rows(self, rng: np.random.Generator, phase: Phase) -> NDArray[np.int64]:
        if not phase.favours:
            return rng.integers(0, len(self.films), size=phase.batch_size)
        return rng.choice(len(self.films), size=phase.batch_size, p=self._chances(phase.favours))

    def _chances(self, favours: tuple[str, ...]) -> NDArray[np.float64]:
        """How likely each film is to be drawn, counted once for all steps."""
        if favours not in self._counted:
            weights = np.array([_favour(truth, favours) for truth in self.films.truths])
            self._counted[favours] = weights / weights.sum()
        return self._counted[favours]

    def round_weights(self) -> None:
        """Give the weights the values that a saved folder holds: going on from it is then the same."""
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.copy_(parameter.to(torch.bfloat16))

    def see_loss(self, phase: Phase, rng: np.random.Generator) -> torch.Tensor:
        """Presence of each finding and the boxes, read off the vision tower by a head that is thrown away."""
        pixels, truths = shift_and_brighten(self.films, self.rows(rng, phase), rng)
        target = targets_of(truths)
        output = self.head(see(self.model, pixels).flatten(1))
        presence = F.binary_cross_entropy_with_logits(
            output[:, : len(SLOTS)], torch.from_numpy(target.presence)
        )
        boxes = output[:, len(SLOTS) :].view(-1, NUM_BOXES, 4)
        counts = torch.from_numpy(target.box_counts)
        off = F.smooth_l1_loss(boxes, torch.from_numpy(target.boxes), beta=0.02, reduction="none").mean(-1)
        return presence + 10 * (off * counts).sum() / counts.sum()

    def write_loss(self, phase: Phase, rng: np.random.Generator) -> torch.Tensor:
        """The text of the completion, with the vision tower held still."""
        rows = self.rows(rng, phase)
        with torch.no_grad():
            features = see(self.model, self.films.pixels[rows])
        texts = [ideal_reasoning(self.films.truths[row]) for row in rows]
        return self.prompt.loss(self.model, features, self.tokens_of(texts))

    def both_loss(self, phase: Phase, rng: np.random.Generator) -> torch.Tensor:
        """The text of the completion, with nothing held still, on films moved and brightened."""
        pixels, truths = shift_and_brighten(self.films, self.rows(rng, phase), rng)
        texts = [ideal_reasoning(truth) for truth in truths]
        for place in range(rng.binomial(phase.batch_size, phase.without_chest)):
            seed = int(rng.integers(TRAIN_SEEDS.start, TRAIN_SEEDS.stop))
            pixels[place], texts[place] = draw_without_chest(pixels[place], seed=seed), NOTHING_TO_SAY
        return self.prompt.loss(
            self.model, see(self.model, pixels), self.tokens_of(texts), words_weigh=phase.words_weigh
        )

    def trained_in(self, phase: Phase) -> list[nn.Parameter]:
        """The weights that this phase moves."""
        visual = list(self.model.model.visual.parameters())
        if phase.name == "see":
            return [*visual, *self.head.parameters()]
        if phase.name == "write":
            seen = {id(parameter) for parameter in visual}
            return [parameter for parameter in self.model.parameters() if id(parameter) not in seen]
        return list(self.model.parameters())

    def loss_of(self, phase: Phase) -> Callable[[Phase, np.random.Generator], torch.Tensor]:
        return {"see": self.see_loss, "write": self.write_loss}.get(phase.name, self.both_loss)

    def save(self, folder: Path) -> None:
        """Write the model as a Hugging Face folder in half precision."""
        deepcopy(self.model).to(torch.bfloat16).save_pretrained(folder)
        self.processor.save_pretrained(folder)


def train_small_model(
    folder: Path,
    *,
    recipe: Recipe = RECIPE,
    start: Path | None = None,
    first_phase: str = LATE_PHASES[0],
    checkpoint_every: int = 200,
) -> Path:
    """Train through all phases and write `folder`/model; a run that was stopped goes on where it was.

    After each phase a snapshot is written to `folder`/after-<phase>. With `start`, a model folder, that model
    goes through the phases from `first_phase` on: from the snapshot before it this ends with the weights of
    the whole run.
    """
    training = _begin(folder, recipe, start)
    names = [phase.name for phase in recipe.phases]
    begins_at = 0 if start is None else names.index(first_phase)
    with one_size_attention(training.model):
        for index, phase in list(enumerate(recipe.phases))[begins_at:]:
            if phase.name in LATE_PHASES:
                training.round_weights()
            train_phase(training, index, phase, checkpoint_every=checkpoint_every)
            training.save(folder / f"after-{phase.name}")
    training.save(folder / "model")
    return folder / "model"


def _favour(truth: PhantomTruth, favours: tuple[str, ...]) -> float:
    """How many times as often a film comes as one with nothing that is favoured."""
    favoured = [lesion.region for lesion in truth.lesions if lesion.kind in favours]
    if any(share_inside(region, truth.heart) > 0.5 for region in favoured):
        return FAVOUR_BEHIND_HEART
    return FAVOUR if favoured else 1.0


def _begin(folder: Path, recipe: Recipe, start: Path | None) -> Training:
    started = time.monotonic()
    films = draw_films(TRAIN_SEEDS[: recipe.num_films], num_processes=recipe.num_processes)
    log.info("drew %d films in %.0f s", len(films), time.monotonic() - started)
    if start is None:
        processor = build_processor(_vocabulary_texts(films))
        model = build_model(processor, seed=recipe.seed)
    else:
        loaded = load_model_and_processor(start)
        model, processor = loaded.model.train(), loaded.processor
    return Training(folder, films=films, model=model, processor=processor, seed=recipe.seed)


def train_phase(training: Training, index: int, phase: Phase, *, checkpoint_every: int = 200) -> None:
    """Train through one phase, or through what is left of it; `index` numbers it within its run."""
    parameters = training.trained_in(phase)
    optimizer = torch.optim.AdamW(parameters, lr=phase.learning_rate, weight_decay=0.01, betas=(0.9, 0.98))
    checkpoint = training.folder / f"phase-{index}.pt"
    first = _resume(training, checkpoint, optimizer)
    loss_of = training.loss_of(phase)
    started, recent = time.monotonic(), []
    for step in range(first, phase.num_steps):
        rate = _learning_rate(phase, step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = loss_of(phase, np.random.default_rng([training.seed, index, step]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        recent.append(float(loss.detach()))
        if (step + 1) % 50 == 0:
            pace = (time.monotonic() - started) / (step + 1 - first)
            line = {"phase": phase.name, "step": step + 1, "loss": round(float(np.mean(recent)), 5)}
            log.info("%s", json.dumps({**line, "seconds_per_step": round(pace, 3)}))
            recent = []
        if (step + 1) % checkpoint_every == 0 or step + 1 == phase.num_steps:
            _checkpoint(training, checkpoint, optimizer, step + 1)


def _learning_rate(phase: Phase, step: int) -> float:
    warm = min(1.0, (step + 1) / 100)
    fall = 0.5 * (1 + math.cos(math.pi * step / phase.num_steps))
    return phase.learning_rate * warm * (phase.floor + (1 - phase.floor) * fall)


def _checkpoint(training: Training, path: Path, optimizer: torch.optim.Optimizer, step: int) -> None:
    state = {
        "step": step,
        "model": training.model.state_dict(),
        "head": training.head.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def _resume(training: Training, path: Path, optimizer: torch.optim.Optimizer) -> int:
    """Take up a stopped phase; returns the step to go on with, 0 for a fresh phase."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    training.model.load_state_dict(state["model"])
    training.head.load_state_dict(state["head"])
    optimizer.load_state_dict(state["optimizer"])
    log.info("taking up %s at step %d", path.name, state["step"])
    return int(state["step"])


def _vocabulary_texts(films: Films) -> list[str]:
    """What the vocabulary is learned from: completions, reports, questions, in the words the model needs."""
    texts = [REPORT_QUERY] * 50
    for truth in films.truths[:2000]:
        report = reference_report(truth)
        texts += [ideal_reasoning(truth), report.findings, report.impression]
        texts += [f"{pair.question} {pair.answer}" for pair in vqa_pairs(truth)]
    return texts
