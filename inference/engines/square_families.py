"""MedGemma, LLaVA, HuatuoGPT-Vision and DeepSeek-VL: models that see one square of a fixed size.

Their own processors stretch, cut or pad a film to that square. Here the film is made the square beforehand,
in the way that the version names, so that it is known which part of the film the model saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from inference.devices import Placement
from inference.engines.requests import EngineError, EngineSettings
from inference.images import Grey, picture_of
from inference.regions import Preparation


class SquareFamily:
    """What the three have in common; each says its square, its signs and its colour of padding."""

    sees_films = True
    never_sampled: tuple[str, ...] = ()
    runs_own_code = False

    def __init__(self, settings: EngineSettings, placement: Placement) -> None:
        self._settings = settings
        # First: it looks whether the code that a folder brings may be what it says.
        model_class = self._model_class()
        self._processor: Any = AutoProcessor.from_pretrained(
            settings.folder, trust_remote_code=self.runs_own_code
        )
        if not hasattr(self._processor, "image_processor"):
            raise EngineError(
                f"{settings.folder} says nothing of how films are prepared: processor_config.json or "
                "preprocessor_config.json is missing. Get it from where the model came from."
            )
        self.tokenizer: Any = self._processor.tokenizer
        self._require_preparation()
        self.chat("?", has_film=True)
        self.model: Any = placement.load(model_class, settings.folder, trust_remote_code=self.runs_own_code)
        vocabulary = self.tokenizer.get_vocab()
        named = {vocabulary[name] for name in self.never_sampled if name in vocabulary}
        self.suppressed_tokens: tuple[int, ...] = tuple(
            sorted(named | {int(token) for token in self._processor.image_token_ids if token is not None})
        )

    def picture(self, film: Grey) -> Image.Image:
        return picture_of(
            film, preparation=self._settings.preparation, size=self._square(), padding=self._padding()
        )

    def chat(self, question: str, *, has_film: bool) -> str:
        film = [{"type": "image"}] if has_film else []
        message = [{"role": "user", "content": [*film, {"type": "text", "text": question}]}]
        try:
            prompt = str(
                self._processor.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
            )
        except Exception as error:  # templates raise errors of every kind
            raise EngineError(
                f"The folder's chat template can't write this question: {error} Put the one from the model's "
                "page into the folder as chat_template.jinja."
            ) from error
        if has_film and prompt.count(self._processor.image_token) != 1:
            raise EngineError(
                "The folder's chat template leaves no place for the film. Put one into the folder as "
                f"chat_template.jinja that writes {self._processor.image_token} for it."
            )
        return prompt

    def read(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> Any:
        start = self.tokenizer.bos_token
        told: dict[str, Any] = {
            "text": list(prompts),
            "padding": True,
            "padding_side": "left",
            "return_tensors": "pt",
            # Where the template wrote it already, a second one would be read as text.
            "add_special_tokens": not (start and prompts[0].startswith(start)),
        }
        if not pictures:
            return self.tokenizer(**told)
        batch = self._processor(images=[[picture] for picture in pictures], **told, **self._extra())
        return batch.to(self.model.dtype)

    def _model_class(self) -> Any:
        return AutoModelForImageTextToText

    def _require_preparation(self) -> None:
        if self._settings.preparation is Preparation.ASPECT:
            width, height = self._square()
            raise EngineError(
                f"This model sees squares of {width} x {height} pixels, not films in their own ratio. Choose "
                "the preparation square, crop or pad."
            )

    def _square(self) -> tuple[int, int]:
        """(width, height) of what the model sees."""
        size = self._processor.image_processor.size
        return int(size["width"]), int(size["height"])

    def _padding(self) -> tuple[int, int, int]:
        return 0, 0, 0

    def _extra(self) -> dict[str, Any]:
        return {}


class GemmaFamily(SquareFamily):
    """Gemma 3, MedGemma among them."""

    never_sampled = ("<start_of_image>", "<end_of_image>", "<image_soft_token>", "<start_of_turn>")

    def _extra(self) -> dict[str, Any]:
        # Tiles beside the whole film would be more than the square that boxes are counted on.
        return {"do_pan_and_scan": False}


class LlavaFamily(SquareFamily):
    """LLaVA 1.5, HuatuoGPT-Vision's -hf folders among them."""

    never_sampled = ("<image>", "<|im_start|>")

    def _square(self) -> tuple[int, int]:
        images = self._processor.image_processor
        if getattr(images, "do_center_crop", False):
            return int(images.crop_size["width"]), int(images.crop_size["height"])
        size = images.size
        side = size["shortest_edge"] or size["width"]
        return int(side), int(side)

    def _padding(self) -> tuple[int, int, int]:
        # As LLaVA 1.5 pads: the colour that normalising makes zero (github haotian-liu/LLaVA, mm_utils.py).
        red, green, blue = (int(mean * 255) for mean in self._processor.image_processor.image_mean)
        return red, green, blue


class DeepseekFamily(SquareFamily):
    """DeepSeek-VL with its two encoders; the finer one's square is the picture, the other sees it shrunk."""

    never_sampled = ("<image_placeholder>",)

    def _square(self) -> tuple[int, int]:
        size = self._processor.image_processor.high_res_size
        return int(size["width"]), int(size["height"])

    def _padding(self) -> tuple[int, int, int]:
        red, green, blue = self._processor.image_processor.high_res_background_color
        return int(red), int(green), int(blue)
