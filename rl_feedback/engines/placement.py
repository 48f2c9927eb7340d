"""Where a run learns and with how many workers; what can't work is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from rl_feedback.training.recipe import Recipe

LOCAL, RAY = "local", "ray"
ENGINES = (LOCAL, RAY)
# What of the weights each worker holds: all of them, or its part of them.
SHARDINGS = ("none", "fsdp", "zero2", "zero3")
MOST_WORKERS = 1024
MOST_RETRIES = 20


@dataclass(frozen=True)
class Placement:
    """`num_workers` processes learn together, each with `gpus_per_worker` GPUs (none: processors alone).

    `max_retries` is how often a job, or a worker of it, that died is begun again from its last checkpoint.
    Raises ValueError, naming the field, for what can't work.
    """

    engine: str = LOCAL
    num_workers: int = 1
    gpus_per_worker: int = 0
    sharding: str = "none"
    max_retries: int = 2

    def __post_init__(self) -> None:
        self._require(self.engine in ENGINES, "engine", f"one of {', '.join(ENGINES)}")
        self._require_whole("num_workers", least=1, most=MOST_WORKERS)
        # More than one would be for models that no single GPU holds: sharding does that.
        self._require_whole("gpus_per_worker", least=0, most=1)
        self._require(self.sharding in SHARDINGS, "sharding", f"one of {', '.join(SHARDINGS)}")
        self._require_whole("max_retries", least=0, most=MOST_RETRIES)
        if self.is_sharded and (self.num_workers < 2 or not self.gpus_per_worker):
            raise ValueError(
                f"sharding {self.sharding} deals the weights to several GPUs: it needs num_workers of 2 or "
                "more and gpus_per_worker of 1. Choose sharding none for one GPU or for processors."
            )

    @property
    def is_sharded(self) -> bool:
        return self.sharding != "none"

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """
        >>> Placement.from_json({"engine": "ray", "num_workers": 2}).max_retries
        2
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"There is no choice {', '.join(unknown)}; they are {', '.join(sorted(known))}.")
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def require_divisible(self, recipe: Recipe) -> None:
        """Raises ValueError, naming stage and setting, where the examples of a step can't be dealt evenly."""
        for number, stage in enumerate(recipe.stages, 1):
            for name in ("examples_per_step", "replay_per_step"):
                if getattr(stage, name) % self.num_workers:
                    raise ValueError(
                        f"Stage {number}: {name} is {getattr(stage, name)}, which {self.num_workers} workers "
                        "can't share evenly. Choose a multiple of the workers, or fewer workers."
                    )
            if self.is_sharded and stage.sample_every:
                raise ValueError(
                    f"Stage {number}: no worker holds all weights under sharding {self.sharding}, so none "
                    "can write samples. Set sample_every to 0."
                )

    def _require(self, holds: bool, name: str, what: str) -> None:
        if not holds:
            raise ValueError(f"{name} must be {what}.")

    def _require_whole(self, name: str, *, least: int, most: int) -> None:
        value = getattr(self, name)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        self._require(is_whole and least <= value <= most, name, f"a whole number from {least} to {most}")
