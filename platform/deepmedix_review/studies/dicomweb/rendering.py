"""Draws a film as a picture for a screen (PS3.18, 8.3.5): the one that the reading room shows and models are
given, unless another window is asked for."""

import re
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from django.http import QueryDict
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset

from deepmedix_review.studies.dicomweb.matching import QueryRefused
from inference.images import render_values
from inference.shading import Curve, Look

PARAMETERS = ("window", "viewport", "quality")
LONGEST_SIDE = 8192
_CURVES: dict[str, Curve] = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
_NUMBER = re.compile(r"[+-]?([0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9})([eE][+-]?[0-9]{1,2})?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")


@dataclass(frozen=True)
class Viewport:
    """The picture fits into `width` x `height` pixels. `left`, `top`, `across`, `down`: the part of the film
    that is shown, in its own pixels; `across` or `down` below zero mirror it, None reaches to the film's
    edge."""

    width: int
    height: int
    left: int = 0
    top: int = 0
    across: int | None = None
    down: int | None = None


@dataclass(frozen=True)
class Rendering:
    look: Look | None = None
    viewport: Viewport | None = None
    quality: int = 90


def read_rendering(parameters: QueryDict) -> Rendering:
    """Raises QueryRefused, with the way out."""
    window, viewport, quality = (parameters.get(name, "") for name in PARAMETERS)
    return Rendering(
        look=_look(window) if window else None,
        viewport=_viewport(viewport) if viewport else None,
        quality=_quality(quality) if quality else 90,
    )


def render(values: NDArray[np.generic], header: Dataset, rendering: Rendering) -> Image.Image:
    """Of stored values, rows x columns."""
    picture = Image.fromarray(render_values(values, header, look=rendering.look))
    return picture if rendering.viewport is None else fit(picture, rendering.viewport)


def encode(picture: Image.Image, *, media_type: str, quality: int) -> bytes:
    """`image/jpeg` or `image/png`."""
    out = BytesIO()
    if media_type == "image/jpeg":
        picture.save(out, "JPEG", quality=quality)
    else:
        # A film's noise hardly gets smaller by more effort.
        picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _look(text: str) -> Look:
    center, width, *rest = [*text.split(","), "", ""][: max(3, text.count(",") + 1)]
    curve = _CURVES.get((rest[0] or "linear").lower()) if len(rest) == 1 else None
    if curve is None or not _NUMBER.fullmatch(center) or not _NUMBER.fullmatch(width):
        raise QueryRefused(
            f"window is CENTER,WIDTH,FUNCTION: two numbers and one of {', '.join(_CURVES)}. This one is not."
        )
    if float(width) < (1 if curve == "LINEAR" else 0) or float(width) == 0:
        raise QueryRefused(
            "The window's width is too small: linear ones are 1 wide or more, others more than 0."
        )
    return Look("asked", float(center), float(width), curve)


def _viewport(text: str) -> Viewport:
    parts = text.split(",")
    if len(parts) not in (2, 6) or not all(
        _WHOLE.fullmatch(one) or (n > 1 and not one) for n, one in enumerate(parts)
    ):
        raise QueryRefused(
            "viewport is WIDTH,HEIGHT or WIDTH,HEIGHT,X,Y,WIDTH,HEIGHT, in whole pixels. This is not."
        )
    numbers = [int(one) if one else None for one in [*parts, "", "", "", ""][:6]]
    width, height, left, top, across, down = numbers
    if width is None or height is None or not 0 < width <= LONGEST_SIDE or not 0 < height <= LONGEST_SIDE:
        raise QueryRefused(
            f"The viewport's sides are 1 to {LONGEST_SIDE} pixels long. Ask for one within that."
        )
    if (left or 0) < 0 or (top or 0) < 0 or across == 0 or down == 0:
        raise QueryRefused("The viewport's part of the film begins outside of it, or has no size.")
    return Viewport(width, height, left or 0, top or 0, across, down)


def _quality(text: str) -> int:
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= 100:
        raise QueryRefused("quality is a whole number from 1 to 100.")
    return int(text)


def fit(picture: Image.Image, viewport: Viewport) -> Image.Image:
    """As large as it fits, its shape kept (PS3.18, 8.3.5.1.3)."""
    left, top = viewport.left, viewport.top
    if left >= picture.width or top >= picture.height:
        raise QueryRefused(
            "The viewport's part of the film begins outside of it: the film has "
            f"{picture.width} x {picture.height} pixels."
        )
    across, down = viewport.across or picture.width, viewport.down or picture.height
    right, bottom = min(left + abs(across), picture.width), min(top + abs(down), picture.height)
    part = picture.crop((left, top, right, bottom))
    if across < 0:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if down < 0:
        part = part.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    scale = min(viewport.width / part.width, viewport.height / part.height)
    size = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    return part if size == part.size else part.resize(size, Image.Resampling.LANCZOS)
