"""Looks whether a model is whole before anything is asked of it: all files there, every weight a number."""

import json
from pathlib import Path

from inference.engines.folders import folder_sha256, model_files
from inference.engines.requests import EngineError


class DamagedModel(EngineError):
    """The files are no sound model: no retry will make them one."""


def require_sound(folder: Path, *, sha256: str = "") -> None:
    """Raises DamagedModel, naming the file, where one is missing, unreadable, other than it was registered
    (`sha256`, see `folder_sha256`), or holds a weight that is no finite number. 16 GB take a minute."""
    try:
        found = folder_sha256(folder)
    except EngineError as error:
        raise DamagedModel(f"Its checkpoint is damaged: {error}") from error
    if sha256 and found != sha256:
        raise DamagedModel(
            "Its checkpoint is damaged: the files are not those that were registered. Restore them, or train "
            "again."
        )
    for path in _weight_files(folder):
        _require_finite(path)


def require_weights(folder: Path) -> None:
    """Raises EngineError, naming the file, for a folder that holds no whole model. Reads the headers of its
    weights alone: each tells how long its file has to be."""
    model_files(folder)
    _weight_files(folder)
    for path in sorted(folder.glob("*.safetensors")):
        _require_header(path)


def _weight_files(folder: Path) -> list[Path]:
    if not (folder / "config.json").is_file():
        raise DamagedModel("Its checkpoint is damaged: config.json is missing.")
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return sorted(folder.glob("*.safetensors"))
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError) as error:
        raise DamagedModel(f"Its checkpoint is damaged: {index.name} can't be read.") from error
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DamagedModel(f"Its checkpoint is damaged: {', '.join(missing)} is missing.")
    return [folder / name for name in names]


def _require_header(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as weights:
            num_weights = len(weights.keys())
    except (SafetensorError, OSError) as error:
        raise DamagedModel(
            f"Its checkpoint is damaged: {path.name} is no whole file of weights. Copy it again."
        ) from error
    if not num_weights:
        raise DamagedModel(f"Its checkpoint is damaged: {path.name} holds no weights.")


def _require_finite(path: Path) -> None:
    # torch reads bfloat16, which NumPy lacks; only who runs a model pays for loading it.
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 (it is no dictionary)
                tensor = weights.get_tensor(name)
                if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                    raise DamagedModel(f"Its checkpoint is damaged: {name} in {path.name} holds no numbers.")
    except (SafetensorError, OSError) as error:
        raise DamagedModel(f"Its checkpoint is damaged: {path.name} can't be read ({error}).") from error
