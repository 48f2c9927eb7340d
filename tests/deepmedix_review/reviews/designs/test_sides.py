"""Which output stands on side A: half of every block, and of a case one more than the other at most."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from deepmedix_review.reviews.designs.balance import Before
from deepmedix_review.reviews.designs.sides import BLOCK, draw_sides

SEEDS = st.integers(0, 10_000)


@st.composite
def lists(draw: st.DrawFn) -> dict[str, list[int]]:
    cases = range(draw(st.integers(1, 20)))
    readers = [f"r{number}" for number in range(draw(st.integers(1, 6)))]
    return {
        reader: draw(st.lists(st.sampled_from(cases), unique=True, max_size=len(cases))) for reader in readers
    }


@given(lists(), SEEDS)
def test_every_block_has_half_and_every_case_as_many_either_way(
    lists: dict[str, list[int]], seed: int
) -> None:
    swapped = draw_sides(lists, rng=random.Random(seed))
    for reader, cases in lists.items():
        for start in range(0, len(cases), BLOCK):
            block = cases[start : start + BLOCK]
            assert abs(2 * sum((reader, case) in swapped for case in block) - len(block)) <= 1
    of_case = Counter(case for cases in lists.values() for case in cases)
    num_swapped = Counter(case for _, case in swapped)
    assert all(abs(2 * num_swapped[case] - number) <= 1 for case, number in of_case.items())


@given(lists(), st.lists(st.booleans(), max_size=7), SEEDS)
def test_a_block_that_was_begun_is_filled_up(
    lists: dict[str, list[int]], before: list[bool], seed: int
) -> None:
    swapped = draw_sides(lists, rng=random.Random(seed), lists_before=dict.fromkeys(lists, before))
    tail = before[len(before) - len(before) % BLOCK :]
    for reader, cases in lists.items():
        block = [*tail, *((reader, case) in swapped for case in cases[: BLOCK - len(tail)])]
        # What was drawn before can be so uneven that the rest of the block does not make up for it.
        most = max(1, abs(2 * sum(tail) - len(tail)) - (len(block) - len(tail)))
        assert abs(2 * sum(block) - len(block)) <= most


@given(SEEDS)
def test_what_a_case_had_before_is_made_up_for(seed: int) -> None:
    lists = {reader: [1, 2] for reader in "abcd"}
    had = {1: Before(3, 3), 2: Before(0, 2)}
    swapped = Counter(case for _, case in draw_sides(lists, rng=random.Random(seed), cases_before=had))
    # The lists alone would give each case two.
    assert swapped[1] in {0, 1}
    assert swapped[2] in {3, 4}


def test_every_order_of_a_block_comes_about_as_often() -> None:
    orders = Counter(
        tuple(
            ("r", case) in draw_sides({"r": [1, 2, 3, 4]}, rng=random.Random(seed)) for case in [1, 2, 3, 4]
        )
        for seed in range(1200)
    )
    assert len(orders) == 6
    assert all(150 < number < 250 for number in orders.values())
