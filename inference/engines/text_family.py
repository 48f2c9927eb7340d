"""Qwen, Llama, Mistral, Gemma and Phi without eyes: models that read text, as judges of reports do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image
from transformers import AutoModelForCausalLM, AutoTokenizer

from inference.devices import Placement
from inference.engines.requests import EngineError, EngineSettings
from inference.images import Grey

# By `model_type` in config.json; each is a class of transformers' own.
MODEL_TYPES = ("qwen2", "qwen3", "llama", "mistral", "gemma2", "gemma3_text", "phi3")


class TextFamily:
    """Asked by the chat template of its folder."""

    sees_films = False
    suppressed_tokens: tuple[int, ...] = ()

    def __init__(self, settings: EngineSettings, placement: Placement) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(settings.folder, trust_remote_code=False)
        if not self.tokenizer.chat_template:
            raise EngineError(
                f"{settings.folder} has no chat template, so its model can't be asked. Put the one from the "
                "model's page into the folder as chat_template.jinja."
            )
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.model: Any = placement.load(AutoModelForCausalLM, settings.folder, trust_remote_code=False)

    def picture(self, film: Grey) -> Image.Image:
        raise EngineError("This model reads text alone and sees no films.")

    def chat(self, question: str, *, has_film: bool) -> str:
        message = [{"role": "user", "content": question}]
        return str(self.tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True))

    def read(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> Any:
        # The template has written the start sign already.
        return self.tokenizer(
            list(prompts), padding=True, padding_side="left", return_tensors="pt", add_special_tokens=False
        )
