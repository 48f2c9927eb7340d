"""A film with text burned in, and its boxes overwritten as a worker does it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.masking.boxes import Box
from deepmedix_review.studies.masking.services import queue_masking
from deepmedix_review.studies.models import Instance, Study, TextMasking
from deepmedix_review.studies.storage import film_path
from deepmedix_review.studies.tasks import run_masking
from inference.images import _first_frame
from tests.factories.studies import receive, write_film

# Two of them lie over each other.
BOXES = (Box(2, 3, 40, 12), Box(30, 8, 60, 20), Box(70, 90, 96, 96))


def film_with_text(path: Path, *, seed: int = 1, **attributes: Any) -> Instance:
    """As it came in from outside: it waits for a look."""
    written = write_film(path, seed=seed, **({"BurnedInAnnotation": None} | attributes))
    item = receive(written)
    assert item.instance is not None, item.reason
    return item.instance


def ask(film: Instance, actor: User, *, accept: bool = True, boxes: tuple[Box, ...] = BOXES) -> TextMasking:
    return queue_masking(film, boxes=boxes, accept=accept, has_looked=accept, actor=actor)


def masked(
    film: Instance, actor: User, *, accept: bool = True, boxes: tuple[Box, ...] = BOXES
) -> TextMasking:
    masking = ask(film, actor, accept=accept, boxes=boxes)
    run_masking(masking.pk)
    masking.refresh_from_db()
    film.refresh_from_db()
    return masking


def stored(film: Instance) -> Dataset:
    return dcmread(film_path(film))


def values(film: Instance) -> NDArray[Any]:
    """Stored values, rows x columns."""
    return np.asarray(_first_frame(stored(film)))


def inside(shape: tuple[int, ...], boxes: tuple[Box, ...] = BOXES) -> NDArray[np.bool_]:
    found = np.zeros(shape, bool)
    for box in boxes:
        found[box.y_min : box.y_max, box.x_min : box.x_max] = True
    return found


def codestream(film: Instance) -> bytes:
    """Of the stored film, past its own header: what any file that still holds its pixels has in it."""
    return bytes(stored(film).PixelData)[200:1200]


def files_with(part: bytes, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and part in path.read_bytes()]


def state_of(film: Instance) -> str:
    return Study.objects.get(series__instances=film).state
