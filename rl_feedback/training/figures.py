"""What a run tells of each step that it has done, and now and then of what the model writes."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StepFigures:
    """One step of a stage, or of a whole recipe. `values` by name: loss always, others by the stage.

    `stage` is the place of the step's stage in its recipe, from 0; `seconds` is the step's own time,
    `memory_mb` the process's peak so far.
    """

    step: int
    num_steps: int
    values: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    memory_mb: float = 0.0
    stage: int = 0


@dataclass(frozen=True)
class TakenSample:
    """What the model wrote of a film after `step` steps: of a film that it does not learn from (`held_out`),
    or of one that it attempts, the group's `best` and `worst` with the reward and its parts.

    `model_size` is the width and height of the image that the model saw, in which it writes regions.
    """

    step: int
    kind: str
    film: str
    prompt: str
    text: str
    model_size: tuple[int, int]
    reward: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    stage: int = 0


def peak_memory_mb() -> float:
    """Of this process; the system counts in kB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def device_memory_mb() -> dict[str, float]:
    """The peak on the accelerator by its figure's name, nothing where there is none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {}
    return {"device_memory_mb": torch.cuda.max_memory_allocated() / 1024**2}
