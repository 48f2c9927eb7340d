"""Lets the model write now and then while it learns, so that a person sees what the curves do not say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from transformers import GenerationConfig, TrainerCallback

from inference.qwen_vl import film_prompt
from rl_feedback.rewards.trl_functions import completion_text
from rl_feedback.training.config import GrpoConfig
from rl_feedback.training.examples import RewardedCase, SampledFilm, read_examples
from rl_feedback.training.figures import TakenSample
from rl_feedback.training.stage import Stage

# More would cost more than they tell.
MOST_FILMS = 4


class Sampler(TrainerCallback):
    """Before the first step, every `sample_every` steps and after the last: what the model writes, greedily,
    of the films of samples.jsonl; and of attempts the best and the worst of the step's first case.

    It draws no random number, so a run that is sampled learns what it learns without.
    """

    def __init__(
        self, trainer: Any, *, stage: Stage, on_sample: Callable[[TakenSample], None], samples_parent: bool
    ) -> None:
        self.trainer, self.stage, self.on_sample = trainer, stage, on_sample
        self.samples_parent = samples_parent
        has_films = (stage.data / SampledFilm.file).is_file()
        self.films = read_examples(stage.data, SampledFilm)[:MOST_FILMS] if has_films else ()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.samples_parent and state.global_step == 0:
            self._tell(self._held_out(0))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        step = state.global_step
        if step % self.stage.config.sample_every == 0 or step == state.max_steps:
            self._tell(self._held_out(step))
            if isinstance(self.stage.config, GrpoConfig):
                self._tell(self._attempts(step, self.stage.config))

    def _tell(self, samples: Iterator[TakenSample]) -> None:
        for sample in samples:
            self.on_sample(sample)

    def _held_out(self, step: int) -> Iterator[TakenSample]:
        model = self.trainer.accelerator.unwrap_model(self.trainer.model)
        was_training = model.training
        model.eval()
        try:
            for asked in self.films:
                text, size = self._written(model, asked)
                yield TakenSample(step, "held_out", asked.film, asked.prompt, text, size)
        finally:
            model.train(was_training)

    def _written(self, model: Any, asked: SampledFilm) -> tuple[str, tuple[int, int]]:
        processor, view = self.stage.loaded.processor, self.stage.films.view
        image = self.stage.films.film(asked.film)
        area = image.width * image.height
        inputs = processor(
            images=[image],
            text=[film_prompt(processor, asked.prompt)],
            return_tensors="pt",
            # The film has the model's size already: the processor must leave it as it is.
            size={
                "shortest_edge": min(area, view.min_pixels),
                "longest_edge": max(area, view.max_pixels),
            },
        ).to(self.trainer.accelerator.device)
        tokenizer = processor.tokenizer
        ends = self.stage.loaded.model.generation_config.eos_token_id or tokenizer.eos_token_id
        with torch.no_grad():
            written = model.generate(
                **inputs,
                generation_config=GenerationConfig(
                    max_new_tokens=self.stage.config.sample_tokens,
                    do_sample=False,
                    use_cache=True,
                    eos_token_id=ends,
                    pad_token_id=tokenizer.pad_token_id,
                    suppress_tokens=list(self.stage.loaded.suppressed_tokens),
                ),
            )
        tokens = written[0, inputs["input_ids"].shape[1] :]
        return tokenizer.decode(tokens, skip_special_tokens=True), image.size

    def _attempts(self, step: int, config: GrpoConfig) -> Iterator[TakenSample]:
        """The first case's attempts of this step, as the trainer keeps them."""
        logs = self.trainer._logs
        num_rows = config.examples_per_step * config.num_rollouts
        texts = list(logs["completion"])[-num_rows:][: config.num_rollouts]
        rewards = list(logs["advantages"])[-num_rows:][: config.num_rollouts]
        case = self._case_of(step, config)
        if len(texts) < config.num_rollouts:
            return
        for kind, place in (("best", max), ("worst", min)):
            chosen = place(range(len(texts)), key=rewards.__getitem__)
            yield TakenSample(
                step,
                kind,
                case.film,
                case.prompt,
                completion_text(texts[chosen]),
                self.stage.films.film(case.film).size,
                reward=_nth(logs["rewards"], num_rows, chosen).popitem()[1],
                parts=_nth(logs["extra"], num_rows, chosen),
            )

    def _case_of(self, step: int, config: GrpoConfig) -> RewardedCase:
        cases = self.stage.examples(RewardedCase)
        order: list[int] = list(self.stage.drawn(cases)["example"])
        return cases[order[(step - 1) * config.examples_per_step]]


def _nth(columns: Any, num_rows: int, place: int) -> dict[str, float]:
    """Of every column that has a number there."""
    found = {name: list(values)[-num_rows:][place] for name, values in columns.items() if len(values)}
    return {name: float(value) for name, value in found.items() if value is not None}
