"""Qwen2.5-VL and Qwen3-VL: films near their own ratio, in squares of a patch's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen3_vl import processing_qwen3_vl as published
from transformers.processing_utils import ProcessorMixin

from inference.devices import Placement
from inference.engines.requests import EngineSettings
from inference.images import Grey, prepare_image
from inference.qwen_vl import film_prompt, load_processor, load_tokenizer, never_sampled


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

    def __init__(self, settings: EngineSettings, placement: Placement) -> None:
        self._settings = settings
        self._load(placement)
        images = self._processor.image_processor
        self._factor = int(images.patch_size) * int(images.merge_size)

    def _load(self, placement: Placement) -> None:
        folder = self._settings.folder
        self._processor: Any = load_processor(folder)
        self.tokenizer: Any = self._processor.tokenizer
        self.model: Any = placement.load(Qwen2_5_VLForConditionalGeneration, folder)
        self.suppressed_tokens: tuple[int, ...] = never_sampled(self.tokenizer)

    def picture(self, film: Grey) -> Image.Image:
        return prepare_image(
            film,
            preparation=self._settings.preparation,
            min_pixels=self._settings.min_pixels,
            max_pixels=self._settings.max_pixels,
            factor=self._factor,
        )

    def chat(self, question: str, *, has_film: bool) -> str:
        return film_prompt(self._processor, question, has_film=has_film)

    def read(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> Any:
        if not pictures:
            return self.tokenizer(list(prompts), padding=True, padding_side="left", return_tensors="pt")
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

    def _load(self, placement: Placement) -> None:
        folder = self._settings.folder
        self.tokenizer = load_tokenizer(folder)
        self._processor = Qwen3VLProcessor(
            image_processor=Qwen2VLImageProcessorPil.from_pretrained(folder),
            tokenizer=self.tokenizer,
            chat_template=self.tokenizer.chat_template,
        )
        self.model = placement.load(Qwen3VLForConditionalGeneration, folder)
        self.suppressed_tokens = never_sampled(self.tokenizer)
