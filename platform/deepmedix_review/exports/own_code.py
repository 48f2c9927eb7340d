"""Which code wrote an export."""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import deepmedix_review


def said_code() -> dict[str, str]:
    return {"version": version("deepmedix-review"), "sha256": code_sha256()}


@cache
def code_sha256() -> str:
    """Of the platform's own sources, by name."""
    digest, root = sha256(), Path(deepmedix_review.__file__ or "").parent
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
