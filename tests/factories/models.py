"""Model folders for tests: the real classes with fresh, untrained weights of 0.2 M parameters."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from inference.phantoms import REPORT_QUERY, draw_phantom, ideal_reasoning

SHIPPED_MODEL = Path(__file__).resolve().parents[2] / "inference" / "shipped_model"


def write_untrained_model(folder: Path, *, seed: int = 1, is_endless: bool = False) -> Path:
    """A Qwen2.5-VL folder that loads, sees and writes, but has learned nothing.

    An endless one never writes its last token, so that only a limit or a person ends its answer.
    """
    shutil.copytree(_built(seed, is_endless).name, folder, dirs_exist_ok=True)
    return folder


@cache
def _built(seed: int, is_endless: bool) -> "tempfile.TemporaryDirectory[str]":
    """Once in a run of the tests, which remove it at their end."""
    from rl_feedback.small_model.build import build_model, build_processor

    texts = [ideal_reasoning(draw_phantom(seed=s).truth) for s in range(60)] + [REPORT_QUERY] * 5
    processor = build_processor(texts)
    model = build_model(processor, seed=seed)
    if is_endless:
        # The engine never lets a model write an image's placeholder.
        processor.tokenizer.eos_token = "<|image_pad|>"
        model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
        model.config.get_text_config().max_position_embeddings = 1_000_000
    folder = tempfile.TemporaryDirectory(prefix="untrained-model-")
    model.save_pretrained(folder.name)
    processor.save_pretrained(folder.name)
    return folder


def write_pruned_model(folder: Path, *, share: float) -> Path:
    """The model that ships, with so great a share of each weight matrix of its eyes set to zero, the smallest
    first: it writes as before and sees less."""
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(SHIPPED_MODEL, folder, dirs_exist_ok=True)
    weights = load_file(folder / "model.safetensors")
    for name, weight in weights.items():
        if weight.ndim > 1 and ".visual." in f".{name}":
            size = weight.float().abs()
            weights[name] = weight * (size >= torch.quantile(size, share))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
