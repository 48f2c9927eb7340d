"""Runs a model on films: an engine takes questions and gives back text, token by token.

>>> from pathlib import Path
>>> settings = EngineSettings(folder=Path("models/v1"), min_pixels=12544, max_pixels=12544)
>>> settings.preparation
<Preparation.ASPECT: 'aspect'>
"""

from inference.engines.checkpoints import DamagedModel, require_sound, require_weights
from inference.engines.folders import folder_sha256
from inference.engines.health import CannotGenerate, require_generates
from inference.engines.requests import (
    MOST_TOLD_TOKENS,
    AnySettings,
    Done,
    EndpointSettings,
    Engine,
    EngineError,
    EngineSettings,
    Event,
    Failed,
    GenerationRequest,
    IsWanted,
    ReplaySettings,
    ServingEngine,
    Shape,
    SoFar,
    Stopped,
    Token,
    every_one,
)

__all__ = [
    "MOST_TOLD_TOKENS",
    "AnySettings",
    "CannotGenerate",
    "DamagedModel",
    "Done",
    "EndpointSettings",
    "Engine",
    "EngineError",
    "EngineSettings",
    "Event",
    "Failed",
    "GenerationRequest",
    "IsWanted",
    "ReplaySettings",
    "ServingEngine",
    "Shape",
    "SoFar",
    "Stopped",
    "Token",
    "every_one",
    "folder_sha256",
    "load_engine",
    "require_generates",
    "require_sound",
    "require_weights",
]


def load_engine(settings: AnySettings) -> ServingEngine:
    """Read a model into memory, have another server's asked, or replay what one wrote. Raises EngineError
    where the folder holds no model or another than named, where films may not be sent to that address, or
    where the recorded file can't be read."""
    if isinstance(settings, EndpointSettings):
        from inference.engines.endpoint_engine import EndpointEngine

        return EndpointEngine(settings)
    if isinstance(settings, ReplaySettings):
        from inference.engines.replay_engine import ReplayEngine

        return ReplayEngine(settings)
    if settings.runs_own_code and not settings.sha256:
        raise EngineError("Code of a folder's own runs only where the sha256 of what was read is named.")
    if settings.sha256 and folder_sha256(settings.folder) != settings.sha256:
        raise EngineError(
            f"The files in {settings.folder} are not those that were registered. "
            "Restore them, or register the folder as a new version."
        )
    # torch takes seconds and 200 MB: only who runs a model pays for it.
    from inference.engines.transformers_engine import TransformersEngine

    return TransformersEngine(settings)
