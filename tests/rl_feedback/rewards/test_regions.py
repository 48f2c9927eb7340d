"""Boxes earn by lying where experts drew theirs, under words about the same thing; every other box costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.grounding import format_completion, parse_completion
from inference.regions import Box, Frame
from rl_feedback.rewards import CaseTruth, TruthRegion
from rl_feedback.rewards.regions import RegionScore, score_regions, speaks_of

EFFUSION = TruthRegion("left effusion", Box(300, 300, 400, 400))
NODULE = TruthRegion("right nodule", Box(50, 60, 90, 100))
RIGHT_STEPS = ("There is a left effusion [300, 300, 400, 400]", "There is a right nodule [50, 60, 90, 100]")


def score(*steps: str, regions: tuple[TruthRegion, ...] = (EFFUSION, NODULE), after: str = "") -> RegionScore:
    truth = CaseTruth("yes", regions, image_size=(504, 504), model_size=(504, 504), box_frame=Frame.INPUT)
    text = format_completion(steps, "yes") + after
    found = score_regions(text, parse_completion(text), truth, max_boxes=16)
    assert found is not None
    return found


def test_the_experts_own_boxes_earn_everything() -> None:
    assert score(*RIGHT_STEPS).value == 1
    assert score(*RIGHT_STEPS[::-1]).value == 1


def test_half_a_box_earns_half_as_much() -> None:
    found = score("Left effusion [300, 300, 400, 350]", regions=(EFFUSION,))
    assert found.ious == (0.5,)
    assert found.value == 0.5


def test_a_missing_box_costs() -> None:
    assert score(RIGHT_STEPS[0]).value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "more",
    [
        "There is a right nodule [50, 60, 90, 100]",
        "There is a left effusion [0, 0, 20, 20]",
        "The bones are intact [100, 100, 120, 120]",
        "Left effusion [400, 400, 300, 300]",
        "Left effusion [-20, 10, -5, 40]",
        "Left effusion [300, 300, 900, 400]",
        "Left effusion [300, 300, 300, 400]",
        "Left effusion [0, 0, 504, 504]",
        "Left effusion [1e9, 300, 1e300, 1e999]",
    ],
    ids=[
        "twice",
        "elsewhere",
        "other",
        "swapped",
        "negative",
        "off the film",
        "no area",
        "whole film",
        "endless",
    ],
)
def test_a_box_too_many_costs_whatever_it_is(more: str) -> None:
    found = score(*RIGHT_STEPS, more)
    assert found.value == pytest.approx(4 / 5)
    assert (found.num_written, found.num_expected) == (3, 2)


@pytest.mark.parametrize("after", [" [1, 2, 3, 4]", " <think> [1, 2, 3, 4] </think>"])
def test_a_box_outside_the_reasoning_costs_like_any_other(after: str) -> None:
    found = score(*RIGHT_STEPS, after=after)
    assert (found.num_written, found.num_invalid) == (3, 1)
    assert found.value == pytest.approx(4 / 5)


@pytest.mark.parametrize(
    "step",
    ["There is a right effusion", "There is no effusion", "There is a nodule", "Look here", "The heart"],
)
def test_the_right_box_earns_nothing_under_a_sentence_about_something_else(step: str) -> None:
    assert score(f"{step} [300, 300, 400, 400]", regions=(EFFUSION,)).value == 0


@pytest.mark.parametrize(
    ("step", "region", "yes"),
    [
        ("There is a small left pleural effusion", "left effusion", True),
        ("Blunted left costophrenic angle suggests an effusion", "left effusion", True),
        ("There may be an effusion", "left effusion", True),
        ("There is a left cavity", "left nodule", False),
        ("There is a left lung lesion", "left nodule", True),
        ("The heart size is normal", "normal heart", True),
        ("The heart is enlarged", "normal heart", False),
        ("The heart is enlarged", "enlarged heart", True),
        ("Both lungs are clear", "right lung", True),
        ("The left lung is clear", "right lung", False),
        ("The cardiac silhouette looks odd", "heart", True),
        ("A calcified something lies at the hilum", "calcified something", True),
        ("There is something", "calcified thing", False),
    ],
)
def test_a_step_speaks_of_a_region_when_it_names_the_same_and_does_not_contradict(step, region, yes) -> None:
    assert speaks_of(step, region) is yes


def test_more_boxes_than_the_limit_earn_nothing() -> None:
    many = " ".join(["[300, 300, 400, 400]", *("[1, 1, 9, 9]" for _ in range(16))])
    assert score(f"Left effusion {many}", regions=(EFFUSION,)).value == 0


def test_nothing_to_point_at_and_nothing_pointed_at_is_right() -> None:
    assert score("Clear lungs", regions=()).value == 1
    assert score("Clear lungs [1, 2, 30, 40]", regions=()).value == 0


def test_boxes_are_carried_from_the_models_frame_to_the_film() -> None:
    truth = CaseTruth("yes", (EFFUSION,), image_size=(1000, 500), model_size=(500, 500))
    text = format_completion(["Left effusion [150, 300, 200, 400]"], "yes")
    found = score_regions(text, parse_completion(text), truth, max_boxes=16)
    assert found is not None
    assert found.value == 1


@given(st.lists(st.tuples(*[st.integers(-50, 600)] * 4), max_size=8), st.tuples(*[st.integers(-50, 600)] * 4))
def test_a_box_that_matches_nothing_never_raises_the_reward(boxes, more) -> None:
    steps = [f"There is a left effusion {list(box)}" for box in boxes]
    before = score(*steps, "end", regions=(EFFUSION,))
    after = score(*steps, f"Nothing in particular {list(more)}", regions=(EFFUSION,))
    assert 0 <= after.value <= before.value <= 1
