"""Supervised fine-tuning: the model learns to write given texts, such as readers' corrections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling, SFTTrainer

from rl_feedback.training.examples import TaughtText
from rl_feedback.training.films import Films
from rl_feedback.training.replay import Replaying, as_conversation
from rl_feedback.training.stage import Stage


class SftOnFilms(Replaying, SFTTrainer):
    """TRL's trainer with replay."""


class TaughtTexts(DataCollatorForVisionLanguageModeling):
    """A step's films and texts; the loss is of the texts alone."""

    def __init__(self, processor: Any, *, texts: Sequence[TaughtText], films: Films) -> None:
        super().__init__(processor=processor, completion_only_loss=True)
        self.texts, self.films = texts, films

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        shown = [self.texts[example["example"]] for example in examples]
        rows = [as_conversation(self.films.film(one.film), one.prompt, one.text) for one in shown]
        return dict(super().torch_call(rows))


def make_trainer(stage: Stage) -> SftOnFilms:
    """Reads texts.jsonl."""
    texts = stage.examples(TaughtText)
    return SftOnFilms(
        args=SFTConfig(
            **stage.arguments(max_length=None, train_sampling_strategy="sequential"),
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=stage.drawn(texts),
        data_collator=TaughtTexts(stage.loaded.processor, texts=texts, films=stage.films),
        **stage.parts(),
    )
