"""Names a model by what is in its folder, so that no other can pass for it."""

import hashlib
from pathlib import Path

from inference.engines.requests import EngineError

# What decides what a model writes; cards and read-me files may change without making it another model.
MODEL_SUFFIXES = frozenset({".safetensors", ".json", ".txt", ".jinja", ".model", ".py"})
NO_PART_OF_THE_MODEL = frozenset({"card.json", "README.txt", "LICENSE.txt"})


def model_files(folder: Path) -> list[Path]:
    """The files that make the model, by name. Raises EngineError where there are none."""
    named = [path for path in folder.glob("*") if path.suffix in MODEL_SUFFIXES]
    files = sorted(path for path in named if path.name not in NO_PART_OF_THE_MODEL)
    if not any(path.suffix == ".safetensors" for path in files):
        raise EngineError(f"There is no model in {folder}: it has no .safetensors file.")
    return files


def folder_sha256(folder: Path) -> str:
    """sha256 over names, sizes and contents of a model's files. Raises EngineError where there are none."""
    total = hashlib.sha256()
    for path in model_files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.name}\0{path.stat().st_size}\0{content}\n".encode())
    return total.hexdigest()
