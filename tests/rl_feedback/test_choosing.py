"""Films of which a model's samples differ most are chosen, whatever is on them."""

import doctest

import pytest

from inference.phantoms import draw_phantom, ideal_reasoning
from rl_feedback import choosing
from rl_feedback.choosing import difference, most_differing

HEART = (
    "<think> The heart size is normal with [30, 40, 80, 90] </think> The answer is: \\boxed{no acute finding}"
)
NODULE = (
    "<think> The heart size is normal with [30, 40, 80, 90]; There is a left nodule with [70, 20, 80, 30] "
    "</think> The answer is: \\boxed{left nodule}"
)


def test_the_example_runs() -> None:
    assert doctest.testmod(choosing).failed == 0


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (HEART, 0.0),
        (HEART.replace("; ", ";  ").upper().replace("THINK", "think").replace("BOXED", "boxed"), 0.0),
        (HEART.replace("40, 80, 90", "40, 80, 65"), 0.25),
        (NODULE, 0.75),
        ("", 1.0),
    ],
)
def test_what_only_one_states_counts_whole_and_what_both_state_by_its_regions(
    other: str, expected: float
) -> None:
    assert difference(HEART, other) == difference(other, HEART) == pytest.approx(expected)


def test_the_order_of_steps_and_answers_makes_no_difference() -> None:
    truth = next(
        found
        for seed in range(3_900_000, 3_900_100)
        for found in [draw_phantom(seed=seed).truth]
        if len(found.lesions) == 2
    )
    text = ideal_reasoning(truth)
    head, one, two = text.removeprefix("<think> ").split(" </think>")[0].split("; ")
    turned = f"<think> {head}; {two}; {one} </think> \\boxed{{{', '.join(truth.answer.split(', ')[::-1])}}}"
    assert difference(text, turned) == 0.0


def test_the_films_whose_samples_differ_most_are_chosen_in_their_order() -> None:
    moved = HEART.replace("40, 80, 90", "40, 80, 65")
    texts = {"moved": [HEART, moved], "same": [NODULE, NODULE], "other": [HEART, NODULE], "once": [HEART]}
    assert most_differing(texts, number=2) == ["moved", "other"]
    assert most_differing(texts, number=1) == ["other"]
