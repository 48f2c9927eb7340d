"""Boxes earn by lying where experts drew theirs, under words about the same thing; every other box costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.grounding import format_completion, parse_completion
from inference.regions import Box, Frame
from rl_feedback.agreement import iou_matrix
from rl_feedback.rewards import GROUNDED_1, GROUNDED_2, CaseTruth, TruthRegion, grounded_reward
from rl_feedback.rewards.regions import RegionScore, nearest_box, score_regions, speaks_of

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


boxes = st.tuples(*[st.integers(0, 200)] * 2, *[st.integers(210, 400)] * 2).map(lambda four: Box(*four))
spreads = st.tuples(*[st.floats(0, 80)] * 4).map(lambda four: Box(*four))


@given(boxes, boxes, spreads, st.floats(0, 1))
def test_a_wider_spread_never_costs_and_never_pays_beyond_the_spread(drawn, written, spread, share) -> None:
    less = Box(*(share * edge for edge in spread))
    places = [
        nearest_box(TruthRegion("heart", drawn, tolerance), written) for tolerance in (None, less, spread)
    ]
    ious = [iou_matrix([written], [place])[0, 0] for place in places]
    assert ious[0] <= ious[1] + 1e-9 <= ious[2] + 2e-9
    for edge, moved, reach, side in zip(drawn, places[2], spread, (0, 1, 0, 1), strict=True):
        length = drawn[side + 2] - drawn[side]
        assert abs(moved - edge) <= min(reach, length / 4) + 1e-9


def test_a_box_within_the_experts_spread_is_right_and_a_big_one_earns_no_more_than_its_share() -> None:
    spread = TruthRegion("left effusion", Box(300, 300, 400, 400), tolerance=Box(5, 5, 10, 10))
    # However far the experts disagree, no more than a quarter of the side is forgiven.
    wide = TruthRegion("left effusion", Box(300, 300, 400, 400), tolerance=Box(90, 90, 90, 90))

    def value(box: str, region: TruthRegion) -> float:
        truth = CaseTruth("yes", (region,), image_size=(504, 504), model_size=(504, 504))
        text = format_completion([f"Left effusion {box}"], "yes")
        found = score_regions(text, parse_completion(text), truth, max_boxes=16, forgives_spread=True)
        assert found is not None
        return found.value

    assert value("[296, 303, 409, 391]", spread) == 1
    assert value("[296, 303, 409, 391]", EFFUSION) < 0.9
    assert value("[290, 300, 400, 400]", spread) < 1
    assert value("[200, 200, 450, 450]", spread) == pytest.approx(115 * 115 / 250**2)
    assert value("[200, 200, 450, 450]", wide) == pytest.approx(150 * 150 / 250**2)


def test_the_first_version_of_the_reward_knows_no_spread() -> None:
    region = TruthRegion("left effusion", Box(300, 300, 400, 400), tolerance=Box(5, 5, 10, 10))
    truth = CaseTruth("yes", (region,), image_size=(504, 504), model_size=(504, 504))
    text = format_completion(["Left effusion [296, 303, 409, 391]"], "yes")
    old, new = (grounded_reward([text], [truth], version=one)[0] for one in (GROUNDED_1, GROUNDED_2))
    assert (old.version, new.version) == ("grounded-1", "grounded-2")
    assert old.regions == score_regions(text, parse_completion(text), truth, max_boxes=16).value  # type: ignore[union-attr]
    assert new.regions == 1
