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
    CROP = "crop"  # the largest square in the film's middle (MAIRA-2, LLaVA)
    PAD = "pad"  # the whole film in the middle of a square (DeepSeek-VL, MedGemma 1.5)


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


def shown_area(image_size: tuple[int, int], *, preparation: str) -> Box:
    """Which part of a film of `image_size` (width, height) the model sees, in pixels of the film; padding
    lies outside it. MAIRA-2's own processor rounds the offsets down (adjust_box_for_original_image_size).

    >>> shown_area((2000, 3000), preparation="crop")
    Box(x_min=0.0, y_min=500.0, x_max=2000.0, y_max=2500.0)
    >>> shown_area((2000, 3000), preparation="pad")
    Box(x_min=-500.0, y_min=0.0, x_max=2500.0, y_max=3000.0)
    """
    width, height = image_size
    match Preparation(preparation):
        case Preparation.CROP:
            side = min(width, height)
        case Preparation.PAD:
            side = max(width, height)
        case _:
            return Box(0.0, 0.0, float(width), float(height))
    left, top = ((length - side) // 2 if length > side else -((side - length) // 2) for length in image_size)
    return Box(float(left), float(top), float(left + side), float(top + side))


def to_image_px(
    box: tuple[float, float, float, float],
    *,
    frame: str,
    model_size: tuple[int, int],
    image_size: tuple[int, int],
    preparation: str = Preparation.ASPECT,
) -> Box:
    """A box as the model wrote it, in pixels of the film. Sizes are (width, height). Nothing is cut or
    turned round: `region_problem` tells what is wrong with a box.

    >>> to_image_px((50, 50, 100, 100), frame="norm100", model_size=(504, 504), image_size=(2000, 3000))
    Box(x_min=1000.0, y_min=1500.0, x_max=2000.0, y_max=3000.0)
    """
    (left, across), (top, down) = _axes(frame, model_size, image_size, preparation)
    return Box(left + box[0] * across, top + box[1] * down, left + box[2] * across, top + box[3] * down)


def to_model_box(
    box: tuple[float, float, float, float],
    *,
    frame: str,
    model_size: tuple[int, int],
    image_size: tuple[int, int],
    preparation: str = Preparation.ASPECT,
) -> Box:
    """The way back: a box in pixels of the film, in the frame in which the model writes."""
    (left, across), (top, down) = _axes(frame, model_size, image_size, preparation)
    return Box(
        (box[0] - left) / across, (box[1] - top) / down, (box[2] - left) / across, (box[3] - top) / down
    )


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


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 where either has no area.

    >>> overlap(Box(0, 0, 10, 10), Box(5, 0, 15, 10))
    0.3333333333333333
    """
    width = min(a.x_max, b.x_max) - max(a.x_min, b.x_min)
    height = min(a.y_max, b.y_max) - max(a.y_min, b.y_min)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(a) + _area(b) - shared)


def _area(box: Box) -> float:
    return (box.x_max - box.x_min) * (box.y_max - box.y_min)


def _axes(
    frame: str, model_size: tuple[int, int], image_size: tuple[int, int], preparation: str
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Across and down: where on the film the frame begins, and film pixels per unit of it."""
    if Frame(frame) is Frame.INPUT:
        return (0.0, 1.0), (0.0, 1.0)
    area = shown_area(image_size, preparation=preparation)
    units = _units(frame, model_size)
    return (
        (area.x_min, (area.x_max - area.x_min) / units[0]),
        (area.y_min, (area.y_max - area.y_min) / units[1]),
    )


def _units(frame: str, model_size: tuple[int, int]) -> tuple[int, int]:
    """How many units of the frame the model's picture has, across and down."""
    match Frame(frame):
        case Frame.NORM1000:
            return 1000, 1000
        case Frame.NORM100:
            return 100, 100
        case Frame.NORM1:
            return 1, 1
        case _:
            return model_size
