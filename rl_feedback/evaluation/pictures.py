"""A case's film, small enough to lie in a page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

SIDE_PX = 320


def picture_of(path: Path) -> str:
    """As a data URI of a JPEG of at most 320 pixels a side. Raises ValueError where it can't be read."""
    try:
        picture = _opened(path)
    except (OSError, UnidentifiedImageError, ValueError) as error:
        raise ValueError(
            f"The film {path.name} can't be read. Leave out --with-films, or get it again."
        ) from error
    picture.thumbnail((SIDE_PX, SIDE_PX))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _opened(path: Path) -> Image.Image:
    if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        with Image.open(path) as file:
            return file.convert("L")
    from inference.images import render_reference

    return Image.fromarray(render_reference(path))
