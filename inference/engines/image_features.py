"""Keeps what a model's eye made of the films that it saw last, so that a further question on a film does not
have it looked at again."""

from __future__ import annotations

import copy
import hashlib
import inspect
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import torch


class RememberedFeatures:
    """Stands in for a model's `get_image_features`, the public way in which every family here makes its
    pictures' features. The same prepared pictures, together in the same batch, are made once: what is
    remembered is what the model made, so texts are the same with it and without.

    Of at most `most_bytes`; what was wanted longest ago goes first.
    """

    def __init__(self, model: Any, *, most_bytes: int) -> None:
        self._make = model.get_image_features
        # generate() passes on what it sees named here.
        self.__signature__ = inspect.signature(self._make)
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()
        self.num_bytes = 0
        self.num_made = self.num_remembered = 0
        # The forward pass looks it up on its own object.
        model.get_image_features = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        key = _key(args, kwargs)
        if key in self._kept:
            self._kept.move_to_end(key)
            self.num_remembered += 1
        else:
            made = self._make(*args, **kwargs)
            self.num_made += 1
            size = sum(tensor.nbytes for tensor in _tensors(made))
            if size > self._most_bytes:
                return made
            self._kept[key] = made, size
            self.num_bytes += size
            while self.num_bytes > self._most_bytes:
                _, (_, gone) = self._kept.popitem(last=False)
                self.num_bytes -= gone
        # Whoever takes it may put other tensors into its fields.
        return copy.copy(self._kept[key][0])

    def forget(self) -> None:
        """Where memory is short."""
        self._kept.clear()
        self.num_bytes = 0


def _key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """Of pixels, sizes and every other argument."""
    found = hashlib.blake2b(digest_size=32)
    for name, value in [*enumerate(args), *sorted(kwargs.items())]:
        found.update(f"{name}:".encode())
        if isinstance(value, torch.Tensor):
            found.update(f"{tuple(value.shape)} {value.dtype}".encode())
            found.update(value.detach().contiguous().flatten().view(torch.uint8).cpu().numpy().tobytes())
        else:
            found.update(repr(value).encode())
    return found.digest()


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _tensors(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _tensors(one)
