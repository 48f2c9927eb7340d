"""The one folder that holds all state, and the secrets that an embedded installation draws for itself."""

import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def home_folder() -> Path:
    """DEEPMEDIX_HOME, or `var/` beside manage.py; made if it is absent."""
    home = Path(os.environ.get("DEEPMEDIX_HOME") or ROOT / "var").resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("films", "models", "uploads", "archives", "messages", "static"):
        (home / name).mkdir(exist_ok=True)
    return home


def secret_from_home(name: str) -> str:
    """A secret drawn once and kept in the home folder, readable by its owner alone."""
    path = home_folder() / "secrets" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text("ascii")
