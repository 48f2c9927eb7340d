"""Learning from single judgements: the model learns which texts readers found good and which bad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import DataCollatorForVisionUnpairedPreference, KTOTrainer

from rl_feedback.training.checkpointing import Checkpointing
from rl_feedback.training.config import KtoConfig
from rl_feedback.training.examples import JudgedText
from rl_feedback.training.films import Films
from rl_feedback.training.replay import Replaying, as_conversation
from rl_feedback.training.stage import Stage


class KtoOnFilms(Replaying, Checkpointing, KTOTrainer):
    """TRL's trainer with replay; the reference model is the parent."""


class JudgedTexts(DataCollatorForVisionUnpairedPreference):
    """A step's films and texts, each with whether it was found good."""

    def __init__(self, processor: Any, *, texts: Sequence[JudgedText], films: Films) -> None:
        super().__init__(processor=processor)
        self.texts, self.films = texts, films

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        shown = [self.texts[example["example"]] for example in examples]
        return dict(super().torch_call([self._row(text) for text in shown]))

    def _row(self, text: JudgedText) -> dict[str, Any]:
        row = as_conversation(self.films.film(text.film), text.prompt, text.text)
        return {**row, "label": text.is_good}


def make_trainer(stage: Stage) -> KtoOnFilms:
    """Reads judged.jsonl."""
    config = stage.config
    assert isinstance(config, KtoConfig)
    texts = stage.examples(JudgedText)
    return KtoOnFilms(
        args=KTOConfig(
            **stage.arguments(max_length=None, train_sampling_strategy="sequential"),
            beta=config.beta,
            desirable_weight=config.desirable_weight,
            undesirable_weight=config.undesirable_weight,
        ),
        ref_model=stage.reference(),
        train_dataset=stage.drawn(texts),
        data_collator=JudgedTexts(stage.loaded.processor, texts=texts, films=stage.films),
        **stage.parts(),
    )
