"""How many tokens a second the shipped model writes: by the engine, beside transformers film by film."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import inference
from benchmarks.report import Figure, Peer

NUM_FILMS = 16
NUM_ROUNDS = 3
MAX_NEW_TOKENS = 128


def run() -> list[Figure]:
    from inference.engines import EngineSettings, GenerationRequest, load_engine
    from inference.phantoms import HELD_OUT_SEEDS, REPORT_QUERY, draw_phantom
    from inference.presets import PRESETS

    folder = Path(inference.__file__).parent / "shipped_model"
    preset = PRESETS["phantom"]
    settings = EngineSettings(
        folder=folder,
        min_pixels=preset.min_pixels,
        max_pixels=preset.max_pixels,
        preparation=preset.preparation,
    )
    films = [draw_phantom(seed=seed).to_uint8() for seed in HELD_OUT_SEEDS[:NUM_FILMS]]
    requests = [
        GenerationRequest(
            key=str(number),
            film=film,
            prompt=REPORT_QUERY,
            temperature=0,
            seed=1,
            max_new_tokens=MAX_NEW_TOKENS,
        )
        for number, film in enumerate(films)
    ]
    engine = load_engine(settings)
    plain = _Plain(folder, films, REPORT_QUERY, settings)
    plain.tokens_per_second(1)
    _tokens_per_second(engine, requests[:1])
    rounds = [
        (
            _tokens_per_second(engine, requests),
            _tokens_per_second(engine, requests, together=1),
            plain.tokens_per_second(NUM_FILMS),
        )
        for _ in range(NUM_ROUNDS)
    ]
    by_engine, alone, by_plain = (statistics.median(speeds) for speeds in zip(*rounds, strict=True))
    peer = Peer("transformers' generate() as it comes, one film after the other", by_plain)
    number = NUM_FILMS * NUM_ROUNDS
    return [
        Figure(
            f"tokens by the engine, {NUM_FILMS} films asked at once", by_engine, "per second", peer, number
        ),
        Figure("tokens by the engine, one film asked at a time", alone, "per second", peer, number),
    ]


def _tokens_per_second(engine: Any, requests: Sequence[Any], *, together: int = 0) -> float:
    from inference.engines import Done

    begin, num_tokens = time.perf_counter(), 0
    step = together or len(requests)
    for start in range(0, len(requests), step):
        for event in engine.generate(requests[start : start + step]):
            if isinstance(event, Done):
                num_tokens += event.num_tokens
    return num_tokens / (time.perf_counter() - begin)


class _Plain:
    """What a researcher's notebook does: processor, generate(), decode, for one film."""

    def __init__(self, folder: Path, films: Sequence[Any], query: str, settings: Any) -> None:
        from inference.images import prepare_image
        from inference.qwen_vl import film_prompt, load_model_and_processor

        loaded = load_model_and_processor(folder, device="cpu", dtype="float32")
        self.model, self.processor = loaded.model, loaded.processor
        self.prompt = film_prompt(self.processor, query)
        self.images = [
            prepare_image(
                film,
                preparation=settings.preparation,
                min_pixels=settings.min_pixels,
                max_pixels=settings.max_pixels,
            )
            for film in films
        ]

    def tokens_per_second(self, num_films: int) -> float:
        begin, num_tokens = time.perf_counter(), 0
        for image in self.images[:num_films]:
            inputs = self.processor(images=[image], text=[self.prompt], return_tensors="pt")
            output = self.model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
            num_tokens += output.shape[1] - inputs["input_ids"].shape[1]
        return num_tokens / (time.perf_counter() - begin)
