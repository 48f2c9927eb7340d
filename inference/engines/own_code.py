"""What a model folder brings of code of its own, which runs only where somebody has allowed it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.engines.requests import EngineError

# Where transformers looks for the class that a folder's own code defines.
MODEL_CLASSES = ("AutoModelForImageTextToText", "AutoModelForCausalLM", "AutoModel")


@dataclass(frozen=True)
class CodeFile:
    """One file of Python in a model folder."""

    name: str
    num_bytes: int
    sha256: str


def code_files(folder: Path) -> list[CodeFile]:
    """By name. Those below subfolders are no part of the model: they are neither kept nor run."""
    return [
        CodeFile(path.name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.glob("*.py"))
    ]


def own_classes(folder: Path) -> dict[str, str]:
    """What transformers' auto classes are in this folder's code, from its config.json. Raises EngineError,
    naming the file, where its settings name none, or code that does not lie in the folder."""
    for path in sorted(folder.glob("*config*.json")):
        for named in _named_in(_read(path)):
            module, _, name = named.rpartition(".")
            # "owner/repository--module.Class" would be fetched from elsewhere: nobody has read that.
            if (
                not module.isidentifier()
                or not name.isidentifier()
                or not (folder / f"{module}.py").is_file()
            ):
                raise EngineError(
                    f"{path.name} names code that does not lie in the folder: {named[:200]}. Put the file "
                    "there and name it as module.Class."
                )
    config = folder / "config.json"
    classes = _read(config).get("auto_map") if config.is_file() else None
    if not isinstance(classes, dict) or not any(name in classes for name in MODEL_CLASSES):
        raise EngineError(
            "The folder brings no code of its own: its config.json names no model class in auto_map. Get "
            "the .py files and config.json from where the model came from, or choose a preset whose class is "
            "read here."
        )
    return {name: str(named) for name, named in classes.items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"{path.name} can't be read: {error}") from error
    return told if isinstance(told, dict) else {}


def _named_in(told: Any) -> Iterator[str]:
    """Every class that an auto_map names, wherever it stands; tokenizers name two, of which one may be
    null."""
    if isinstance(told, list):
        for one in told:
            yield from _named_in(one)
    elif isinstance(told, dict):
        for name, value in told.items():
            if name == "auto_map" and isinstance(value, dict):
                for named in value.values():
                    yield from (str(one) for one in (named if isinstance(named, list) else [named]) if one)
            else:
                yield from _named_in(value)
