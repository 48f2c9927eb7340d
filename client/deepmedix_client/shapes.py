"""Objects of what the platform says as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

Shape = TypeVar("Shape")


def shaped(kind: type[Shape], said: Mapping[str, Any], **more: Any) -> Shape:
    """Of a dataclass: its fields by name. What a newer platform says beyond them is left."""
    told = {one.name: said[one.name] for one in fields(kind) if one.name in said}  # type: ignore[arg-type]
    return kind(**{**told, **more})


def moment(words: str | None) -> datetime | None:
    """ISO 8601 with its zone.

    >>> moment("2026-11-29T12:00:00Z").isoformat()
    '2026-11-29T12:00:00+00:00'
    """
    return datetime.fromisoformat(words.replace("Z", "+00:00")) if words else None
