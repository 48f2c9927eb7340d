"""Under what a run ran: versions of the code and its libraries, the machine, and its device."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "numpy")
ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, Any]:
    """As JSON. The machine's name and its people's are left out."""
    # torch takes seconds: who only reads recipes does not pay for it.
    import torch

    devices = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
    return {
        "package": _version("deepmedix-review"),
        "commit": commit(),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "system": f"{platform.system()} {platform.machine()}",
        "devices": devices or [f"CPU, {os.cpu_count()} cores"],
    }


def commit() -> str:
    """Of the checkout that this code lies in, with a plus where files differ from it; empty for an installed
    package."""
    if not (ROOT / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
