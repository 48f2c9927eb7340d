"""The whole reward: between 0 and 1, its parts told, and what was left out said."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.grounding import format_completion
from inference.phantoms import HELD_OUT_SEEDS, SITES, draw_phantom, ideal_reasoning
from rl_feedback.rewards import GROUNDED_1, CaseTruth, RewardVersion, grounded_reward, phantom_case
from rl_feedback.rewards.grounded import ANSWER_FIRST, NO_REGIONS, NO_STEP_SCORES
from tests.rl_feedback.rewards.defects import HEART, STEP, case, said


def reward(text: str, truth: CaseTruth, **options):
    return grounded_reward([text], [truth], **options)[0]


@pytest.mark.parametrize("site", sorted(SITES))
@pytest.mark.parametrize("seed", HELD_OUT_SEEDS[:15])
def test_a_perfect_reading_of_a_drawn_film_earns_nearly_everything(seed: int, site: str) -> None:
    truth = draw_phantom(seed=seed, width=56, height=56, site=site).truth
    found = reward(ideal_reasoning(truth), phantom_case(truth))
    assert (found.format, found.answer, found.length) == (1, 1, 1)
    assert found.overall > 0.9


def test_leaving_a_lesion_out_costs_in_answer_and_regions() -> None:
    seed = next(
        s for s in HELD_OUT_SEEDS if len(draw_phantom(seed=s, width=56, height=56).truth.lesions) == 1
    )
    truth = draw_phantom(seed=seed, width=56, height=56).truth
    whole = reward(ideal_reasoning(truth), phantom_case(truth))
    heart_alone = (
        ideal_reasoning(truth).split(";")[0] + "; Both lungs are clear </think> \\boxed{no acute finding}"
    )
    left_out = reward(heart_alone, phantom_case(truth))
    assert left_out.answer < whole.answer
    assert left_out.regions < whole.regions
    assert left_out.overall < whole.overall - 0.3


def test_the_weights_are_those_of_the_version() -> None:
    found = reward(said("no"), case("yes"), step_scores=[[0.5]])
    assert dataclasses.astuple(found.weights) == pytest.approx((0.10, 0.45, 0.30, 0.15))
    assert found.overall == pytest.approx(0.10 + 0 + 0.30 + 0.15 * 0.5)
    assert (found.version, found.notes) == ("grounded-2", ())


def test_what_is_left_out_gives_its_weight_to_the_others_and_is_said() -> None:
    found = reward(said("no"), CaseTruth("yes"))
    assert (found.regions, found.steps) == (None, None)
    assert dataclasses.astuple(found.weights) == pytest.approx((0.10 / 0.55, 0.45 / 0.55, 0, 0))
    assert found.notes == (NO_REGIONS, NO_STEP_SCORES)
    assert found.overall == pytest.approx(0.10 / 0.55)


def test_no_step_more_raises_what_the_steps_are_worth() -> None:
    one = reward(said("yes", "a b c"), CaseTruth("yes"), step_scores=[[0.6]])
    two = reward(said("yes", "a b c", "d e f"), CaseTruth("yes"), step_scores=[[0.6, 0.9]])
    worse = reward(said("yes", "a b c", "d e f"), CaseTruth("yes"), step_scores=[[0.6, 0.2]])
    first = reward(
        said("yes", "a b c", "d e f"), CaseTruth("yes"), step_scores=[[0.6, 0.9]], version=GROUNDED_1
    )
    assert one.steps == two.steps == pytest.approx(0.6)
    assert worse.steps == pytest.approx(0.2)
    assert first.steps == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("step_scores", "sentence"),
    [
        ([], "step scores of 0"),
        ([[0.5, 0.5]], "1 reasoning steps and 2 step scores"),
        ([[1.5]], "between 0 and 1"),
        ([[math.nan]], "between 0 and 1"),
    ],
)
def test_step_scores_that_do_not_fit_are_refused(step_scores, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        reward(said("yes"), case("yes"), step_scores=step_scores)


@pytest.mark.parametrize(
    "text",
    [
        "So: " + said("yes"),
        said("yes") + " And more.",
        said("yes") + said("yes"),
        f"<think> {STEP} The answer is: \\boxed{{yes}}",
        f"{STEP} </think> The answer is: \\boxed{{yes}}",
        f"<think> {STEP} </think> The answer is: yes",
        f"<think> {STEP} </think> <think> </think> \\boxed{{yes}}",
        f"<think> \\boxed{{yes}} {STEP} </think> \\boxed{{yes}}",
        "<think> </think> \\boxed{yes}",
        said(""),
    ],
)
def test_any_other_form_loses_the_weight_of_the_form(text: str) -> None:
    assert reward(text, case("yes")).format == 0


@pytest.mark.parametrize("text", [said("yes"), said("yes") + ".\n", "\n" + said("\\frac{1}{2}")])
def test_the_form_that_was_asked_for_earns_its_weight(text: str) -> None:
    assert reward(text, case("yes")).format == 1


@pytest.mark.parametrize(
    "text", ["\\boxed{yes} <think> a b c </think>", "<think> a b c; \\boxed{yes}; d e f </think> The end."]
)
def test_an_answer_before_the_end_of_the_reasoning_earns_nothing(text: str) -> None:
    found = reward(text, case("yes"))
    assert found.answer == 0
    assert ANSWER_FIRST in found.notes


def test_saying_things_twice_loses_what_is_said_twice() -> None:
    short = "The heart is small; The heart is big"
    assert reward(f"<think> {short} </think> \\boxed{{yes}}", CaseTruth("yes")).length == 1
    assert reward(f"<think> {short}; {short} </think> \\boxed{{yes}}", CaseTruth("yes")).length == 0.5
    dotted = short.replace(";", ".")
    assert reward(f"<think> {dotted}. {dotted} </think> \\boxed{{yes}}", CaseTruth("yes")).length == 0.5


def test_two_places_of_one_finding_are_no_repetition() -> None:
    text = said("yes", "There is a nodule [1, 2, 30, 40]", "There is a nodule [50, 60, 90, 90]")
    assert reward(text, CaseTruth("yes")).length == 1


def test_length_costs_from_the_limit_on_and_everything_at_twice_the_limit() -> None:
    version = dataclasses.replace(GROUNDED_1, name="short", max_characters=100)
    for num_letters, factor in ((30, 1), (100, None), (400, 0)):
        text = format_completion(["x" * num_letters], "yes")
        length = reward(text, CaseTruth("yes"), version=version).length
        assert length == pytest.approx(2 - len(text) / 100 if factor is None else factor)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 0.2},
        {"format": -0.1, "answer": 0.65},
        {"label_share": 2},
        {"max_boxes": 0},
        {"format": 0, "answer": 0, "regions": 0.85},
    ],
)
def test_a_version_that_cannot_be_meant_is_refused(change: dict) -> None:
    with pytest.raises(ValueError, match="grounded-1"):
        dataclasses.replace(GROUNDED_1, **change)


def test_a_version_names_its_sources() -> None:
    assert isinstance(GROUNDED_1, RewardVersion)
    assert "arXiv" in GROUNDED_1.source


# fmt: off
PIECES = st.lists(
    st.sampled_from([
        "<think>", "</think>", "\\boxed{", "}", "yes", "; ", " left effusion ", " no ", "[1,2,3,4]", STEP,
        ". ",
        "[100, 200, 300, 400]", "[9,9,9,9]", "[1e9,1,2,3]", "heart", "\n", "|",
    ])
).map("".join)
# fmt: on


@given(
    PIECES | st.text(),
    st.sampled_from(["yes", "None", "a|b", "Left effusion. No nodule.", "no acute finding"]),
    st.sampled_from([None, (), (HEART,)]),
)
def test_any_text_earns_between_0_and_1(text: str, answer: str, regions) -> None:
    truth = CaseTruth(answer, regions, image_size=(504, 504), model_size=(504, 504))
    found = reward(text, truth)
    parts = [found.overall, found.format, found.answer, found.length, found.regions or 0.0]
    assert all(0 <= part <= 1 for part in parts)
    assert sum(dataclasses.astuple(found.weights)) == pytest.approx(1)


@pytest.mark.parametrize(
    "text",
    [
        "no effusion " * 800,
        "left " * 2000,
        "<think> " + "[1,2,3,4] effusion " * 500,
        "heart " + ":" * 5000,
        "\\boxed{" * 1000,
        "a-" * 4000,
        "no" + " " * 9000 + "effusion",
        "heart, and lungs " * 600 + "are",
        "[" + "1" * 9000,
    ],
)
def test_a_text_made_to_keep_a_search_busy_is_read_like_any_other(text: str) -> None:
    assert 0 <= reward(f"<think> {text} </think> \\boxed{{{text}}}", case("Left effusion.")).overall < 1
