"""How many tokens a second the engine writes on 32 drawn films: beside one at a time, and plain generate().

All on one thread, as the engine runs small models, and plain generate() on the batches that the engine makes.
Counted in processor time, since the share that a busy machine gives to each changes from second to second.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import inference
from benchmarks.report import Figure, Peer

NUM_FILMS = 32
NUM_ROUNDS = 7
MAX_NEW_TOKENS = 128
UNIT = "per second of a processor"


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
    batches, alone, plain = (statistics.median(one[name] for one in rounds) for name in ways)
    what = f"tokens by the engine, {NUM_FILMS} films asked at once, micro-batches of {size}"
    number = NUM_FILMS * NUM_ROUNDS
    return [
        Figure(what, batches, UNIT, Peer("the engine, one film at a time", alone), number),
        Figure(what, batches, UNIT, Peer("plain generate(), the same batches", plain), number),
    ]


def _speed(way: Callable[[], int]) -> float:
    begin = time.process_time()
    return way() / (time.process_time() - begin)


def _told(engine: Any, requests: Sequence[Any]) -> int:
    from inference.engines import Done

    return sum(event.num_tokens for event in engine.generate(requests) if isinstance(event, Done))


def _plain(engine: Any, requests: Sequence[Any], *, size: int) -> int:
    """What a researcher's notebook does with the same model: processor, generate(), decode, in the batches
    that the engine makes of films of one size. Tokens count until a text's end."""
    family, tokens = engine.family, 0
    for start in range(0, len(requests), size):
        batch = requests[start : start + size]
        pictures = [family.picture(request.film) for request in batch]
        inputs = family.read(pictures, [family.chat(request.prompt) for request in batch])
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
