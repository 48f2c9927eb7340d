"""How many tokens a second a GPU learns from by DPO and GRPO, a fresh model of DeepMedix-R1's shape."""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report import CannotRun, Figure, Peer
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import REPORT_QUERY, draw_phantom, ideal_reasoning
from inference.presets import PRESETS
from rl_feedback.rewards.truth import phantom_case
from rl_feedback.training.config import DpoConfig, GrpoConfig, StageConfig
from rl_feedback.training.examples import RewardedCase, TrainingPair, write_examples
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.view import FilmView

NUM_FILMS = 8
FILM_SIDE_PX = 1024
# The first steps warm the allocator and the kernels up.
NUM_STEPS, NUM_WARM = 8, 3
# EasyR1's published run: GRPO of Qwen2.5-VL-7B with all weights on Geometry3k, 8 H100; the middle of what it
# tells of tokens a second and GPU (1,600 to 2,000) and of memory (68 to 72 GB).
EASYR1_TOKENS = Peer("EasyR1, GRPO of Qwen2.5-VL-7B, all weights, on each of 8 H100 (published)", 1800.0)
EASYR1_GB = Peer("EasyR1, GRPO of Qwen2.5-VL-7B, all weights, on each of 8 H100 (published)", 70.0)
# Qwen2.5-VL-7B-Instruct's config.json.
TEXT = {
    "vocab_size": 152_064,
    "hidden_size": 3584,
    "intermediate_size": 18_944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "max_position_embeddings": 128_000,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
    "tie_word_embeddings": False,
}
VISION = {
    "depth": 32,
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "num_heads": 16,
    "out_hidden_size": 3584,
    "window_size": 112,
    "fullatt_block_indexes": [7, 15, 23, 31],
}
_QUICK: dict[str, Any] = {
    "num_steps": NUM_STEPS,
    "replay_per_step": 0,
    "sample_every": 0,
    "checkpoint_every": NUM_STEPS,
    "precision": "bfloat16",
}
DPO = DpoConfig(examples_per_step=16, loss="sigmoid", **_QUICK)
GRPO = GrpoConfig(
    examples_per_step=8, num_rollouts=8, recomputes=True, max_new_tokens=256, step_scorer="none", **_QUICK
)


def run() -> list[Figure]:
    import torch

    if not torch.cuda.is_available():
        raise CannotRun("it needs a CUDA device with 40 GB or more, and this machine has none.")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_model(folder / "model", text=TEXT, vision=VISION, device="cuda")
        return [
            *measured(DPO, folder, tokens=_tokens_of_pairs),
            *measured(GRPO, folder, tokens=_tokens_of_attempts),
        ]


def measured(
    config: StageConfig, folder: Path, *, tokens: Callable[[StageConfig, Any, StepFigures], float]
) -> list[Figure]:
    """Tokens a second, prompts and films included as EasyR1 counts, and the device's peak memory."""
    from inference.qwen_vl import load_processor
    from rl_feedback.training.running import train_stage

    data, kind = folder / "data", config.kind
    write_data(data)
    seen: list[StepFigures] = []
    train_stage(
        config,
        parent=folder / "model",
        data=data,
        view=_view(),
        work=folder / kind / "work",
        out=folder / kind / "candidate",
        on_step=seen.append,
    )
    steps = seen[NUM_WARM:]
    processor = load_processor(folder / "model")
    speed = statistics.median(tokens(config, processor, step) / step.seconds for step in steps)
    memory = max(step.values.get("device_memory_mb", 0.0) for step in seen) / 1024
    name = f"{kind.upper()} with LoRA of rank {config.lora_rank}"
    return [
        Figure(f"tokens learned from by {name}", speed, "per second", EASYR1_TOKENS, len(steps)),
        Figure(f"peak memory of {name}", memory, "GB", EASYR1_GB, len(steps)),
    ]


def write_model(
    folder: Path, *, text: dict[str, Any], vision: dict[str, Any], device: str, ends: bool = True
) -> None:
    """Fresh weights in bfloat16; the words are those of the small model: a fresh one knows none anyway. One
    that does not end writes all of its length: its last token is one that no engine lets it write."""
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    from rl_feedback.small_model.build import build_processor

    texts = [ideal_reasoning(draw_phantom(seed=seed).truth) for seed in range(60)] + [REPORT_QUERY]
    processor = build_processor(texts)
    token = processor.tokenizer.convert_tokens_to_ids
    last, pads = token("<|im_end|>" if ends else "<|image_pad|>"), token("<|endoftext|>")
    if not ends:
        processor.tokenizer.eos_token = "<|image_pad|>"
    config = Qwen2_5_VLConfig(
        text_config={**text, "bos_token_id": None, "eos_token_id": last, "pad_token_id": pads},
        vision_config=vision,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=False,
        dtype="bfloat16",
    )
    torch.manual_seed(7)
    with torch.device(device):
        model = Qwen2_5_VLForConditionalGeneration._from_config(config, dtype=torch.bfloat16)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = last, pads
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def write_data(data: Path) -> None:
    """Drawn films with a right text, a wrong one, and what is known of each."""
    data.mkdir(parents=True, exist_ok=True)
    pairs, cases = [], []
    for seed in range(NUM_FILMS):
        film = f"{seed}.dcm"
        write_phantom_dicom(data / film, seed=seed, size=FILM_SIDE_PX, encoding=FilmEncoding())
        truth = draw_phantom(seed=seed).truth
        right, wrong = ideal_reasoning(truth), ideal_reasoning(draw_phantom(seed=seed + 1).truth)
        pairs.append(TrainingPair(film, REPORT_QUERY, 1.0, "vote", right, wrong))
        case = phantom_case(truth)
        cases.append(RewardedCase.of(case, film=film, prompt=REPORT_QUERY, weight=1.0, origin="phantom"))
    write_examples(data, pairs, kind=TrainingPair)
    write_examples(data, cases, kind=RewardedCase)


def _view() -> FilmView:
    return FilmView.of(PRESETS["deepmedix-r1"])


def _tokens_of_pairs(config: StageConfig, processor: Any, step: StepFigures) -> float:
    """Each pair is read twice, with either text, of about one length."""
    right = ideal_reasoning(draw_phantom(seed=0).truth)
    return (
        config.examples_per_step * 2 * (_prompt_tokens(processor) + len(processor.tokenizer(right).input_ids))
    )


def _tokens_of_attempts(config: StageConfig, processor: Any, step: StepFigures) -> float:
    assert isinstance(config, GrpoConfig)
    written = step.values["tokens_written"]
    return config.examples_per_step * config.num_rollouts * (_prompt_tokens(processor) + written)


def _prompt_tokens(processor: Any) -> int:
    """Of a question with its film."""
    from dataclasses import asdict

    from inference.images import prepare_image
    from inference.qwen_vl import film_prompt

    image = prepare_image(draw_phantom(seed=0).to_uint8(), **asdict(_view()))
    area = image.width * image.height
    size = {"shortest_edge": area, "longest_edge": area}
    inputs = processor(
        images=[image], text=[film_prompt(processor, REPORT_QUERY)], return_tensors="pt", size=size
    )
    return int(inputs["input_ids"].shape[1])
