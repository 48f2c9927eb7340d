"""Boxes of several readers become one region where they mean the same place, with its spread."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_feedback.raters import consensus_regions
from tests.rl_feedback.agreement_examples import told

BOXES = st.lists(
    st.tuples(
        st.sampled_from("ABCD"),
        st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(5, 20), st.integers(5, 20)).map(
            lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
        ),
    ),
    max_size=9,
)


def test_corners_are_medians_and_the_tolerance_is_how_far_half_the_readers_are_from_them() -> None:
    found = consensus_regions([("A", (0, 0, 10, 10)), ("B", (1, 0, 11, 10)), ("C", (4, 0, 12, 10))])
    (region,) = found
    assert tuple(region.box) == (1, 0, 11, 10)
    assert tuple(told(region.tolerance)) == (1, 0, 1, 0)
    assert region.readers == ("A", "B", "C")
    assert 0.5 < told(region.overlap) < 1


def test_of_one_reader_the_spread_is_not_known() -> None:
    (region,) = consensus_regions([("A", (0, 0, 10, 10))])
    assert (region.tolerance, region.overlap, region.num_readers) == (None, None, 1)


def test_boxes_that_hardly_overlap_are_two_places_and_two_of_one_reader_are_never_joined() -> None:
    apart = consensus_regions([("A", (0, 0, 10, 10)), ("B", (6, 0, 16, 10))])
    assert [region.num_readers for region in apart] == [1, 1]
    twice = consensus_regions([("A", (0, 0, 10, 10)), ("A", (0, 0, 10, 11)), ("B", (0, 0, 10, 11))])
    assert [(tuple(region.box), region.readers) for region in twice] == [
        ((0, 0, 10, 11), ("A", "B")),
        ((0, 0, 10, 10), ("A",)),
    ]


def test_a_chain_of_boxes_is_not_one_place() -> None:
    """Each overlaps the next by more than half, the first and the last hardly."""
    chain = [(name, (step * 3, 0, step * 3 + 10, 10)) for step, name in enumerate("ABCDE")]
    found = consensus_regions(chain)
    assert len(found) > 1
    assert sum(region.num_readers for region in found) == 5


def test_simulated_readers_around_two_places_give_two_regions_near_them() -> None:
    rng = np.random.default_rng(1)
    places = [(100, 100, 180, 160), (300, 220, 360, 300)]
    boxes = [
        (reader, tuple(np.array(place) + rng.normal(0, 4, 4))) for reader in range(7) for place in places
    ]
    found = sorted(consensus_regions(boxes), key=lambda region: region.box)
    assert [region.num_readers for region in found] == [7, 7]
    for region, place in zip(found, places, strict=True):
        assert np.abs(np.array(region.box) - place).max() < 5
        assert 0.5 < np.mean(told(region.tolerance)) < 6


@given(boxes=BOXES)
def test_no_box_is_lost_and_the_order_does_not_matter(boxes) -> None:
    found = consensus_regions(boxes)
    assert sum(region.num_readers for region in found) == len(boxes)
    assert all(len(set(region.readers)) == region.num_readers for region in found)
    for mixed in list(permutations(boxes))[:: max(1, len(boxes))][:3] if len(boxes) < 6 else [boxes[::-1]]:
        assert consensus_regions(mixed) == found


def test_a_box_without_area_is_refused_and_nothing_gives_nothing() -> None:
    assert consensus_regions([]) == ()
    with pytest.raises(ValueError, match="without area"):
        consensus_regions([("A", (5, 5, 5, 9))])
