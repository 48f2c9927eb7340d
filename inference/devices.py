"""Chooses where a model computes by what this machine has, and spreads one that is larger than a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from inference.engines.requests import EngineError
from inference.spreading import HOLDING_ONLY, device_map

# For whole-number sizes of weights on a device, as in cuda:0=40GiB.
SIZES = {"KB": 10**3, "KIB": 2**10, "MB": 10**6, "GB": 10**9, "MIB": 2**20, "GIB": 2**30}
# Of a device's free memory, where no size is said: the rest is for what grows with each token.
SHARE_FOR_WEIGHTS = 0.9
# How torch says of Apple's accelerators and of processors that there is no memory left.
_MEMORY_FULL = ("MPS backend out of memory", "can't allocate memory")


@dataclass(frozen=True)
class Hardware:
    """What this process may compute on; without GPUs that it can't see (CUDA_VISIBLE_DEVICES)."""

    num_cuda: int = 0
    cuda_has_bfloat16: bool = False
    has_mps: bool = False
    mps_has_bfloat16: bool = False


@dataclass(frozen=True)
class Placement:
    """`device`: where the questions go, and the weights too, unless these are spread: `most_bytes` says then
    of each device how much of the weights it takes at most."""

    device: str
    dtype: str
    most_bytes: Mapping[str, int] = field(default_factory=dict)

    def load(self, model_class: Any, folder: Path | str, **options: Any) -> Any:
        """The model of this folder in its place, in evaluation mode. Raises EngineError where it is spread
        over devices that are too small for it."""
        options["dtype"] = getattr(torch, self.dtype)
        if not self.most_bytes:
            return model_class.from_pretrained(folder, **options).to(device=self.device).eval()
        places = device_map(model_class, folder, most_bytes=self.most_bytes, first=self.device, **options)
        return model_class.from_pretrained(folder, device_map=places, **options).eval()


def hardware() -> Hardware:
    """What torch finds here."""
    num_cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    has_mps = torch.backends.mps.is_available()
    return Hardware(
        num_cuda=num_cuda,
        cuda_has_bfloat16=num_cuda > 0 and torch.cuda.is_bf16_supported(including_emulation=False),
        has_mps=has_mps,
        mps_has_bfloat16=has_mps and _makes_bfloat16("mps"),
    )


def place(device: str, dtype: str = "auto", *, there: Hardware | None = None) -> Placement:
    """Where a model goes that is asked for as `EngineSettings` says. Raises EngineError, naming what there
    is, for a device that is not.

    >>> place("auto", there=Hardware(num_cuda=2, cuda_has_bfloat16=True, has_mps=True))
    Placement(device='cuda', dtype='bfloat16', most_bytes={})
    >>> place("cuda:0=20GiB,cuda:1=30GiB", there=Hardware(num_cuda=2)).most_bytes
    {'cuda:0': 21474836480, 'cuda:1': 32212254720}
    """
    there = hardware() if there is None else there
    wanted = [one.strip().lower() for one in device.split(",") if one.strip()]
    if wanted == ["auto"]:
        wanted = ["cuda" if there.num_cuda else "mps" if there.has_mps else "cpu"]
    if wanted == ["spread"]:
        if not there.num_cuda:
            raise EngineError(f"A model is spread over CUDA devices. {_what_is_there(there)}")
        wanted = [f"cuda:{number}" for number in range(there.num_cuda)]
        if len(wanted) == 1:
            wanted = ["cuda"]
    sizes = [_named(one, there) for one in wanted]
    if not sizes or len({name for name, _ in sizes}) < len(sizes):
        raise EngineError(f"{device!r} names no device, or one twice. {_what_is_there(there)}")
    is_spread = len(sizes) > 1 or sizes[0][1] is not None
    if "disk" in wanted[0] or (is_spread and any(name in ("cuda", "mps") for name, _ in sizes)):
        raise EngineError(
            f"A model can't be spread so: {device}. List devices by number, and at the end cpu and disk, as "
            "in cuda:0,cuda:1,cpu."
        )
    first = next((name for name, _ in sizes if name not in HOLDING_ONLY), "cpu")
    return Placement(
        device=first,
        dtype=_fitting(first, there) if dtype == "auto" else _known(dtype),
        most_bytes=_most_bytes(sizes) if is_spread else {},
    )


def is_memory_full(error: BaseException) -> bool:
    """Whether a device had no memory left; Apple's and processors say so by a plain RuntimeError."""
    is_named = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return is_named or any(words in str(error) for words in _MEMORY_FULL)


def free_memory() -> None:
    """Give back what torch keeps for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _named(said: str, there: Hardware) -> tuple[str, int | None]:
    """A device and its size, as in cuda:0=40GiB."""
    name, equals, size = said.partition("=")
    is_there = {
        "cpu": True,
        "disk": True,
        "mps": there.has_mps,
        "cuda": there.num_cuda > 0,
        **{f"cuda:{number}": True for number in range(there.num_cuda)},
    }
    if not is_there.get(name, False):
        raise EngineError(f"There is no device {name!r} for this process. {_what_is_there(there)}")
    return name, _bytes(size) if equals else None


def _bytes(size: str) -> int:
    unit = next((unit for unit in SIZES if size.upper().endswith(unit)), "")
    number = size[: -len(unit)].strip() if unit else ""
    if not number.isascii() or not number.isdigit() or not int(number):
        raise EngineError(f"{size!r} is no size. Write a whole number with its unit, as in 40GiB or 500MB.")
    return int(number) * SIZES[unit]


def _most_bytes(sizes: list[tuple[str, int | None]]) -> dict[str, int]:
    from accelerate.utils import get_max_memory

    free: Mapping[int | str, int] = get_max_memory() if any(size is None for _, size in sizes) else {}
    said = {}
    for name, size in sizes:
        # By accelerate's names. On the disk is room for any model: its weights stay where they are.
        key: int | str = int(name.removeprefix("cuda:")) if name.startswith("cuda:") else name
        said[name] = size or (2**60 if name == "disk" else int(free.get(key, 0) * SHARE_FOR_WEIGHTS))
    return said


def _fitting(device: str, there: Hardware) -> str:
    """bfloat16 where the accelerator computes in it, as these models are trained in, else half precision."""
    if device == "cpu":
        return "float32"
    has_bfloat16 = there.mps_has_bfloat16 if device == "mps" else there.cuda_has_bfloat16
    return "bfloat16" if has_bfloat16 else "float16"


def _known(dtype: str) -> str:
    if dtype not in ("float32", "bfloat16", "float16"):
        raise EngineError(f"{dtype!r} is no precision. Choose auto, float32, bfloat16 or float16.")
    return dtype


def _makes_bfloat16(device: str) -> bool:
    try:
        torch.zeros(1, dtype=torch.bfloat16, device=device)
    except (TypeError, RuntimeError):  # before macOS 14
        return False
    return True


def _what_is_there(there: Hardware) -> str:
    names = [f"cuda:{number}" for number in range(there.num_cuda)]
    names += ["mps"] if there.has_mps else []
    return f"It sees {', '.join([*names, 'cpu'])}; auto takes the first of them."
