"""Which families of models are read here, and what differs between them: the film's picture, and the words
round it.

Classes that transformers itself holds are loaded. A folder's own code runs only where the settings say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from inference.devices import Placement
from inference.engines.requests import EngineError, EngineSettings
from inference.images import Grey


class Family(Protocol):
    """A model in memory with everything that its family does in its own way. `sees_films`: it answers about
    films, and questions that come alone; else these alone.

    `suppressed_tokens` must never be sampled: a sampled placeholder makes the next forward pass look for an
    image that is not there.
    """

    sees_films: bool
    model: Any
    tokenizer: Any
    suppressed_tokens: tuple[int, ...]

    def picture(self, film: Grey) -> Image.Image:
        """The RGB image that the model sees of a film, at the very size that it sees."""
        ...

    def chat(self, question: str, *, has_film: bool) -> str:
        """The text that the model reads: the film's place first where there is one, then the question, then
        its turn's start."""
        ...

    def read(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> Any:
        """A batch of tensors, padded on the left; the pictures are left as they are. Each question has one,
        or none has."""
        ...


def load_family(settings: EngineSettings, *, placement: Placement) -> Family:
    """Read a folder by its family. Raises EngineError, naming the families, where it is of another."""
    if settings.runs_own_code:
        from inference.engines.own_code_family import OwnCodeFamily

        return OwnCodeFamily(settings, placement)
    family = _model_type(settings.folder)
    readable = _families()
    if family not in readable:
        raise EngineError(
            f"{settings.folder} holds a model of type {family}. Read here are {', '.join(sorted(readable))}. "
            "Serve another one elsewhere, with vLLM say, and ask it through its endpoint."
        )
    return readable[family](settings, placement)


def _families() -> dict[str, Callable[[EngineSettings, Placement], Family]]:
    """By `model_type` in config.json."""
    from inference.engines.qwen_family import Qwen3Family, Qwen25Family
    from inference.engines.square_families import DeepseekFamily, GemmaFamily, LlavaFamily
    from inference.engines.text_family import MODEL_TYPES, TextFamily

    return {
        "qwen2_5_vl": Qwen25Family,
        "qwen3_vl": Qwen3Family,
        "gemma3": GemmaFamily,
        "llava": LlavaFamily,
        "deepseek_vl_hybrid": DeepseekFamily,
        **dict.fromkeys(MODEL_TYPES, TextFamily),
    }


def _model_type(folder: Path) -> str:
    config = folder / "config.json"
    if not config.is_file():
        raise FileNotFoundError(f"There is no model in {folder}: config.json is missing.")
    told = json.loads(config.read_text("utf-8"))
    return str(told.get("model_type") or "unknown") if isinstance(told, dict) else "unknown"
