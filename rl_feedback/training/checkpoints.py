"""Finds where an interrupted training run may go on: the newest checkpoint whose files are whole."""

from __future__ import annotations

import hashlib
import json
from itertools import takewhile
from pathlib import Path

# Written last, so a checkpoint whose saving was cut short has none.
MANIFEST = "complete.json"


class CheckpointFailed(OSError):
    """A checkpoint could not be written; the message says what to do."""


def seal_checkpoint(folder: Path) -> None:
    """Record every file's sha256; from then on the checkpoint counts as whole while they match."""
    part = folder / f"{MANIFEST}.part"
    part.write_text(json.dumps(_digests(folder), sort_keys=True), encoding="utf-8")
    part.rename(folder / MANIFEST)


def newest_whole_checkpoint(folder: Path) -> Path | None:
    """The newest of `checkpoint-10`, `checkpoint-20`, … that is whole; a damaged one falls back to the one
    before."""
    return next((path for path in _newest_first(folder) if is_whole(path)), None)


def passed_over(folder: Path) -> tuple[int, ...]:
    """Steps of the checkpoints that a run which goes on here does not use, since they are not whole."""
    return tuple(_step_of(path) for path in takewhile(lambda path: not is_whole(path), _newest_first(folder)))


def _newest_first(folder: Path) -> list[Path]:
    found = (path for path in folder.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdigit())
    return sorted(found, key=_step_of, reverse=True)


def _step_of(path: Path) -> int:
    return int(path.name.removeprefix("checkpoint-"))


def is_whole(folder: Path) -> bool:
    try:
        sealed = json.loads((folder / MANIFEST).read_text("utf-8"))
        return bool(sealed == _digests(folder))
    except (OSError, ValueError):
        return False


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(MANIFEST)
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
