"""Which corrected texts are to be followed, and which steps a rewriting leaves out."""

from dataclasses import replace

import pytest

from rl_feedback.corrections import CorrectionRefused, rewritten_text
from rl_feedback.preferences import gather_preferences
from rl_feedback.preferences.agreeing import added_without_an_answer, named_without_a_step
from rl_feedback.preferences.following import texts_to_follow
from rl_feedback.readings import JudgedAnswer, MissedFinding
from tests.rl_feedback.preferences.cases import judged, of_step, on_film, reading, saying

HEART = "The heart size is normal with [30, 50, 80, 90]"
NODULE = "There is a left nodule with [70, 20, 80, 30]"
CAVITY = "There is a right cavity with [10, 20, 30, 40]"


def test_a_step_that_points_at_nothing_right_goes_when_the_text_is_rewritten() -> None:
    made = judged(saying("a", HEART, NODULE, CAVITY, answer="left nodule, right cavity"), 1, 0, "wrong")
    gone = of_step(made, 1, plausibility=1)
    rewritten = rewritten_text(replace(gone, answer=JudgedAnswer(rewrite="right cavity")))
    assert rewritten == saying("b", HEART, CAVITY, answer="right cavity").text
    plausible = of_step(made, 1, plausibility=4)
    assert "left nodule;" in rewritten_text(replace(plausible, answer=JudgedAnswer(rewrite="right cavity")))


def test_a_first_step_that_goes_takes_what_followed_it_along() -> None:
    made = judged(saying("a", NODULE, HEART, answer="none"), 0, 0, "wrong")
    assert rewritten_text(of_step(made, 0, plausibility=1)) == saying("b", HEART, answer="none").text


def test_a_text_of_which_every_step_goes_can_not_be_rewritten() -> None:
    made = of_step(judged(saying("a", NODULE), 0, 0, "wrong"), 0, plausibility=1)
    with pytest.raises(CorrectionRefused, match="no step left"):
        rewritten_text(made)


def test_where_readers_rewrote_a_text_moved_regions_alone_are_not_followed() -> None:
    moved = judged(saying("a", HEART, NODULE), 0, 0, "adjusted", on_film((35, 52, 90, 95)))
    rewritten = of_step(moved, 1, edited_text="There is a left cavity")
    for made, origin in ((moved, "region"), (rewritten, "rewrite")):
        pairs = gather_preferences([reading("r", made)]).pairs
        assert [row.origin for row in texts_to_follow((pair.completion, pair) for pair in pairs)] == [origin]


def test_an_answer_that_names_what_was_taken_out_of_the_steps_makes_no_text_to_follow() -> None:
    said = saying("a", HEART, NODULE, CAVITY, answer="left nodule, right cavity")
    gone = of_step(judged(said, 1, 0, "wrong"), 1, plausibility=1)
    moved = judged(gone, 0, 0, "adjusted", on_film((35, 52, 90, 95)))
    found = gather_preferences([reading("r", moved)])
    assert not found.pairs
    reasons = {left.origin: left.reason for left in found.left_out}
    assert reasons["rewrite"].endswith("took out of the steps: left nodule.")
    assert "took a step out" in reasons["region"]

    by_reader = replace(moved, answer=JudgedAnswer(rewrite="right cavity"))
    (pair,) = texts_to_follow(
        (one.completion, one) for one in gather_preferences([reading("r", by_reader)]).pairs
    )
    assert "nodule" not in pair.chosen


@pytest.mark.parametrize(
    ("steps", "answer", "named"),
    [
        (("The left lung is clear", CAVITY), "left nodule, right cavity", ("left nodule",)),
        (("There is a right nodule", CAVITY), "left nodule, right cavity", ("left nodule",)),
        (("There is a right nodule", CAVITY), "a nodule, right cavity", ()),
        ((NODULE, CAVITY), "left nodule, right cavity", ()),
        (("The left lung is clear", CAVITY), "no nodule, right cavity", ()),
    ],
)
def test_what_an_answer_names_without_a_step_is_told_by_side(
    steps: tuple[str, ...], answer: str, named: tuple[str, ...]
) -> None:
    original = saying("a", NODULE, CAVITY, answer="left nodule, right cavity").text
    assert named_without_a_step(original, saying("b", *steps, answer=answer).text) == named


def test_an_answer_that_leaves_out_what_its_reader_added_makes_no_text_to_follow() -> None:
    said = saying("a", HEART, CAVITY, answer="right cavity")
    missed = replace(said, missed=(MissedFinding("There is a left nodule"),))
    found = gather_preferences([reading("r", missed)])
    assert not found.pairs
    (left,) = found.left_out
    assert left.reason == "The answer does not name what its reader added to the steps: left nodule."

    by_reader = replace(missed, answer=JudgedAnswer(rewrite="right cavity, left nodule"))
    (pair,) = texts_to_follow(
        (one.completion, one) for one in gather_preferences([reading("r", by_reader)]).pairs
    )
    assert "There is a left nodule" in pair.chosen


@pytest.mark.parametrize(
    ("steps", "answer", "added"),
    [
        ((HEART,), "no acute finding", ("left nodule", "right cavity")),
        ((HEART, NODULE), "left nodule", ("right cavity",)),
        ((HEART, CAVITY), "right cavity", ("left nodule",)),
        # Of no side, and of the other side alone.
        ((HEART, "There is a nodule", CAVITY), "nodule, right cavity", ()),
        ((HEART, "There is a right nodule", CAVITY), "right nodule, right cavity", ("left nodule",)),
        # What an answer says of its own steps it leaves out too, and what is no list of findings.
        ((HEART, NODULE), "right cavity", ()),
        ((HEART,), "yes", ()),
        ((HEART,), "", ()),
    ],
)
def test_what_steps_name_without_the_answer_is_told_by_side(
    steps: tuple[str, ...], answer: str, added: tuple[str, ...]
) -> None:
    original = saying("a", *steps, answer=answer).text
    changed = saying("b", HEART, NODULE, CAVITY, answer=answer).text
    assert added_without_an_answer(original, changed) == added
