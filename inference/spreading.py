"""Spreads the weights of a model that is larger than one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig

from inference.engines.requests import EngineError

# Weights that lie here are brought to where the questions go when their turn comes.
HOLDING_ONLY = ("cpu", "disk")


def device_map(
    model_class: Any, folder: Path | str, *, most_bytes: Mapping[str, int], first: str, **options: Any
) -> dict[str, str]:
    """Which part goes where, by its name; `most_bytes` of weights on each device. `options` are those of
    from_pretrained.

    What sees and what picks the words stays whole on the first device, where the questions go: parts of it
    are used past the hooks by which weights are brought to where they are needed. The layers between are
    spread. Raises EngineError where the devices are too small.
    """
    model = _without_weights(model_class, folder, **options)
    layers = model.get_decoder().layers
    [path] = [name for name, module in model.named_modules() if module is layers]
    sizes = [sum(weight.nbytes for weight in layer.parameters()) for layer in layers]
    beside = sum(weight.nbytes for weight in model.parameters()) - sum(sizes)
    places = spread_layers(sizes, beside=beside, most_bytes=most_bytes, first=first)
    spread = {f"{path}.{number}": place for number, place in enumerate(places)}
    return {**dict.fromkeys(_parts_beside(model, path), first), **spread}


def spread_layers(
    sizes: Sequence[int], *, beside: int, most_bytes: Mapping[str, int], first: str
) -> list[str]:
    """The device of each layer, in the order of the devices, evenly over those that compute. `beside`: bytes
    of what is no layer, which the first device holds too. Raises EngineError where they are too small.

    >>> spread_layers([4, 4, 4, 4], beside=3, most_bytes={"cuda:0": 99, "cuda:1": 99}, first="cuda:0")
    ['cuda:0', 'cuda:0', 'cuda:1', 'cuda:1']
    >>> spread_layers([4, 4, 4], beside=3, most_bytes={"cuda:0": 12, "disk": 99}, first="cuda:0")
    ['cuda:0', 'disk', 'disk']
    """
    computing = [name for name in most_bytes if name == first or name not in HOLDING_ONLY]
    # Evenly, so that each keeps room for what grows with every token.
    share = (beside + sum(sizes)) / len(computing) + max(sizes) / 2
    evenly = {name: min(most, share) if name in computing else 0 for name, most in most_bytes.items()}
    # One layer at a time is brought from where it waits.
    waiting = {**most_bytes, first: most_bytes[first] - max(sizes)}
    for room in (evenly, {name: most_bytes[name] for name in computing}, waiting):
        if (places := _filled(sizes, {**room, first: room[first] - beside})) is not None:
            return places
    said = ", ".join(f"{name} {most / 1e9:.3g} GB" for name, most in most_bytes.items())
    raise EngineError(
        f"The model's weights, {(beside + sum(sizes)) / 1e9:.3g} GB, are more than the devices may hold: "
        f"{said}. Name more devices or larger sizes; with cpu and disk at the list's end the rest waits "
        "there, which is slow."
    )


def _filled(sizes: Sequence[int], room: Mapping[str, float]) -> list[str] | None:
    """Layers in order, device by device; None where they don't fit."""
    if min(room.values()) < 0:
        return None
    devices, places = list(room.items()), []
    name, left = devices.pop(0)
    for size in sizes:
        while left < size:
            if not devices:
                return None
            name, left = devices.pop(0)
        left -= size
        places.append(name)
    return places


def _without_weights(model_class: Any, folder: Path | str, *, dtype: torch.dtype, **options: Any) -> Any:
    from accelerate import init_empty_weights

    config = AutoConfig.from_pretrained(folder, **options)
    # Classes that find the right one have the public name.
    build = getattr(model_class, "from_config", None) or model_class._from_config
    with init_empty_weights():
        model = build(config, dtype=dtype, **options)
    # What picks the words may be the very weights that read them.
    model.tie_weights()
    return model


def _parts_beside(model: Any, path: str) -> list[str]:
    """Names of parts, as large as can be, that together hold all that is not at `path`."""
    parts, module, at = [], model, ""
    for step in path.split("."):
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        parts += [f"{at}{name}" for name, _ in (*own, *module.named_children()) if name != step]
        module, at = getattr(module, step), f"{at}{step}."
    return parts
