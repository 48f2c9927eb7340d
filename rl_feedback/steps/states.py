"""What a model knows of each reasoning step that stands before it: hidden states, and how likely it is.

Of each step: the hidden states at its end in the middle and the last layer, the last layer's mean over the
step, and the mean and the least log probability of its tokens. On drawn films the states at the end alone
told hardly more than a step's length; how likely the frozen model finds the step's words tells most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from inference.qwen_vl import LoadedModel, film_prompt
from rl_feedback.steps.rated import step_ends
from rl_feedback.training.films import Films

States = NDArray[np.float32]


def states_at_step_ends(
    loaded: LoadedModel, films: Films, completions: Sequence[tuple[str, str, str]]
) -> list[States]:
    """For each completion (film, prompt, text) one row of hidden numbers per step. The model learns nothing.

    One completion at a time: of long films no padding is computed, and memory stays flat.
    """
    return [_states_of(loaded, films, film, prompt, text) for film, prompt, text in completions]


@torch.no_grad()
def _states_of(loaded: LoadedModel, films: Films, film: str, prompt: str, text: str) -> States:
    ends = step_ends(text)
    if not ends:
        return np.empty((0, 0), np.float32)
    processor, model = loaded.processor, loaded.model
    image = films.film(film)
    area = image.width * image.height
    asked = processor(
        images=[image],
        text=[film_prompt(processor, prompt)],
        return_tensors="pt",
        # The film has the model's size already: the processor must leave it as it is.
        size={
            "shortest_edge": min(area, films.view.min_pixels),
            "longest_edge": max(area, films.view.max_pixels),
        },
    )
    said = processor.tokenizer(
        text, return_offsets_mapping=True, add_special_tokens=False, return_tensors="pt"
    )
    num_asked = asked["input_ids"].shape[1]
    # Written out, a mark for an image would make the model look for one that is not there.
    marks = torch.isin(said["input_ids"], torch.tensor(loaded.suppressed_tokens))
    said["input_ids"][marks] = processor.tokenizer.eos_token_id
    added = torch.zeros_like(said["input_ids"])
    inputs: dict[str, Any] = {
        **asked,
        "input_ids": torch.cat([asked["input_ids"], said["input_ids"]], dim=1),
        "attention_mask": torch.cat([asked["attention_mask"], torch.ones_like(added)], dim=1),
        "mm_token_type_ids": torch.cat([asked["mm_token_type_ids"], added], dim=1),
    }
    seen = model(
        **{name: value.to(model.device) for name, value in inputs.items()}, output_hidden_states=True
    )
    middle, last = (seen.hidden_states[place][0].float() for place in (len(seen.hidden_states) // 2, -1))
    tokens = inputs["input_ids"][0]
    likely = torch.log_softmax(seen.logits[0, :-1].float(), dim=-1).cpu()
    likely = likely.gather(1, tokens[1:, None])[:, 0]
    rows = []
    for first, end in _spans_of(said["offset_mapping"][0, :, 1].tolist(), ends):
        begin, end = num_asked + first, num_asked + end
        said_of_it = likely[begin - 1 : end]
        rows.append(
            torch.cat(
                [
                    middle[end].cpu(),
                    last[end].cpu(),
                    last[begin : end + 1].mean(dim=0).cpu(),
                    torch.stack([said_of_it.mean(), said_of_it.min()]),
                ]
            )
        )
    return torch.stack(rows).numpy().astype(np.float32)


def _spans_of(tokens_end: Sequence[int], ends: Sequence[int]) -> list[tuple[int, int]]:
    """First and last token of each step: a token may hold the step's last letter and what follows it."""
    spans = []
    first = 0
    for end in ends:
        last = next(place for place, reached in enumerate(tokens_end) if reached >= end)
        spans.append((min(first, last), last))
        first = last + 1
    return spans
