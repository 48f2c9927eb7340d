"""Keeps readings as JSON lines, one reading a line, so that they can be learned from without the platform."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from inference.regions import Box
from rl_feedback.readings import SignedReading


def write_readings(path: Path, readings: Iterable[SignedReading]) -> None:
    """One line a reading, its fields as those of `rl_feedback.readings.SignedReading`; boxes are lists."""
    lines = (json.dumps(dataclasses.asdict(reading), sort_keys=True) + "\n" for reading in readings)
    path.write_text("".join(lines), encoding="utf-8")


def read_readings(path: Path) -> tuple[SignedReading, ...]:
    """The readings of a file. A field that is left out has its default. Raises ValueError, naming the line
    and the field, for what is no reading."""
    readings = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            readings.append(_made(SignedReading, json.loads(line), "the reading"))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}, is no reading: {error}") from error
    return tuple(readings)


def _made(kind: Any, value: Any, where: str) -> Any:
    """The value as this type. Raises ValueError that says where it is not."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        # Of all unions a field has one with None alone.
        (other,) = (one for one in inside if one is not type(None))
        return None if value is None else _made(other, value, where)
    if origin is Literal:
        if value not in inside:
            raise ValueError(f"{where} is one of {', '.join(map(str, inside))}, not {value!r}.")
        return value
    if kind is Box:
        return Box(*_made(tuple[float, float, float, float], value, where))
    if origin is tuple:
        return _made_tuple(inside, value, where)
    if dataclasses.is_dataclass(kind):
        return _made_object(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{where} must be of type {kind.__name__}; it is {value!r}.")
    return value


def _made_tuple(inside: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where} must be a list; it is {value!r}.")
    if len(inside) == 2 and inside[1] is Ellipsis:
        return tuple(_made(inside[0], one, f"{where}, entry {n}") for n, one in enumerate(value, 1))
    if len(value) != len(inside):
        raise ValueError(f"{where} must have {len(inside)} entries; it has {len(value)}.")
    return tuple(_made(kind, one, where) for kind, one in zip(inside, value, strict=True))


def _made_object(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be an object; it is {value!r}.")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(value) - set(fields))
    if unknown:
        raise ValueError(f"{where} has no field {unknown[0]}; its fields are {', '.join(fields)}.")
    missing = [
        name
        for name, field in fields.items()
        if name not in value
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ValueError(f"{where} lacks {missing[0]}.")
    hints = get_type_hints(kind)
    return kind(**{name: _made(hints[name], one, name) for name, one in value.items()})
