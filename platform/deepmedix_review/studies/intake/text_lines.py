"""Finds lines of printed text on a shown film: a suggestion to a person who looks, and no promise.

Of 13 real films it found all five lines of print, and nothing on those without any. Letters of lead that lie
askew, single letters and handwriting are not found.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Its left column, upper row, and the column and row behind its last ones.
Box = tuple[int, int, int, int]

# A stroke is thinner than this share of the film's shorter side, and this much brighter or darker than what
# lies around it, of 255.
_STROKE_SHARE, _LEAST_STROKE_PX = 0.016, 7
_CONTRAST = 60
# Of a letter, in shares of the film's shorter side, pixels, and its own height.
_TALLEST_SHARE, _LEAST_HEIGHT_PX, _WIDEST = 0.05, 6, 2.5
_FEWEST_LETTERS = 4
_MOST_LINES = 50
# A finely grained picture has specks without end; lines are not looked for among so many.
_MOST_SPECKS = 5_000


def find_lines(shown: NDArray[np.uint8]) -> list[Box]:
    """Boxes around lines of at least four letters, a bit larger than the letters, from the top down."""
    found = [
        line
        for picture in (shown, np.subtract(255, shown, dtype=np.uint8))
        for line in _lines_of(_letters_on(picture))
    ]
    rows, columns = shown.shape
    padded = [_padded(box, rows=rows, columns=columns) for box in _joined(found)]
    return sorted(padded, key=lambda box: (box[1], box[0]))[:_MOST_LINES]


def _letters_on(picture: NDArray[np.uint8]) -> list[Box]:
    """What is bright, narrow and as tall as a letter."""
    side = min(picture.shape)
    size = max(_LEAST_STROKE_PX, round(side * _STROKE_SHARE))
    strokes = picture - ndimage.grey_opening(picture, size=(size, size)) > _CONTRAST
    labels, _ = ndimage.label(strokes, structure=np.ones((3, 3)))
    letters = []
    for rows, columns in ndimage.find_objects(labels):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if _LEAST_HEIGHT_PX <= height <= _TALLEST_SHARE * side and 1 < width <= _WIDEST * height:
            letters.append((columns.start, rows.start, columns.stop, rows.stop))
    return letters


def _lines_of(letters: Sequence[Box]) -> list[Box]:
    """Letters of about one height that stand beside each other."""
    if len(letters) > _MOST_SPECKS:
        return []
    ordered = sorted(letters)
    line_of = list(range(len(ordered)))

    def first(number: int) -> int:
        while line_of[number] != number:
            line_of[number] = line_of[line_of[number]]
            number = line_of[number]
        return number

    tallest = max((bottom - top for _, top, _, bottom in ordered), default=0)
    for number, letter in enumerate(ordered):
        for other in range(number + 1, len(ordered)):
            # Sorted by their left edges: what comes behind lies further off.
            if ordered[other][0] - letter[2] > 1.5 * tallest:
                break
            if _stand_together(letter, ordered[other]):
                line_of[first(other)] = first(number)
    lines: dict[int, list[Box]] = {}
    for number, letter in enumerate(ordered):
        lines.setdefault(first(number), []).append(letter)
    return [_around(line) for line in lines.values() if len(line) >= _FEWEST_LETTERS]


def _stand_together(left: Box, right: Box) -> bool:
    low, high = sorted((left[3] - left[1], right[3] - right[1]))
    shared = min(left[3], right[3]) - max(left[1], right[1])
    return (
        right[0] - left[2] <= 1.5 * high
        and low >= 0.6 * high
        and shared >= 0.7 * low
        and min(abs(left[1] - right[1]), abs(left[3] - right[3])) <= 0.25 * high
    )


def _around(boxes: Sequence[Box]) -> Box:
    left, top, right, bottom = np.array(boxes).T
    return int(left.min()), int(top.min()), int(right.max()), int(bottom.max())


def _joined(boxes: Sequence[Box]) -> list[Box]:
    """Those that lie over each other as one: black letters have white holes."""
    joined = list(boxes)
    while pair := next((pair for pair in combinations(joined, 2) if _overlap(*pair)), None):
        joined = [box for box in joined if box not in pair] + [_around(pair)]
    return joined


def _overlap(one: Box, other: Box) -> bool:
    return max(one[0], other[0]) < min(one[2], other[2]) and max(one[1], other[1]) < min(one[3], other[3])


def _padded(box: Box, *, rows: int, columns: int) -> Box:
    """What is smoothed around letters, dots and descenders belong to them."""
    left, top, right, bottom = box
    pad = max(2, round((bottom - top) / 4))
    return max(left - pad, 0), max(top - pad, 0), min(right + pad, columns), min(bottom + pad, rows)
