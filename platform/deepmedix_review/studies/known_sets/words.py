"""What the words and paths of a data set mean here. All of it is untrusted."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from deepmedix_review.studies.models import Label, Split

MAX_KEY = 200
MAX_LABEL = 80
MAX_LABELS = 200
MAX_TEXT = 20_000
_SPLITS = {
    "train": Split.TRAIN,
    "training": Split.TRAIN,
    "val": Split.TUNE,
    "valid": Split.TUNE,
    "validate": Split.TUNE,
    "validation": Split.TUNE,
    "tune": Split.TUNE,
    "dev": Split.TUNE,
    "test": Split.TEST,
}


def split_called(word: str) -> Split | None:
    """None for a word that names none."""
    return _SPLITS.get(word.strip().lower())


def day_called(text: str) -> date | None:
    """A day as DICOM writes it, 21801231; None for anything else."""
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None


def plain(text: str) -> str:
    """Without what a page or the database can't show; lines and paragraphs stay."""
    lines = ("".join(c for c in line if c.isprintable()).strip() for line in text.split("\n"))
    return "\n".join(lines).strip()


def label_name(text: str) -> str:
    """Empty for what is no name of a finding."""
    name = " ".join(plain(text).split())
    return name if len(name) <= MAX_LABEL else ""


def labels_listed(text: str) -> dict[str, Label] | None:
    """`Edema|Effusion:absent|Nodule:uncertain`; a name alone is present. None for anything else."""
    labels = {}
    for part in text.split("|"):
        name, _, word = part.partition(":")
        name, word = label_name(name), word.strip().lower() or Label.PRESENT.value
        if not part.strip():
            continue
        if not name or word not in Label.values:
            return None
        labels[name] = Label(word)
    return labels if len(labels) <= MAX_LABELS else None


def file_below(folder: Path, name: str) -> Path | None:
    """A file that a table names; None where it is not there, or where the name leads out of the folder."""
    if not name or len(name) > MAX_KEY or not name.isprintable():
        return None
    path = folder / name.replace("\\", "/")
    try:
        inside = path.resolve(strict=True).is_relative_to(folder.resolve())
    except OSError:
        return None
    return path if inside and path.is_file() else None


def first_below(folder: Path, names: Iterable[str]) -> Path | None:
    """A file that may have been unpacked to one of several places; None where it is in none of them."""
    return next(filter(None, (file_below(folder, name) for name in names)), None)
