"""Supervised fine-tuning: the model learns to write given texts, such as readers' corrections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling, SFTTrainer

from rl_feedback.training.checkpointing import Checkpointing
from rl_feedback.training.config import SftConfig
from rl_feedback.training.drawn import DrawnText, drawn_to_fill
from rl_feedback.training.examples import TaughtText
from rl_feedback.training.films import Films
from rl_feedback.training.moving import moved
from rl_feedback.training.replay import Replaying, as_conversation
from rl_feedback.training.stage import Stage


class SftOnFilms(Replaying, Checkpointing, SFTTrainer):
    """TRL's trainer with replay."""


class TaughtTexts(DataCollatorForVisionLanguageModeling):
    """A step's films and texts; the loss is of the texts alone."""

    def __init__(
        self, processor: Any, *, config: SftConfig, texts: Sequence[TaughtText | DrawnText], films: Films
    ) -> None:
        super().__init__(processor=processor, completion_only_loss=True)
        self.config, self.texts, self.films = config, texts, films

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        rows = [self._row(self.texts[example["example"]], draw=example["draw"]) for example in examples]
        return dict(super().torch_call(rows))

    def _row(self, one: TaughtText | DrawnText, *, draw: int) -> dict[str, Any]:
        """By the number of the draw alone, so that a run that goes on moves films as it would have."""
        if isinstance(one, DrawnText):
            film, prompt, text = one.shown(self.films)
        else:
            film, prompt, text = self.films.film(one.film), one.prompt, one.text
        if self.config.moves_films_px:
            rng = np.random.default_rng([self.config.seed, draw])
            film, text = moved(film, text, by_px=self.config.moves_films_px, rng=rng)
        return as_conversation(film, prompt, text)


def make_trainer(stage: Stage) -> SftOnFilms:
    """Reads texts.jsonl, which drawn films may fill up."""
    config = stage.config
    assert isinstance(config, SftConfig)
    written = stage.examples(TaughtText, may_lack=config.fill_up_to > 0)
    texts: list[TaughtText | DrawnText] = [*written, *drawn_to_fill(config, len(written))]
    return SftOnFilms(
        args=SFTConfig(
            **stage.arguments(max_length=None, train_sampling_strategy="sequential"),
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=stage.drawn(texts),
        data_collator=TaughtTexts(stage.loaded.processor, config=config, texts=texts, films=stage.films),
        **stage.parts(),
    )
