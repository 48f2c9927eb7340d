"""Loads a Qwen2.5-VL model, DeepMedix-R1 or the small one that ships here, with its film and text reader.

Qwen's own processor insists on a video reader that needs torchvision; films are no videos, so ours has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, PreTrainedTokenizerFast, Qwen2_5_VLForConditionalGeneration
from transformers.models.auto.tokenization_auto import AutoTokenizer
from transformers.models.qwen2_5_vl import processing_qwen2_5_vl as published
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.processing_utils import ProcessorMixin

from inference.devices import Placement

NEVER_SAMPLED = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<|im_start|>")


class Qwen2_5_VLProcessor(published.Qwen2_5_VLProcessor):
    """Qwen2.5-VL's processor for images and text alone.

    It bears the published class's name because that name is written into saved folders, where vLLM looks.
    """

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None
    ) -> None:
        self.image_token = "<|image_pad|>"
        self.video_token = "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


FilmProcessor = Qwen2_5_VLProcessor


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory with its processor; `suppressed_tokens` must never be sampled.

    A sampled image placeholder makes the next forward pass look for an image that is not there.
    """

    model: Any
    processor: FilmProcessor
    suppressed_tokens: tuple[int, ...]


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerFast:
    """Raises TypeError, saying what to do, where it is none that reads tokenizer.json."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise TypeError(f"The tokenizer in {folder} is not a fast one; save it as tokenizer.json.")
    return tokenizer


def load_processor(folder: str | Path) -> FilmProcessor:
    """Read the image and text side of a model folder.

    Raises FileNotFoundError, naming the folder, when it holds no model.
    """
    path = _existing(folder)
    tokenizer = load_tokenizer(path)
    images = Qwen2VLImageProcessorPil.from_pretrained(path)
    return FilmProcessor(image_processor=images, tokenizer=tokenizer, chat_template=tokenizer.chat_template)


def load_model_and_processor(
    folder: str | Path, *, device: str = "cpu", dtype: str = "float32"
) -> LoadedModel:
    """Read a Qwen2.5-VL folder, in evaluation mode, onto a device.

    Raises FileNotFoundError when the folder holds no model and ValueError when it is of another family.
    """
    path = _existing(folder)
    family = AutoConfig.from_pretrained(path).model_type
    if family != "qwen2_5_vl":
        raise ValueError(f"{path} holds a model of type {family}; this loader reads qwen2_5_vl only.")
    processor = load_processor(path)
    model = Placement(device, dtype).load(Qwen2_5_VLForConditionalGeneration, path)
    # For the whole process: cuDNN plans attention anew for each length, 11 ms a layer and token on an H200.
    torch.backends.cuda.enable_cudnn_sdp(False)
    return LoadedModel(model=model, processor=processor, suppressed_tokens=never_sampled(processor.tokenizer))


def never_sampled(tokenizer: Any) -> tuple[int, ...]:
    """Those of NEVER_SAMPLED that this vocabulary has."""
    vocabulary = tokenizer.get_vocab()
    return tuple(vocabulary[name] for name in NEVER_SAMPLED if name in vocabulary)


def _existing(folder: str | Path) -> Path:
    path = Path(folder)
    if not (path / "config.json").is_file():
        raise FileNotFoundError(f"There is no model in {path}: config.json is missing.")
    return path


def film_prompt(processor: FilmProcessor, query: str, *, has_film: bool = True) -> str:
    """The text that a model reads: the film's place first where there is one, then the query, then the start
    of its turn."""
    film = [{"type": "image"}] if has_film else []
    message: Any = [{"role": "user", "content": [*film, {"type": "text", "text": query}]}]
    return str(processor.apply_chat_template(message, add_generation_prompt=True, tokenize=False))
