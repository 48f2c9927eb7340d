"""Moves a film by a few pixels, and the regions of a text with it: the same case, seen a little otherwise.

A few hundred corrected readings are soon learned by heart; moved films are not.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from inference.grounding import parse_completion

# Grey levels of 256, and the share of their distance from each other.
_LIGHTER, _STEEPER = 10.0, 0.1


def moved(film: Image.Image, text: str, *, by_px: int, rng: np.random.Generator) -> tuple[Image.Image, str]:
    """The film moved by up to `by_px` pixels each way and a little lighter or darker, its edge repeated.

    Regions must be pixels of the film as it is given. A text with a region that would leave the film comes
    back with its film as it was.
    """
    dx, dy = (int(value) for value in rng.integers(-by_px, by_px + 1, size=2))
    scale, offset = rng.uniform(1 - _STEEPER, 1 + _STEEPER), rng.uniform(-_LIGHTER, _LIGHTER)
    words = moved_text(text, dx=dx, dy=dy, size=film.size)
    if words is None:
        return film, text
    pixels = np.asarray(film)
    around = ((by_px, by_px), (by_px, by_px), *((0, 0) for _ in pixels.shape[2:]))
    wide = np.pad(pixels, around, mode="edge")
    height, width = pixels.shape[:2]
    cut = wide[by_px - dy : by_px - dy + height, by_px - dx : by_px - dx + width]
    return Image.fromarray(np.clip(cut * scale + offset, 0, 255).astype(np.uint8), film.mode), words


def moved_text(text: str, *, dx: int, dy: int, size: tuple[int, int]) -> str | None:
    """The text with every region moved and ended at the film's edge; None where one would lose its area.

    >>> moved_text("<think> A nodule with [2, 5, 8, 9] </think> \\\\boxed{x}", dx=-3, dy=1, size=(20, 20))
    '<think> A nodule with [0, 6, 5, 10] </think> \\\\boxed{x}'
    """
    width, height = size
    spans = [
        (span, box)
        for step in parse_completion(text).steps
        for span, box in zip(step.box_spans, step.boxes, strict=True)
    ]
    for (start, end), box in sorted(spans, reverse=True):
        x_min, x_max = (min(max(edge + dx, 0), width) for edge in (box.x_min, box.x_max))
        y_min, y_max = (min(max(edge + dy, 0), height) for edge in (box.y_min, box.y_max))
        if x_min >= x_max or y_min >= y_max:
            return None
        edges = ", ".join(f"{round(edge, 1):g}" for edge in (x_min, y_min, x_max, y_max))
        text = f"{text[:start]}[{edges}]{text[end:]}"
    return text
