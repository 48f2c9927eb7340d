"""Qwen2.5-VL and Qwen3-VL: films near their own ratio, in squares of a patch's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from transformers import Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen3_vl import processing_qwen3_vl as published
from transformers.processing_utils import ProcessorMixin

from inference.engines.requests import EngineSettings
from inference.images import Grey, prepare_image
from inference.qwen_vl import (
    NEVER_SAMPLED,
    film_prompt,
    load_model_and_processor,
    load_tokenizer,
)


class Qwen3VLProcessor(published.Qwen3VLProcessor):
    """Qwen3-VL's processor for images and text alone; its reader of videos needs torchvision.

    It bears the published class's name because that name is written into saved folders.
    """

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None
    ) -> None:
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


class Qwen25Family:
    """Any Qwen2.5-VL folder, DeepMedix-R1, CheXOne and the model that ships here among them."""

    sees_films = True

    def __init__(self, settings: EngineSettings, device: str, dtype: str) -> None:
        self._settings = settings
        self._load(device, dtype)
        images = self._processor.image_processor
        self._factor = int(images.patch_size) * int(images.merge_size)

    def _load(self, device: str, dtype: str) -> None:
        loaded = load_model_and_processor(self._settings.folder, device=device, dtype=dtype)
        self.model: Any = loaded.model
        self._processor: Any = loaded.processor
        self.tokenizer: Any = loaded.processor.tokenizer
        self.suppressed_tokens: tuple[int, ...] = loaded.suppressed_tokens

    def picture(self, film: Grey) -> Image.Image:
        return prepare_image(
            film,
            preparation=self._settings.preparation,
            min_pixels=self._settings.min_pixels,
            max_pixels=self._settings.max_pixels,
            factor=self._factor,
        )

    def chat(self, question: str) -> str:
        return film_prompt(self._processor, question)

    def read(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> Any:
        area = pictures[0].width * pictures[0].height
        return self._processor(
            images=list(pictures),
            text=list(prompts),
            padding=True,
            padding_side="left",
            return_tensors="pt",
            # The image has the model's size already: the processor must leave it as it is.
            size={
                "shortest_edge": min(area, self._settings.min_pixels),
                "longest_edge": max(area, self._settings.max_pixels),
            },
        )


class Qwen3Family(Qwen25Family):
    """Qwen3-VL: the same picture in other patches."""

    def _load(self, device: str, dtype: str) -> None:
        folder = self._settings.folder
        self.tokenizer = load_tokenizer(folder)
        self._processor = Qwen3VLProcessor(
            image_processor=Qwen2VLImageProcessorPil.from_pretrained(folder),
            tokenizer=self.tokenizer,
            chat_template=self.tokenizer.chat_template,
        )
        self.model = Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=getattr(torch, dtype))
        self.model.to(device=device).eval()
        vocabulary = self.tokenizer.get_vocab()
        self.suppressed_tokens = tuple(vocabulary[name] for name in NEVER_SAMPLED if name in vocabulary)
