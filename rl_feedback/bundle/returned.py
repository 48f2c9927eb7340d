"""Takes a model back that was trained on a bundle: of its parent's shape, every number finite."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.engines.folders import model_files
from rl_feedback.bundle.manifest import MANIFEST, Manifest, read_manifest, sha256_of

METRICS = "metrics.json"
CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
# Older and newer transformers name the same weights so; both are read.
_NAMES = (("model.visual.", "visual."), ("model.language_model.", "model."))


@dataclass(frozen=True)
class Returned:
    """What a returned folder says of itself; `bundle` is the sha256 of the bundle's manifest."""

    bundle: str
    manifest: Manifest
    num_steps: int
    metrics: Mapping[str, Any]


def read_returned(folder: Path) -> Returned:
    """Raises ValueError, naming what is missing, for what launch.sh did not leave."""
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder.name}.")
    manifest = read_manifest(folder / MANIFEST)
    _require_model(folder)
    metrics = _json(folder / METRICS)
    num_steps = metrics.get("last_global_step")
    if isinstance(num_steps, bool) or not isinstance(num_steps, int) or num_steps < 1:
        raise ValueError(f"{METRICS} does not say in last_global_step how many steps were trained.")
    return Returned(sha256_of(folder / MANIFEST), manifest, num_steps, metrics)


def adopt_returned(folder: Path, *, parent: Path, out: Path) -> None:
    """Write the returned weights with everything else of the parent, its words, its view of films and its
    config, to a new folder, whole or not at all.

    Raises ValueError where the weights are not of the parent's shape or hold what is no number.
    """
    ours, theirs = _shapes(parent), _shapes(folder)
    if _is_tied(parent):
        ours.pop("lm_head.weight", None)
        theirs.pop("lm_head.weight", None)
    wrong = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    if wrong:
        raise ValueError(
            f"It is of another shape than its parent: {len(wrong)} weights differ, {wrong[0]} for one. "
            "Train from the model that the bundle names."
        )
    for name, tensor in _tensors(folder):
        if not bool(tensor.isfinite().all()):
            raise ValueError(f"The weight {name} holds what is no number. Take an earlier checkpoint back.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".returned-") as scratch:
        whole = Path(scratch) / "model"
        whole.mkdir()
        for path in model_files(parent):
            if path.suffix != ".safetensors" and path.name != INDEX:
                shutil.copyfile(path, whole / path.name)
        for path in (*_weights(folder), *folder.glob(INDEX)):
            shutil.copyfile(path, whole / path.name)
        whole.rename(out)


def _require_model(folder: Path) -> None:
    linked = sorted(path.name for path in folder.iterdir() if path.is_symlink())
    if linked:
        raise ValueError(f"{linked[0]} is a link. Copy the files themselves.")
    if _json(folder / CONFIG).get("model_type") != "qwen2_5_vl":
        raise ValueError(f"Its {CONFIG} is not of a Qwen2.5-VL. Take the merged Hugging Face folder back.")
    if not _weights(folder):
        raise ValueError("It has no .safetensors file. Merge the checkpoint first, as launch.sh does.")
    if (folder / INDEX).is_file():
        named = set(_json(folder / INDEX).get("weight_map", {}).values())
        missing = sorted(named - {path.name for path in _weights(folder)})
        if missing:
            raise ValueError(f"{len(missing)} files of its weights are missing: {missing[0]}. Copy it again.")


def _weights(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _json(path: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is missing. Copy the whole folder that launch.sh left.") from error
    except ValueError as error:
        raise ValueError(f"{path.name} can't be read. Copy it again.") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path.name} can't be read. Copy it again.")
    return values


def _is_tied(parent: Path) -> bool:
    config = _json(parent / CONFIG)
    return bool(config.get("tie_word_embeddings") or config.get("text_config", {}).get("tie_word_embeddings"))


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    return {name: tuple(opened.get_slice(written).get_shape()) for name, written, opened in _opened(folder)}


def _tensors(folder: Path) -> Iterator[tuple[str, Any]]:
    for name, written, opened in _opened(folder):
        yield name, opened.get_tensor(written)


def _opened(folder: Path) -> Iterator[tuple[str, str, Any]]:
    """Each weight's plain name, its name as written, and the file that holds it."""
    # torch takes seconds: whoever only exports does not pay for it.
    from safetensors import SafetensorError, safe_open

    for path in _weights(folder):
        try:
            with safe_open(path, framework="pt") as opened:
                for written in opened.keys():  # noqa: SIM118
                    yield _plain(written), written, opened
        except SafetensorError as error:
            raise ValueError(f"{path.name} is damaged. Copy it again.") from error


def _plain(name: str) -> str:
    """
    >>> _plain("model.language_model.norm.weight"), _plain("model.norm.weight")
    ('model.norm.weight', 'model.norm.weight')
    """
    for new, old in _NAMES:
        if name.startswith(new):
            return old + name.removeprefix(new)
    return name
