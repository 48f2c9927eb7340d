"""Reads a data set's croissant.json with mlcroissant, as a program that knows nothing of us would."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlcroissant
from PIL import Image


def validated(folder: Path) -> mlcroissant.Dataset:
    """Without an error and without a warning."""
    dataset = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    issues = dataset.metadata.ctx.issues
    assert (issues.errors, issues.warnings) == (set(), set())
    return dataset


def records_of(dataset: mlcroissant.Dataset, record_set: str) -> list[dict[str, Any]]:
    """By the names of columns; texts as texts, pictures as their size and pixels."""
    return [_plain(record, f"{record_set}/") for record in dataset.records(record_set)]


def _plain(value: Any, prefix: str) -> Any:
    match value:
        case Mapping():
            return {key.removeprefix(prefix): _plain(one, f"{key}/") for key, one in value.items()}
        case list():
            return [_plain(one, prefix) for one in value]
        case bytes():
            return value.decode()
        case Image.Image():
            return value.size, value.tobytes()
        case _:
            return value
