"""What a bundle is made of, file by file, so that nothing in it changes unseen and its return is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

MANIFEST = "manifest.json"
FORMAT = 1
NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True)
class Manifest:
    """`parent` is the sha256 of the model that training begins from (`inference.engines.folder_sha256`);
    `files` are the sha256 of every other file by its path in the bundle; `left_out`
    says why how many cases stayed behind."""

    format: int
    parent: str
    reward: str
    num_train: int
    num_validation: int
    files: Mapping[str, str]
    left_out: Mapping[str, int] = field(default_factory=dict)


def seal(
    folder: Path,
    *,
    parent: str,
    reward: str,
    num_train: int,
    num_validation: int,
    left_out: Mapping[str, int] = NOTHING,
) -> str:
    """Write the manifest of all that lies in the folder. Returns the manifest's own sha256, which names the
    bundle."""
    manifest = Manifest(FORMAT, parent, reward, num_train, num_validation, _digests(folder), dict(left_out))
    path = folder / MANIFEST
    path.write_text(json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return sha256_of(path)


def read_manifest(path: Path) -> Manifest:
    """Raises ValueError for what is no manifest of a bundle."""
    try:
        values = json.loads(path.read_text("utf-8"))
        manifest = Manifest(**values)
    except FileNotFoundError as error:
        raise ValueError(
            f"There is no {MANIFEST} in {path.parent.name}. "
            "It says which bundle this is: launch.sh copies it."
        ) from error
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(f"The {MANIFEST} in {path.parent.name} is no manifest of a bundle.") from error
    if manifest.format != FORMAT or not isinstance(manifest.files, dict):
        raise ValueError(f"The {MANIFEST} in {path.parent.name} is of a format that is not known here.")
    return manifest


def require_whole(folder: Path) -> Manifest:
    """Raises ValueError, naming the files, where some changed, are missing, or are not of the bundle."""
    manifest = read_manifest(folder / MANIFEST)
    found = _digests(folder)
    wrong = sorted(name for name in {*found, *manifest.files} if found.get(name) != manifest.files.get(name))
    if wrong:
        raise ValueError(
            f"Of the bundle {len(wrong)} files are not as they were written: {', '.join(wrong[:5])}. "
            "Export it again."
        )
    return manifest


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digests(folder: Path) -> dict[str, str]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in paths
        if path != folder / MANIFEST and "__pycache__" not in path.parts
    }
