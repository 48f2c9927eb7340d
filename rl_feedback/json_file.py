"""Reads a JSON file that a person named on the shell, and says which one where it is none."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_object(path: Path) -> Mapping[str, Any]:
    """Raises ValueError, naming the file, where it holds something else than one JSON object."""
    try:
        values = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON file: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold one JSON object.")
    return values
