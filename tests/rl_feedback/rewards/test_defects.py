"""Every fault of the published reward is there in it and not in ours; the reference tells these figures."""

import re

import pytest

from rl_feedback.rewards import grounded_reward, paper_reward
from tests.home import ROOT
from tests.rl_feedback.rewards.defects import DEFECTS, REPORT, Defect, case, said

PAGE = ROOT / "docs" / "reference" / "rewards.md"


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.title)
def test_the_published_reward_does_not_prefer_the_better_and_ours_does(defect: Defect) -> None:
    better, worse = defect.published()
    assert worse >= better
    better, worse = defect.ours()
    assert 0 <= worse < better - 0.15
    assert better <= 1


def test_the_table_of_faults_in_the_reference_tells_what_is_measured() -> None:
    rows = re.findall(
        r"^\| ([A-Z][^|]+) \| (-?[\d.]+) \| (-?[\d.]+) \| ([\d.]+) \| ([\d.]+) \|$",
        PAGE.read_text("utf-8"),
        re.M,
    )
    measured = [
        (defect.title, *(f"{value:.3f}" for value in (*defect.published(), *defect.ours())))
        for defect in DEFECTS
    ]
    assert rows == measured


def test_ten_boxes_out_of_range_take_two_points_there_and_nothing_below_zero_here() -> None:
    text = said("yes", "The heart size is normal " + " ".join(["[1, 2, 900, 900]"] * 10))
    assert paper_reward([text], ["yes"])[0].coordinate == pytest.approx(-2.0)
    ours = grounded_reward([text], [case("yes")])[0]
    assert ours.regions == 0
    assert 0 <= ours.overall <= 1


def test_an_opposite_report_earns_nothing_for_its_answer() -> None:
    opposite = "The lungs are not clear. Large pleural effusion and pneumothorax."
    assert paper_reward([said(opposite)], [REPORT])[0].accuracy == pytest.approx(1.17125690123)
    assert grounded_reward([said(opposite)], [case(REPORT)])[0].answer == 0


def test_an_unrelated_sentence_and_reversed_letters_earn_next_to_nothing_for_their_answer() -> None:
    other = "The patient likes to play the piano on a sunny morning near the sea."
    for text in (other, REPORT[::-1]):
        assert paper_reward([said(text)], [REPORT])[0].accuracy > 0.3
        assert grounded_reward([said(text)], [case(REPORT)])[0].answer < 0.05


def test_no_answer_earns_nothing_where_the_truth_is_the_word_none() -> None:
    text = "<think> a </think> I can't tell."
    assert paper_reward([text], ["None"])[0].accuracy == 1.5
    assert grounded_reward([text, said("None.")], [case("None")] * 2)[0].answer == 0
    assert grounded_reward([said("None.")], [case("None")])[0].answer == 1


def test_the_published_function_drops_what_ours_refuses() -> None:
    with pytest.raises(ValueError, match="2 completions and 1 truths"):
        grounded_reward(["a", "b"], [case("yes")])
