"""How many tokens a second the engine writes on 32 drawn films: beside one at a time, and plain generate().

All on one thread, as the engine runs small models, and plain generate() on the batches that the engine makes.
Counted in processor time, since the share that a busy machine gives to each changes from second to second,
and by the clock.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import inference
from benchmarks.report import Figure, Peer

if TYPE_CHECKING:
    from inference.engines.transformers_engine import TransformersEngine

NUM_FILMS = 32
NUM_ROUNDS = int(os.environ.get("BENCH_NUM_ROUNDS", "7"))
MAX_NEW_TOKENS = 128
UNITS = ("per second of a processor", "per second by the clock")


def run() -> list[Figure]:
    from inference.engines import EngineSettings, GenerationRequest
    from inference.engines.transformers_engine import TransformersEngine
    from inference.phantoms import HELD_OUT_SEEDS, REPORT_QUERY, draw_phantom
    from inference.presets import PRESETS

    preset = PRESETS["phantom"]
    engine = TransformersEngine(
        EngineSettings(
            folder=Path(inference.__file__).parent / "shipped_model",
            min_pixels=preset.min_pixels,
            max_pixels=preset.max_pixels,
            preparation=preset.preparation,
            device="cpu",
        )
    )
    requests = [
        GenerationRequest(
            key=str(seed),
            film=draw_phantom(seed=seed).to_uint8(),
            prompt=REPORT_QUERY,
            temperature=0,
            seed=1,
            max_new_tokens=MAX_NEW_TOKENS,
        )
        for seed in HELD_OUT_SEEDS[:NUM_FILMS]
    ]
    size = engine.micro_batch
    ways: dict[str, Callable[[], int]] = {
        "batches": lambda: _told(engine, requests),
        "alone": lambda: sum(_told(engine, [request]) for request in requests),
        "plain": lambda: _on_one_thread(lambda: _plain(engine, requests, size=size)),
    }
    _told(engine, requests[:size])
    # In turn, so that what else the machine does falls on all of them.
    rounds = [{name: _speed(way) for name, way in ways.items()} for _ in range(NUM_ROUNDS)]
    what = f"tokens by the engine, {NUM_FILMS} films asked at once, micro-batches of {size}"
    number, figures = NUM_FILMS * NUM_ROUNDS, []
    for place, unit in enumerate(UNITS):
        batches, alone, plain = (statistics.median(one[name][place] for one in rounds) for name in ways)
        figures += [
            Figure(what, batches, unit, Peer("the engine, one film at a time", alone), number),
            Figure(what, batches, unit, Peer("plain generate(), the same batches", plain), number),
        ]
    return figures


def _speed(way: Callable[[], int]) -> tuple[float, float]:
    """Tokens a second of a processor, and by the clock."""
    begin, begin_of_clock = time.process_time(), time.perf_counter()
    tokens = way()
    return tokens / (time.process_time() - begin), tokens / (time.perf_counter() - begin_of_clock)


def _told(engine: Any, requests: Sequence[Any]) -> int:
    from inference.engines import Done

    return sum(event.num_tokens for event in engine.generate(requests) if isinstance(event, Done))


def _plain(engine: TransformersEngine, requests: Sequence[Any], *, size: int) -> int:
    """What a researcher's notebook does with the same model: processor, generate(), decode, in the batches
    that the engine makes of films of one size. Tokens count until a text's end."""
    family, tokens = engine.family, 0
    for start in range(0, len(requests), size):
        batch = requests[start : start + size]
        pictures = [family.picture(request.film) for request in batch]
        inputs = family.read(pictures, [family.chat(request.prompt, has_film=True) for request in batch])
        output = family.model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        for row in output[:, inputs["input_ids"].shape[1] :].tolist():
            family.tokenizer.decode(row, skip_special_tokens=True)
            ends = (place for place, token in enumerate(row) if token in engine.end_tokens)
            tokens += next(ends, len(row))
    return tokens


def _on_one_thread(work: Callable[[], int]) -> int:
    with _threads(1):
        return work()


@contextmanager
def _threads(number: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
