"""Where on the film a region lies that a model named in its own picture of it.

A model sees a smaller picture of the film, so its boxes must be carried back. All boxes are pixel edges:
x to the image's right, y down, the maxima are the outer edges.
"""

import math
from enum import StrEnum
from typing import NamedTuple

# Of a model image, in pixels; Qwen2.5-VL's own limits.
MIN_PIXELS = 56 * 56
MAX_PIXELS = 262144

REGION_PROBLEM_WORDS: dict[str, str] = {
    "inverted": "its corners are swapped",
    "no_area": "it has no area",
    "outside_image": "it leaves the film",
    "whole_image": "it covers the whole film",
}


class Box(NamedTuple):
    """A region in pixels, or in the units of a model's frame."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float


class Frame(StrEnum):
    """In what a model counts when it writes a box."""

    PROCESSED = "processed"  # pixels of the image as the model saw it (Qwen2.5-VL)
    INPUT = "input"  # pixels of the film itself
    NORM1000 = "norm1000"  # thousandths of each side (other Qwen-VL generations)
    NORM100 = "norm100"  # hundredths of each side (CheXagent)
    NORM1 = "norm1"  # shares of each side


class Preparation(StrEnum):
    """How a film becomes the image that the model sees."""

    ASPECT = "aspect"  # sides near the film's own ratio, each a multiple of 28 (Qwen2.5-VL)
    SQUARE = "square"  # stretched to a square: for models that were trained on squares alone


def smart_resize(
    width: int, height: int, *, factor: int = 28, min_pixels: int = MIN_PIXELS, max_pixels: int = MAX_PIXELS
) -> tuple[int, int]:
    """(width, height) to which Qwen2.5-VL resizes an image: multiples of `factor`, area within the limits.

    The same arithmetic as transformers' `smart_resize`, which takes the height first.

    >>> smart_resize(2544, 3056)
    (448, 560)
    """
    if width < 1 or height < 1:
        raise ValueError(f"an image of {width} x {height} pixels has no area")
    if max(width, height) > 200 * min(width, height):
        raise ValueError(
            f"an image of {width} x {height} pixels is over 200 times longer than wide: cut it first"
        )
    new_width, new_height = round(width / factor) * factor, round(height / factor) * factor
    if new_width * new_height > max_pixels:
        shrink = math.sqrt(width * height / max_pixels)
        new_width = max(factor, math.floor(width / shrink / factor) * factor)
        new_height = max(factor, math.floor(height / shrink / factor) * factor)
    elif new_width * new_height < min_pixels:
        grow = math.sqrt(min_pixels / (width * height))
        new_width = math.ceil(width * grow / factor) * factor
        new_height = math.ceil(height * grow / factor) * factor
    return new_width, new_height


def model_size(
    image_size: tuple[int, int], *, preparation: str, min_pixels: int, max_pixels: int, factor: int = 28
) -> tuple[int, int]:
    """(width, height) of the image that the model sees of a film of `image_size` (width, height).

    >>> model_size((2500, 3000), preparation="square", min_pixels=12544, max_pixels=12544)
    (112, 112)
    """
    if Preparation(preparation) is Preparation.ASPECT:
        return smart_resize(*image_size, factor=factor, min_pixels=min_pixels, max_pixels=max_pixels)
    side = max(factor, math.isqrt(max_pixels) // factor * factor)
    return side, side


def to_image_px(
    box: tuple[float, float, float, float],
    *,
    frame: str,
    model_size: tuple[int, int],
    image_size: tuple[int, int],
) -> Box:
    """A box as the model wrote it, in pixels of the film. Sizes are (width, height). Nothing is cut or
    turned round: `region_problem` tells what is wrong with a box.

    >>> to_image_px((50, 50, 100, 100), frame="norm100", model_size=(504, 504), image_size=(2000, 3000))
    Box(x_min=1000.0, y_min=1500.0, x_max=2000.0, y_max=3000.0)
    """
    across, down = _scale(frame, model_size, image_size)
    return Box(box[0] * across, box[1] * down, box[2] * across, box[3] * down)


def to_model_box(
    box: tuple[float, float, float, float],
    *,
    frame: str,
    model_size: tuple[int, int],
    image_size: tuple[int, int],
) -> Box:
    """The way back: a box in pixels of the film, in the frame in which the model writes."""
    across, down = _scale(frame, model_size, image_size)
    return Box(box[0] / across, box[1] / down, box[2] / across, box[3] / down)


def region_problem(box: tuple[float, float, float, float], image_size: tuple[int, int]) -> str:
    """Why a box in film pixels can't be a region: "inverted", "no_area", "outside_image" (it leaves the film
    by more than half a pixel), "whole_image" (it covers at least 98 % of it); else empty.

    >>> region_problem((10, 10, 10, 40), (100, 100))
    'no_area'
    """
    x_min, y_min, x_max, y_max = box
    width, height = image_size
    if x_min > x_max or y_min > y_max:
        return "inverted"
    if x_min == x_max or y_min == y_max:
        return "no_area"
    if x_min < -0.5 or y_min < -0.5 or x_max > width + 0.5 or y_max > height + 0.5:
        return "outside_image"
    if (x_max - x_min) * (y_max - y_min) >= 0.98 * width * height:
        return "whole_image"
    return ""


def _scale(frame: str, model_size: tuple[int, int], image_size: tuple[int, int]) -> tuple[float, float]:
    """Film pixels per unit of the frame, across and down."""
    width, height = image_size
    match Frame(frame):
        case Frame.PROCESSED:
            return width / model_size[0], height / model_size[1]
        case Frame.INPUT:
            return 1.0, 1.0
        case Frame.NORM1000:
            return width / 1000, height / 1000
        case Frame.NORM100:
            return width / 100, height / 100
        case Frame.NORM1:
            return float(width), float(height)
