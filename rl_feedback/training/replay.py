"""Shows a model again what it did well before, beside what it is to learn, so that it does not forget it.

On the second site 255 votes without replay took the first site's exact answers from .99 to .61; with replay
they stayed at .95.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

from inference.canary_films import NOTHING_TO_SAY, draw_without_chest
from inference.phantoms import REPORT_QUERY, TRAIN_SEEDS, draw_phantom
from rl_feedback.small_model.build import FILM_SIDE_PX
from rl_feedback.training.config import StageConfig
from rl_feedback.training.drawn import DrawnText
from rl_feedback.training.examples import KeptText
from rl_feedback.training.films import Films, reply, turn
from rl_feedback.training.together import mean_of_all, num_processes, rank, share_of


class Replay:
    """Batches of films and texts, the same for the same step: a resumed run sees what it would have seen."""

    def __init__(
        self, processor: Any, *, config: StageConfig, films: Films, kept: Sequence[KeptText]
    ) -> None:
        if config.replay_from == "kept" and not kept:
            raise ValueError("replay.jsonl holds no texts to replay. Set replay_per_step to 0 to go without.")
        self.config, self.films, self.kept = config, films, kept
        share_of(config.replay_per_step, "replay_per_step")
        self._collate = DataCollatorForVisionLanguageModeling(processor, completion_only_loss=True)

    def batches(self, step: int, number: int) -> list[dict[str, Any]]:
        """The texts of this step, from 0, in at most `number` batches as a model takes them: `labels` are
        -100 but for the texts. Of several processes each takes its share of the same ones."""
        shown = [as_conversation(*one) for one in self._shown(step)[rank() :: num_processes()]]
        parts = (shown[part::number] for part in range(number))
        return [dict(self._collate(part)) for part in parts if part]

    def _shown(self, step: int) -> list[tuple[Image.Image, str, str]]:
        rng = np.random.default_rng([self.config.seed, step])
        number = self.config.replay_per_step
        if self.config.replay_from == "drawn":
            seeds = rng.integers(TRAIN_SEEDS.start, TRAIN_SEEDS.stop, size=number)
            num_blank = int(rng.binomial(number, self.config.replay_blank_share))
            return [
                self._without_chest(int(seed))
                if place < num_blank
                else DrawnText(int(seed), self.config.replay_site).shown(self.films)
                for place, seed in enumerate(seeds)
            ]
        weights = np.array([text.weight for text in self.kept])
        places = rng.choice(len(self.kept), size=number, p=weights / weights.sum())
        return [self._kept(self.kept[int(place)]) for place in places]

    def _without_chest(self, seed: int) -> tuple[Image.Image, str, str]:
        """A blank film, a hand or a chest in pieces: who learns from chests alone learns to find something on
        everything."""
        chest = draw_phantom(
            seed=seed, width=FILM_SIDE_PX, height=FILM_SIDE_PX, site=self.config.replay_site
        ).to_uint8()
        return self.films.prepared(draw_without_chest(chest, seed=seed)), REPORT_QUERY, NOTHING_TO_SAY

    def _kept(self, text: KeptText) -> tuple[Image.Image, str, str]:
        return self.films.film(text.film), text.prompt, text.text


def as_conversation(image: Image.Image, prompt: str, text: str) -> dict[str, Any]:
    return {"images": [image], "prompt": turn(prompt), "completion": reply(text)}


class Replaying:
    """A TRL trainer whose loss has one more term: the likelihood of the replayed texts.

    Every trainer of ours gives the model a head that returns log probabilities of labels alone.
    """

    replay: Replay | None = None
    replay_loss: float | None = None
    # The step that is being replayed, what of it other parts of the step have left, and its number of words.
    _replayed_step = -1
    _left: list[dict[str, Any]]
    _num_words = 0

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)  # type: ignore[misc]
        if self.replay is None or not model.training:
            return loss
        replayed = self._replayed(model)
        if replayed is None:
            return loss
        parts = self.current_gradient_accumulation_steps  # type: ignore[attr-defined]
        # What transformers divides by the number of a step's parts, where the loss is not of the whole step.
        times = 1 if self._is_of_the_step(num_items_in_batch) else parts
        return loss + self.replay.config.replay_weight * replayed * times

    def _replayed(self, model: Any) -> Any:
        """What this part of a step adds to the mean loss of all words that the step replays; None where the
        step has more parts than texts to replay."""
        assert self.replay is not None
        step = self.state.global_step  # type: ignore[attr-defined]
        if self._replayed_step != step:
            parts = self.current_gradient_accumulation_steps  # type: ignore[attr-defined]
            self._left = self.replay.batches(step, parts)
            self._num_words = sum(int((batch["labels"][:, 1:] != -100).sum()) for batch in self._left)
            self._replayed_step, self.replay_loss = step, 0.0
        if not self._left:
            return None
        batch = self._prepare_inputs_of_replay(self._left.pop(0))
        said = model(**batch, use_cache=False, fused_lm_head=True)
        loss = -said.log_probs[said.label_mask].sum() / self._num_words
        self.replay_loss = (self.replay_loss or 0.0) + mean_of_all(loss.detach())
        return loss

    def _is_of_the_step(self, num_items_in_batch: Any) -> bool:
        """Whether a part's loss is already its share of the step's, as `Trainer.training_step` tells it."""
        told: bool | None = self.loss_is_scaled_for_ga  # type: ignore[attr-defined]
        if told is not None:
            return told
        return bool(self.model_accepts_loss_kwargs) and num_items_in_batch is not None  # type: ignore[attr-defined]

    def _prepare_inputs_of_replay(self, batch: dict[str, Any]) -> dict[str, Any]:
        device = self.accelerator.device  # type: ignore[attr-defined]
        return {name: value.to(device) if hasattr(value, "to") else value for name, value in batch.items()}
