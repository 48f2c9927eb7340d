"""Where the films of a message lie until they are in, and what its sender is told of each."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from pydicom import Dataset

from deepmedix_review.studies.intake.content import Refusal
from deepmedix_review.studies.models import SentMessage
from deepmedix_review.studies.services import Receipt

ADDRESSED = "addressed.json"


@dataclass(frozen=True)
class Told:
    """What of a film no row may keep, for names in it are the sender's: `names` by its meta header, `came_as`
    by its header. Both are empty where they are not known any more."""

    names: tuple[str, str] = ("", "")
    came_as: Dataset | None = None
    refusal: Refusal | None = None


def message_folder(message: SentMessage) -> Path:
    return Path(settings.MESSAGE_FOLDER) / message.uid.hex


def film_path_of(folder: Path, number: int) -> Path:
    """Of its film of this number, from 1, until that was judged."""
    return folder / f"{number}.dcm"


def write_addressed(folder: Path, *, of_study: str) -> None:
    """To which study it was sent, where its address named one."""
    with (folder / ADDRESSED).open("w", encoding="utf-8") as file:
        json.dump({"study": of_study}, file)
        file.flush()
        os.fsync(file.fileno())


def read_addressed(folder: Path) -> str:
    """As it was written; empty where the address named no study."""
    path = folder / ADDRESSED
    return str(json.loads(path.read_text("utf-8"))["study"]) if path.exists() else ""


def write_told(folder: Path, number: int, *, names: tuple[str, str], receipt: Receipt | None) -> None:
    """`receipt`: None where the platform failed at the film."""
    came_as = receipt.came_as if receipt else None
    told = {
        "names": names,
        "came_as": came_as.to_json_dict() if came_as is not None else {},
        "refusal": receipt.refusal if receipt else None,
    }
    _told_path(folder, number).write_text(json.dumps(told), "utf-8")


def read_told(folder: Path, number: int) -> Told:
    """Of a film that was judged by a worker that was killed before it wrote this, all is empty."""
    try:
        told = json.loads(_told_path(folder, number).read_text("utf-8"))
    except FileNotFoundError:
        return Told()
    came_as = Dataset.from_json(told["came_as"]) if told["came_as"] else None
    refusal = Refusal(told["refusal"]) if told["refusal"] else None
    return Told(tuple(told["names"]), came_as, refusal)


def _told_path(folder: Path, number: int) -> Path:
    return folder / f"{number}.json"
