"""Several processes that learn one model together: each shows its share of a step's examples, one tells and
writes.

Ray and accelerate say to each process by RANK and WORLD_SIZE which one it is; alone it is the first of one.
"""

from __future__ import annotations

import os
from typing import Any


def rank() -> int:
    return int(os.environ.get("RANK", "0"))


def num_processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process tells of steps and writes what all of them learned."""
    return rank() == 0


def is_sharded() -> bool:
    """Whether no process holds all weights (FSDP, ZeRO)."""
    asked = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
    return any(os.environ.get(name, "false").lower() == "true" for name in asked)


def on_processors() -> bool:
    """Whether several processes learn without any GPU, which accelerate must be told."""
    # torch takes seconds: who learns alone does not pay for the question.
    if num_processes() == 1:
        return False
    import torch

    return not torch.cuda.is_available()


def wait_for_all() -> None:
    """Returns once every process is here."""
    if num_processes() == 1:
        return
    from accelerate import PartialState

    PartialState(cpu=on_processors()).wait_for_everyone()


def mean_of_all(value: Any) -> float:
    """Of a tensor that every process has, over all of them."""
    if num_processes() == 1:
        return float(value)
    from accelerate.utils import reduce

    return float(reduce(value.clone(), reduction="mean"))


def share_of(number: int, name: str) -> int:
    """Of so many examples in a step those of one process. Raises ValueError where they can't be shared."""
    if number % num_processes():
        raise ValueError(
            f"{name} must be a multiple of the {num_processes()} workers that learn together, not {number}."
        )
    return number // num_processes()
