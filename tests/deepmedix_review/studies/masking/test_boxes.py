"""Boxes that can't be overwritten are refused by a sentence, before anything is asked of a worker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.masking.boxes import MOST_BOXES, Box, check_boxes, covered_share


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ((), "There is no box"),
        ((Box(0, 0, 5, 5), Box(5, 5, 5, 9)), "Box 2 has no size"),
        ((Box(0, 9, 5, 5),), "Box 1 has no size"),
        ((Box(-1, 0, 5, 5),), "reaches outside of the film, which is 40 x 30 pixels"),
        ((Box(0, 0, 41, 5),), "Box 1 reaches outside"),
        ((Box(0, 0, 5, 31),), "Box 1 reaches outside"),
        ((Box(0, 0, 40, 15), Box(0, 14, 40, 30)), "cover the whole film"),
        ((Box(0, 0, 40, 16),), "cover 53% of the film, and at most 50%"),
        (tuple(Box(n % 40, 0, n % 40 + 1, 1) for n in range(MOST_BOXES + 1)), "There are 51 boxes"),
    ],
)
def test_what_is_wrong_is_said(boxes: tuple[Box, ...], told: str) -> None:
    with pytest.raises(RefusedByRule, match=told):
        check_boxes(boxes, rows=30, columns=40)


def test_what_is_right_passes() -> None:
    check_boxes((Box(0, 0, 40, 15), Box(3, 3, 9, 9)), rows=30, columns=40)
    check_boxes(tuple(Box(n % 40, 0, n % 40 + 1, 1) for n in range(MOST_BOXES)), rows=30, columns=40)


edges = st.tuples(st.integers(0, 11), st.integers(1, 12)).map(lambda pair: (pair[0], min(12, sum(pair))))


@given(st.lists(st.tuples(edges, edges), max_size=6))
def test_the_share_is_what_counting_pixels_gives(
    drawn: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    boxes = [Box(x[0], y[0], x[1], y[1]) for x, y in drawn]
    pixels = {
        (x, y) for box in boxes for x in range(box.x_min, box.x_max) for y in range(box.y_min, box.y_max)
    }
    assert covered_share(boxes, rows=12, columns=12) == len(pixels) / 144
