"""The boxes that are drawn over text: whether they can be overwritten, and how much of the film they take."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise

from deepmedix_review.common.errors import RefusedByRule

MOST_BOXES = 50
# More of a film is not a line of text: what is left would be judged as a film, and is none.
LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class Box:
    """Whole pixels of the film; `x_max` and `y_max` are the column and the row behind its last ones."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int


def check_boxes(boxes: Sequence[Box], *, rows: int, columns: int) -> None:
    """Raises RefusedByRule with a sentence, naming the first box that is wrong by its number."""
    if not boxes:
        raise RefusedByRule("There is no box. Draw one over each text on the film.")
    if len(boxes) > MOST_BOXES:
        raise RefusedByRule(
            f"There are {len(boxes)} boxes, and at most {MOST_BOXES} are overwritten at once. Draw larger "
            "ones, or overwrite these in two goes."
        )
    for number, box in enumerate(boxes, start=1):
        if box.x_max <= box.x_min or box.y_max <= box.y_min:
            raise RefusedByRule(
                f"Box {number} has no size: its right edge must lie right of its left one, its lower edge "
                "below its upper one."
            )
        if box.x_min < 0 or box.y_min < 0 or box.x_max > columns or box.y_max > rows:
            raise RefusedByRule(
                f"Box {number} reaches outside of the film, which is {columns} x {rows} pixels. Draw it "
                "within."
            )
    share = covered_share(boxes, rows=rows, columns=columns)
    if share == 1:
        raise RefusedByRule(
            "The boxes cover the whole film: nothing would be left to read. Reject the study instead, or "
            "erase it."
        )
    if share > LARGEST_SHARE:
        raise RefusedByRule(
            f"The boxes cover {share:.0%} of the film, and at most {LARGEST_SHARE:.0%} of one is "
            "overwritten. Draw them closer around the text; where there is so much of it, reject the study."
        )


def covered_share(boxes: Sequence[Box], *, rows: int, columns: int) -> float:
    """What the boxes cover together, what lies below several counted once; 0 to 1."""
    edges = sorted({x for box in boxes for x in (box.x_min, box.x_max)})
    covered = 0
    for left, right in pairwise(edges):
        spans = sorted((box.y_min, box.y_max) for box in boxes if box.x_min <= left and box.x_max >= right)
        below = 0
        for top, bottom in spans:
            covered += (right - left) * max(bottom - max(top, below), 0)
            below = max(below, bottom)
    return covered / (rows * columns)


def stored(boxes: Sequence[Box]) -> list[list[int]]:
    return [list(astuple(box)) for box in boxes]
