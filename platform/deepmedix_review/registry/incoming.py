"""The model folders that an operator has copied in to be registered, and why others there can't be."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class UnfitFolder:
    """`reason` why it can't be registered, in a sentence."""

    name: str
    reason: str


def incoming_folder() -> Path:
    """Made when it is first asked for, so that there is a place to copy to."""
    folder = Path(settings.INCOMING_MODEL_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def incoming_place() -> str:
    """The folder as the documents name it: where the home folder lies differs from container to host."""
    folder, home = Path(settings.INCOMING_MODEL_FOLDER), Path(settings.HOME)
    return f"{folder.relative_to(home)}/ in the home folder" if folder.is_relative_to(home) else str(folder)


def incoming_names() -> list[str]:
    """The folders there that may be registered, by name."""
    return [path.name for path in _incoming_folders() if not _why_unfit(path)]


def unfit_folders() -> list[UnfitFolder]:
    """The folders there that can't be registered, by name."""
    found = [UnfitFolder(path.name, _why_unfit(path)) for path in _incoming_folders()]
    return [one for one in found if one.reason]


def _incoming_folders() -> list[Path]:
    return sorted(
        path for path in incoming_folder().iterdir() if path.is_dir() and not path.name.startswith(".")
    )


def _why_unfit(folder: Path) -> str:
    if folder.is_symlink():
        return "It is a link, and what that names may be anything."
    if not any(folder.iterdir()):
        return "It is empty."
    lacks = [
        word
        for word, is_there in (
            ("config.json", (folder / "config.json").is_file()),
            ("weights (.safetensors)", any(folder.glob("*.safetensors"))),
        )
        if not is_there
    ]
    return f"It has no {' and no '.join(lacks)}." if lacks else ""
