"""Whether a model in memory can write at all: it is asked for two tokens before it is trusted."""

import numpy as np

from inference.engines.requests import Done, EngineError, Failed, GenerationRequest, ServingEngine

NUM_TOKENS = 2
SIDE_PX = 64


class CannotGenerate(EngineError):
    """The model is in memory, and writes nothing: its numbers are broken, or its accelerator is."""


def require_generates(engine: ServingEngine, *, deadline_seconds: float | None = None) -> None:
    """Ask about one grey film. Raises CannotGenerate with what stood in the way."""
    grey = GenerationRequest(
        key="health",
        film=np.full((SIDE_PX, SIDE_PX), 128, np.uint8),
        prompt="Describe this image.",
        # Chance shows broken numbers, which the likeliest token hides.
        temperature=1.0,
        seed=1,
        max_new_tokens=NUM_TOKENS,
        deadline_seconds=deadline_seconds,
    )
    try:
        last = list(engine.generate([grey]))[-1:]
    except Exception as error:  # what broken numbers and accelerators raise has no common kind
        raise CannotGenerate(f"Asked for {NUM_TOKENS} tokens, it stopped with: {error}") from error
    match last:
        case [Done()]:
            return
        case [Failed(reason=reason)]:
            raise CannotGenerate(f"Asked for {NUM_TOKENS} tokens, it said: {reason}")
        case _:
            raise CannotGenerate(f"Asked for {NUM_TOKENS} tokens, it wrote nothing.")
