"""How many films a minute a GPU answers about, by a fresh model of DeepMedix-R1's shape."""

import importlib.util
import signal
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.gpu_training import TEXT, VISION, write_model
from benchmarks.report import CannotRun, Figure, Peer
from inference.phantoms import REPORT_QUERY, draw_phantom
from inference.presets import PRESETS

PRESET = PRESETS["deepmedix-r1"]
BATCHES = (1, 8, 32, 64)
NUM_NEW_TOKENS = 512
FILM_SIDE_PX = 1024
NUM_RUNS = 3
COPIED_BYTES = 2 * 1024**3
VLLM_PATIENCE_SECONDS = 900


def run() -> list[Figure]:
    import torch

    if not torch.cuda.is_available():
        raise CannotRun("it needs a CUDA device with 40 GB or more, and this machine has none.")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        # It never ends a text: all are of one length, whatever fresh weights write.
        write_model(folder, text=TEXT, vision=VISION, device="cuda", ends=False)
        speed = copied_per_second("cuda", num_bytes=COPIED_BYTES)
        figures = by_transformers(folder, device="cuda", dtype="bfloat16", bytes_per_second=speed)
        return [*figures, *by_vllm(folder)]


def by_transformers(
    folder: Path,
    *,
    device: str,
    dtype: str,
    bytes_per_second: float,
    batches: Sequence[int] = BATCHES,
    num_new_tokens: int = NUM_NEW_TOKENS,
    side_px: int = FILM_SIDE_PX,
    num_runs: int = NUM_RUNS,
) -> list[Figure]:
    """By the engine of the platform's workers, so many films in one micro-batch. Each token of a batch takes
    one read of the weights: what the device's memory could give at most is the peer of tokens."""
    import torch

    from inference.engines import EngineSettings
    from inference.engines.transformers_engine import TransformersEngine

    engine = TransformersEngine(
        EngineSettings(
            folder=folder,
            min_pixels=PRESET.min_pixels,
            max_pixels=PRESET.max_pixels,
            preparation=PRESET.preparation,
            device=device,
            dtype=dtype,
            micro_batch=max(batches),
            feature_bytes=0,
        )
    )
    model: Any = engine.family.model
    weight_bytes = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    how = f"transformers, {dtype}, attention {model.config._attn_implementation}"
    figures = []
    alone = 0.0
    for batch in batches:
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        seconds = _median_seconds(engine, batch, num_new_tokens, side_px, num_runs=num_runs)
        number, films = batch * num_runs, 60 * batch / seconds
        alone = alone or films
        what = f"{batch} films at once, {num_new_tokens} tokens each, {how}"
        limit = Peer("its weights read once a token of each", bytes_per_second / weight_bytes * batch)
        figures += [
            Figure(f"films: {what}", films, "per minute", Peer(f"{batches[0]} at once", alone), number),
            Figure(f"tokens: {what}", batch * num_new_tokens / seconds, "per second", limit, number),
        ]
        if device == "cuda":
            figures.append(_memory(what))
    return figures


def _memory(what: str) -> Figure:
    import torch

    halved = ", halved: it was full" if torch.cuda.memory_stats().get("num_ooms", 0) else ""
    whole = Peer("the device's", torch.cuda.get_device_properties(0).total_memory / 1024**3)
    return Figure(f"peak memory: {what}{halved}", torch.cuda.max_memory_allocated() / 1024**3, "GB", whole, 1)


def by_vllm(folder: Path) -> list[Figure]:
    """The same through a vLLM of its own, asked as the platform asks any model server."""
    if importlib.util.find_spec("vllm") is None:
        print("vLLM is not installed: it was not measured.", file=sys.stderr)
        return []
    figures = []
    alone = 0.0
    with _vllm(folder) as url:
        for batch in BATCHES:
            seconds = _median_seconds(
                asked_at(url, num_in_flight=batch), batch, NUM_NEW_TOKENS, FILM_SIDE_PX, num_runs=NUM_RUNS
            )
            number, films = batch * NUM_RUNS, 60 * batch / seconds
            alone = alone or films
            what = f"films: {batch} in flight, {NUM_NEW_TOKENS} tokens each, vLLM"
            figures.append(Figure(what, films, "per minute", Peer("1 in flight", alone), number))
    return figures


def asked_at(url: str, *, num_in_flight: int) -> Any:
    from inference.engines import EndpointSettings, load_engine

    return load_engine(
        EndpointSettings(
            url=url,
            served_model="fresh",
            min_pixels=PRESET.min_pixels,
            max_pixels=PRESET.max_pixels,
            preparation=PRESET.preparation,
            size_multiple=PRESET.size_multiple,
            num_in_flight=num_in_flight,
        )
    )


@contextmanager
def _vllm(folder: Path) -> Iterator[str]:
    from benchmarks.web import free_port
    from deepmedix_review.config.processes import await_ready, spawn, stop

    port, log = free_port(), folder.parent / "vllm.log"
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder)]
    command += ["--served-model-name", "fresh", "--dtype", "bfloat16", "--port", str(port)]
    command += ["--host", "127.0.0.1", "--max-model-len", "8192", "--max-num-seqs", str(max(BATCHES))]
    process = spawn(command, log=log, death_signal=signal.SIGTERM)
    try:
        await_ready(
            lambda: _answers(port),
            process=process,
            name="vLLM",
            log=log,
            deadline_seconds=VLLM_PATIENCE_SECONDS,
        )
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        stop(process, patience_seconds=30)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def copied_per_second(device: str, *, num_bytes: int, num_runs: int = 10) -> float:
    """Bytes that the device's memory reads and writes, by copies within it."""
    import torch

    source = torch.zeros(num_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    _settle(device)
    begin = time.perf_counter()
    for _ in range(num_runs):
        target.copy_(source)
    _settle(device)
    return 2 * num_bytes * num_runs / (time.perf_counter() - begin)


def _settle(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def _median_seconds(engine: Any, batch: int, num_new_tokens: int, side_px: int, *, num_runs: int) -> float:
    """For so many films that are asked at once, after one run that warms up. Raises CannotRun where one is
    not answered in full."""
    from inference.engines import Done, Failed, GenerationRequest

    requests = [
        GenerationRequest(
            key=str(seed),
            film=draw_phantom(seed=seed, width=side_px, height=side_px).to_uint8(),
            prompt=REPORT_QUERY,
            temperature=1.0,
            seed=seed,
            max_new_tokens=num_new_tokens,
        )
        for seed in range(batch)
    ]
    seconds = []
    for _ in range(num_runs + 1):
        begin = time.perf_counter()
        ended = [event for event in engine.generate(requests) if isinstance(event, Done | Failed)]
        seconds.append(time.perf_counter() - begin)
        for event in ended:
            if not isinstance(event, Done) or event.num_tokens < num_new_tokens:
                raise CannotRun(f"a film was not answered in full: {event}")
    return statistics.median(seconds[1:])
