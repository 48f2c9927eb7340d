"""Boxes are matched one to one; what can't be a region and what is too much costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.regions import Box
from rl_feedback.evaluation.grounding import score_boxes

SIZE = (100, 100)
LUNG = Box(10, 10, 50, 90)
EDGES = st.integers(0, 20)
BOXES = st.lists(
    st.tuples(EDGES, EDGES, EDGES, EDGES).map(lambda e: Box(e[0], e[1], e[0] + e[2] + 1, e[1] + e[3] + 1)),
    max_size=4,
)


def test_the_same_boxes_are_perfect_in_any_order() -> None:
    other = Box(60, 10, 90, 90)
    found = score_boxes([other, LUNG], [LUNG, other], SIZE)
    assert (found.mean_iou, found.hits, found.num_invalid, found.pointed) == (1, (2, 2), 0, True)
    assert found.shared_px == found.true_px == found.written_px == 40 * 80 + 30 * 80


def test_iou_is_the_worked_example_and_counts_at_each_threshold() -> None:
    # Half of a box beside itself: 1 shared of 3 in all.
    found = score_boxes([Box(30, 10, 70, 90)], [LUNG], SIZE)
    assert found.mean_iou == pytest.approx(1 / 3)
    assert found.hits == (1, 0)
    assert (found.shared_px, found.written_px) == (20 * 80, 40 * 80)


@pytest.mark.parametrize(
    "box", [Box(50, 10, 10, 90), Box(10, 10, 10, 90), Box(-9, 0, 50, 50), Box(0, 0, 100, 100)]
)
def test_a_box_that_is_no_region_counts_and_has_no_partner(box: Box) -> None:
    found = score_boxes([box, LUNG], [LUNG], SIZE)
    assert (found.num_written, found.num_invalid, found.mean_iou, found.hits) == (2, 1, 0.5, (1, 1))
    assert found.pointed is False


def test_nothing_to_point_at_is_neither_right_nor_wrong() -> None:
    assert score_boxes([], [], SIZE).mean_iou is None
    assert score_boxes([LUNG], [], SIZE).mean_iou == 0
    assert score_boxes([LUNG], [], SIZE).pointed is None
    assert score_boxes([], [LUNG], SIZE).pointed is False


@given(BOXES, BOXES)
def test_pixels_of_unions_are_those_that_are_counted(first, second) -> None:
    def pixels(boxes):
        return {
            (x, y)
            for box in boxes
            for x in range(int(box.x_min), int(box.x_max))
            for y in range(int(box.y_min), int(box.y_max))
        }

    found = score_boxes(first, second, (1000, 1000))
    assert found.shared_px == len(pixels(first) & pixels(second))
    assert (found.written_px, found.true_px) == (len(pixels(first)), len(pixels(second)))
    assert found.hits[1] <= found.hits[0] <= min(len(first), len(second))
