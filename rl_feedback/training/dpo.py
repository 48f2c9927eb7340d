"""Direct preference optimization: the model learns which of two texts on a film readers prefer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DataCollatorForVisionPreference, DPOTrainer

from rl_feedback.training.checkpointing import Checkpointing
from rl_feedback.training.config import DpoConfig
from rl_feedback.training.examples import TrainingPair
from rl_feedback.training.films import Films, reply, turn
from rl_feedback.training.replay import Replaying
from rl_feedback.training.stage import Stage


class DpoOnFilms(Replaying, Checkpointing, DPOTrainer):
    """TRL's trainer with replay; the reference model is the parent."""


class FilmPairs(DataCollatorForVisionPreference):
    """A step's films, each with its two texts."""

    def __init__(self, processor: Any, *, pairs: Sequence[TrainingPair], films: Films) -> None:
        super().__init__(processor=processor)
        self.pairs, self.films = pairs, films

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        shown = [self.pairs[example["example"]] for example in examples]
        batch = dict(super().torch_call([self._row(pair) for pair in shown]))
        for place, pair in enumerate(shown):
            if pair.prefix:
                self._learn_the_step_alone(batch, place, place + len(shown))
        return batch

    def _row(self, pair: TrainingPair) -> dict[str, Any]:
        return {
            "images": [self.films.film(pair.film)],
            "prompt": turn(pair.prompt),
            "chosen": reply(pair.prefix + pair.chosen),
            "rejected": reply(pair.prefix + pair.rejected),
        }

    def _learn_the_step_alone(self, batch: dict[str, Any], chosen: int, rejected: int) -> None:
        """Of two steps after the same beginning nothing else counts: not the beginning, nor that the text
        ends after the step."""
        mask, ends_text = batch["completion_mask"], self.processor.tokenizer.eos_token_id
        written = []
        for row in (chosen, rejected):
            places = mask[row].nonzero().flatten().tolist()
            tokens = batch["input_ids"][row][places].tolist()
            length = tokens.index(ends_text) if ends_text in tokens else len(tokens)
            mask[row, places[length:]] = 0
            written.append((row, places[:length], tokens[:length]))
        both = zip(written[0][2], written[1][2], strict=False)
        same = len(list(takewhile(lambda tokens: tokens[0] == tokens[1], both)))
        for row, places, tokens in written:
            mask[row, places[: min(same, len(tokens) - 1)]] = 0


def make_trainer(stage: Stage) -> DpoOnFilms:
    """Reads pairs.jsonl."""
    config = stage.config
    assert isinstance(config, DpoConfig)
    config.require_decided()
    pairs = stage.examples(TrainingPair)
    return DpoOnFilms(
        args=DPOConfig(
            **stage.arguments(max_length=None, train_sampling_strategy="sequential"),
            beta=config.beta,
            loss_type=[config.loss, "sft"],
            loss_weights=[1.0, config.sft_weight],
            label_smoothing=config.flip_share,
        ),
        ref_model=stage.reference(),
        train_dataset=stage.drawn(pairs),
        data_collator=FilmPairs(stage.loaded.processor, pairs=pairs, films=stage.films),
        **stage.parts(),
    )
