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

from inference.canary_films import draw_blank, draw_hand
from inference.grounding import format_completion
from inference.phantoms import NO_FINDING, REPORT_QUERY, TRAIN_SEEDS, draw_phantom, ideal_reasoning
from rl_feedback.small_model.build import FILM_SIDE_PX
from rl_feedback.training.checkpoints import CheckpointFailed
from rl_feedback.training.config import StageConfig
from rl_feedback.training.examples import KeptText
from rl_feedback.training.films import Films, reply, turn
from rl_feedback.training.together import mean_of_all, num_processes, rank, share_of

NOTHING_TO_SAY = format_completion(["There is no chest"], NO_FINDING)


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

    def batch(self, step: int) -> dict[str, Any]:
        """The texts of this step, from 0, as a model takes them: `labels` are -100 but for the texts. Of
        several processes each takes its share of the same ones."""
        rng = np.random.default_rng([self.config.seed, step])
        number = self.config.replay_per_step
        if self.config.replay_from == "drawn":
            seeds = rng.integers(TRAIN_SEEDS.start, TRAIN_SEEDS.stop, size=number)
            num_blank = int(rng.binomial(number, self.config.replay_blank_share))
            shown = [
                self._without_chest(int(seed)) if place < num_blank else self._drawn(int(seed))
                for place, seed in enumerate(seeds)
            ]
        else:
            weights = np.array([text.weight for text in self.kept])
            places = rng.choice(len(self.kept), size=number, p=weights / weights.sum())
            shown = [self._kept(self.kept[int(place)]) for place in places]
        return dict(self._collate([as_conversation(*one) for one in shown[rank() :: num_processes()]]))

    def _drawn(self, seed: int) -> tuple[Image.Image, str, str]:
        phantom = draw_phantom(seed=seed, site=self.config.replay_site)
        image = self.films.prepared(phantom.to_uint8())
        return image, REPORT_QUERY, ideal_reasoning(phantom.truth, width=image.width, height=image.height)

    def _without_chest(self, seed: int) -> tuple[Image.Image, str, str]:
        """A blank film or a hand: who learns from chests alone learns to find something on everything."""
        draw = draw_blank if seed % 2 else draw_hand
        pixels = draw(seed=seed, width=FILM_SIDE_PX, height=FILM_SIDE_PX)
        return self.films.prepared(pixels), REPORT_QUERY, NOTHING_TO_SAY

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

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """None at a checkpoint: the registry writes the candidate's own card."""

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Every library has an error of its own for a full disk."""
        try:
            super()._save_checkpoint(*args, **kwargs)  # type: ignore[misc]
        except Exception as error:
            step = self.state.global_step  # type: ignore[attr-defined]
            raise CheckpointFailed(
                f"The checkpoint of step {step} could not be written; the disk may be full. "
                "Free some space, then go on: the run continues from the checkpoint before."
            ) from error

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)  # type: ignore[misc]
        if self.replay is None or not model.training:
            return loss
        batch = self._prepare_inputs_of_replay(self.replay.batch(self.state.global_step))  # type: ignore[attr-defined]
        said = model(**batch, use_cache=False, fused_lm_head=True)
        replay_loss = -said.log_probs[said.label_mask].mean()
        self.replay_loss = mean_of_all(replay_loss.detach())
        return loss + self.replay.config.replay_weight * replay_loss

    def _prepare_inputs_of_replay(self, batch: dict[str, Any]) -> dict[str, Any]:
        device = self.accelerator.device  # type: ignore[attr-defined]
        return {name: value.to(device) if hasattr(value, "to") else value for name, value in batch.items()}
