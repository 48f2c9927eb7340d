"""A fast way through the small model for films of one size: the same sums, without a loop over the films."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from string import digits
from types import MethodType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision

from inference.phantoms import REPORT_QUERY
from inference.qwen_vl import FilmProcessor, film_prompt
from rl_feedback.small_model.build import FILM_SIDE_PX, MERGE, NUM_IMAGE_TOKENS, NUM_PATCHES, PATCH_PX

_GRID = FILM_SIDE_PX // PATCH_PX


def to_patches(pixels: NDArray[np.uint8], *, mean: float = 0.5, std: float = 0.25) -> torch.Tensor:
    """Cut films (n, 112, 112) into patches (n * 64, 1176) exactly as Qwen's image processor does."""
    n = len(pixels)
    films = (torch.from_numpy(pixels).float() / 255 - mean) / std
    blocks = films.view(n, _GRID // MERGE, MERGE, PATCH_PX, _GRID // MERGE, MERGE, PATCH_PX)
    patches = blocks.permute(0, 1, 4, 2, 5, 3, 6).reshape(n * NUM_PATCHES, 1, PATCH_PX * PATCH_PX)
    return patches.expand(-1, 6, -1).reshape(n * NUM_PATCHES, -1)


def _attend_by_film(
    self: Any,
    hidden_states: torch.Tensor,
    cu_seqlens: torch.Tensor,
    position_embeddings: tuple[torch.Tensor, torch.Tensor],
    **_: Any,
) -> torch.Tensor:
    """Qwen's vision attention with all films in one batch; every film must have 64 patches."""
    length = hidden_states.shape[0]
    query, key, value = self.qkv(hidden_states).reshape(length, 3, self.num_heads, -1).unbind(1)
    query, key = apply_rotary_pos_emb_vision(query, key, *position_embeddings)

    def by_film(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.reshape(-1, NUM_PATCHES, self.num_heads, self.head_dim).transpose(1, 2)

    seen = F.scaled_dot_product_attention(by_film(query), by_film(key), by_film(value), scale=self.scaling)
    return self.proj(seen.transpose(1, 2).reshape(length, -1))  # type: ignore[no-any-return]


@contextmanager
def one_size_attention(model: Any) -> Iterator[None]:
    """Inside this block the vision tower takes films of 112 x 112 only, several times faster."""
    blocks = model.model.visual.blocks
    for block in blocks:
        block.attn.forward = MethodType(_attend_by_film, block.attn)
    try:
        yield
    finally:
        for block in blocks:
            del block.attn.forward


def see(model: Any, pixels: NDArray[np.uint8]) -> torch.Tensor:
    """What the vision tower makes of the films: (n, 16, hidden)."""
    grid = torch.tensor([[1, _GRID, _GRID]]).expand(len(pixels), 3)
    features = model.model.visual(to_patches(pixels), grid_thw=grid).pooler_output
    return features.view(len(pixels), NUM_IMAGE_TOKENS, -1)  # type: ignore[no-any-return]


class ReportPrompt:
    """The one prompt of the small model's training, laid out once: image, query, start of the answer."""

    def __init__(self, model: Any, processor: FilmProcessor, *, longest: int = 200) -> None:
        blank = Image.new("RGB", (FILM_SIDE_PX, FILM_SIDE_PX))
        inputs = processor(text=[film_prompt(processor, REPORT_QUERY)], images=[blank], return_tensors="pt")
        self.ids: torch.Tensor = inputs["input_ids"]
        self.image_at = int((self.ids[0] == processor.image_token_id).nonzero()[0])
        tail = longest - self.ids.shape[1]
        ids = F.pad(self.ids, (0, tail), value=0)
        kinds = F.pad(inputs["mm_token_type_ids"], (0, tail), value=0)
        positions, _ = model.model.get_rope_index(
            ids, mm_token_type_ids=kinds, image_grid_thw=inputs["image_grid_thw"]
        )
        self.positions: torch.Tensor = positions
        texts = processor.tokenizer.convert_ids_to_tokens(range(len(processor.tokenizer)))
        self.is_digit = torch.tensor([text in set(digits) for text in texts])

    def loss(
        self,
        model: Any,
        features: torch.Tensor,
        completions: list[list[int]],
        *,
        words_weigh: float = 1.0,
    ) -> torch.Tensor:
        """Mean cross-entropy of the completions' tokens after the prompt and the films' features; those that
        are no digit weigh `words_weigh` times as much."""
        n, prompt = len(completions), self.ids.shape[1]
        width = max(len(tokens) for tokens in completions)
        answer = torch.zeros((n, width), dtype=torch.long)
        target = torch.full((n, width), -100)
        for row, tokens in enumerate(completions):
            answer[row, : len(tokens)] = torch.tensor(tokens)
            target[row, : len(tokens)] = answer[row, : len(tokens)]
        ids = torch.cat([self.ids.expand(n, -1), answer[:, :-1]], dim=1)
        words = model.get_input_embeddings()(ids)
        start, end = self.image_at, self.image_at + NUM_IMAGE_TOKENS
        embeds = torch.cat([words[:, :start], features, words[:, end:]], dim=1)
        positions = self.positions[:, :, : ids.shape[1]].expand(3, n, -1)
        hidden = model.model.language_model(
            inputs_embeds=embeds, position_ids=positions, use_cache=False
        ).last_hidden_state
        logits = model.lm_head(hidden[:, prompt - 1 :])
        of_each = F.cross_entropy(
            logits.flatten(0, 1).float(), target.flatten(), ignore_index=-100, reduction="none"
        )
        weights = torch.where(self.is_digit[answer], 1.0, words_weigh)
        weights = torch.where(target == -100, 0.0, weights).flatten()
        return (of_each * weights).sum() / weights.sum()
