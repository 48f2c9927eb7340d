"""The sides of two completions are drawn by seed, balanced and repeatable."""

from hypothesis import given
from hypothesis import strategies as st

from deepmedix_review.reviews.sides import draw_swaps


@given(seed=st.integers(0, 2**31), reader=st.text(max_size=40), num_cases=st.integers(0, 80))
def test_each_reader_sees_both_orders_equally_often_within_one(
    seed: int, reader: str, num_cases: int
) -> None:
    swaps = draw_swaps(seed=seed, reader=reader, num_cases=num_cases)
    assert len(swaps) == num_cases
    assert abs(2 * sum(swaps) - num_cases) <= 1
    assert swaps == draw_swaps(seed=seed, reader=reader, num_cases=num_cases)


def test_seeds_and_readers_draw_different_sides() -> None:
    draws = {
        tuple(draw_swaps(seed=seed, reader=reader, num_cases=20)) for seed in range(10) for reader in "ab"
    }
    assert len(draws) == 20


def test_a_single_case_falls_on_either_order_about_equally() -> None:
    swapped = sum(draw_swaps(seed=seed, reader="r", num_cases=1)[0] for seed in range(1000))
    assert 430 < swapped < 570
